import { createRandom } from "thoughtbook/core";
import {
  type BlockParameters,
  type HostModel,
  initializeParameters,
  type ModelConfig,
  type ModelParameters,
  parseConfig,
  type QuantisedMatrix,
  type QuantisedSource,
} from "thoughtbook/model";
import { blockParameters } from "../../../lib/dist/model/quantised/block-parameters.js";
import { dequantise } from "../../../lib/dist/model/weights/quantised-matrix.js";

export const llama = (keys: Record<string, unknown> = {}): ModelConfig =>
  parseConfig({
    model_type: "llama",
    vocab_size: 300,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 128,
    eos_token_id: null,
    ...keys,
  });

export const gpt2 = (): ModelConfig =>
  parseConfig({
    model_type: "gpt2",
    vocab_size: 300,
    n_embd: 64,
    n_layer: 2,
    n_head: 4,
    n_positions: 128,
    eos_token_id: null,
  });

export type Kind = "Q8_0" | "Q6_K" | "Q4_0" | "Q4_1" | "Q5_1";
const KINDS = {
  Q8_0: { bits: 8, blockSize: 32, zero: 128, levels: 256, offsets: false },
  Q6_K: { bits: 8, blockSize: 16, zero: 128, levels: 64, offsets: false },
  Q4_0: { bits: 4, blockSize: 32, zero: 8, levels: 16, offsets: false },
  Q4_1: { bits: 4, blockSize: 32, zero: 0, levels: 16, offsets: true },
  Q5_1: { bits: 8, blockSize: 32, zero: 0, levels: 32, offsets: true },
} as const;

/** A random matrix in blocks, of weights of about ±0.2. */
export function randomMatrix(kind: Kind, out: number, input: number, seed: number | string): QuantisedMatrix {
  const { bits, blockSize, zero, levels, offsets } = KINDS[kind];
  const random = createRandom(seed);
  const blocks = (out * input) / blockSize;
  const first = offsets ? 0 : zero - levels / 2;
  const level = () => first + Math.floor(levels * random.uniform());
  const quants = Uint8Array.from({ length: (out * input * bits) / 8 }, () =>
    bits === 8 ? level() : level() | (level() << 4),
  );
  const scales = Float32Array.from({ length: blocks }, () => (0.2 + 0.2 * random.uniform()) / levels);
  return {
    shape: [out, input],
    bits,
    blockSize,
    zero,
    quants,
    scales,
    ...(offsets ? { offsets: scales.map((scale) => -scale * levels * (0.4 + 0.2 * random.uniform())) } : {}),
  };
}

/** A model with random weights in blocks, in the forms that it may have in memory. */
export function quantisedModel(config: ModelConfig, kindOf: (name: string) => Kind) {
  const parameters = initializeParameters(config, { seed: 1, deviation: 0.3 });
  const matrices = new Map<string, QuantisedMatrix>();
  const weights: ModelParameters = {};
  const blocks: BlockParameters = {};
  for (const [name, { shape }] of Object.entries(parameters)) {
    if (shape.length !== 2) {
      weights[name] = parameters[name]!;
      continue;
    }
    // GPT-2 keeps its layers as [in, out], files have the rows of [out, in].
    const isTransposed = config.family === "gpt2" && name.includes(".h.");
    const [out, input] = (isTransposed ? shape.toReversed() : shape) as [number, number];
    const matrix = randomMatrix(kindOf(name), out, input, name);
    matrices.set(name, matrix);
    const data = dequantise(matrix);
    const turned = data.map((_, i) => data[(i % out) * input + Math.floor(i / out)]!);
    parameters[name] = { shape, dtype: "float32", data: isTransposed ? turned : data };
    Object.assign(blocks, blockParameters(name, { ...matrix, quants: matrix.quants.slice() }));
  }
  const source: QuantisedSource = {
    config,
    blockSize: (name) => matrices.get(name)?.blockSize ?? 0,
    readBlocks: async (name) => matrices.get(name)!,
    readFloats: async (name) => parameters[name]!.data,
  };
  const exact: HostModel = { config, weights: parameters };
  const low: HostModel = { config, weights, blocks };
  return { source, exact, low };
}
