/** A matrix [out, in] whose rows are cut into blocks along `in`: weight = scale · (q − zero) + offset. */
export interface QuantisedMatrix {
  shape: readonly [out: number, input: number];
  bits: 4 | 8;
  blockSize: 16 | 32;
  /** [out, in/blockSize, blockSize·bits/8], unsigned as MatMulNBits takes them; 4 bits: the lower half of a byte is the earlier column. */
  quants: Uint8Array;
  /** [out, in/blockSize] */
  scales: Float32Array;
  /** The q that stands for 0, the same in all blocks: 128, 8 or 0. */
  zero: number;
  /** [out, in/blockSize], where the format has a minimum (Q4_1, Q5_1, Q2_K, Q4_K, Q5_K). */
  offsets?: Float32Array;
}

/**
 * The weights of a quantised matrix, row by row in float32: the product of scale and quant is rounded, then the sum with
 * the offset, as ggml and Python's gguf do it.
 */
export function dequantise(matrix: QuantisedMatrix): Float32Array {
  const weights = new Float32Array(matrix.shape[0] * matrix.shape[1]);
  dequantiseBlocks(matrix, weights);
  return weights;
}

/** Write the weights of blocks that follow each other into an array of their length. */
export function dequantiseBlocks(
  { bits, blockSize, quants, scales, zero, offsets }: Omit<QuantisedMatrix, "shape">,
  weights: Float32Array,
): void {
  const blocks = weights.length / blockSize;
  for (let block = 0; block < blocks; block++) {
    const start = block * blockSize;
    const scale = scales[block]!;
    // Adding 0 would make +0 of −0, so formats without offsets leave it out.
    const offset = offsets?.[block];
    if (bits === 8) {
      for (let i = start; i < start + blockSize; i++) weights[i] = scale * (quants[i]! - zero);
    } else {
      for (let i = start; i < start + blockSize; i += 2) {
        const pair = quants[i >> 1]!;
        weights[i] = scale * ((pair & 15) - zero);
        weights[i + 1] = scale * ((pair >> 4) - zero);
      }
    }
    // From the array, where the products are rounded already.
    if (offset !== undefined) for (let i = start; i < start + blockSize; i++) weights[i]! += offset;
  }
}
