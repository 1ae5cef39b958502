/**
 * How a model's products are computed: `exact` in float32, with weights as stored; `fast` with weights and activations of
 * 8 bits, for weights that are stored in blocks.
 */
export type Numerics = "exact" | "fast";

/** Memory of a weight in blocks, in float32 numbers: a byte, its share of scale and sum as ONNX Runtime packs them. */
export const QUANTISED_FLOATS = 0.4;
