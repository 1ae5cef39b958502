import { dequantiseBlocks, type QuantisedMatrix } from "../weights/quantised-matrix.js";

/** Numbers of a block as ONNX Runtime's product takes them: 128 stands for 0. */
export interface ByteBlocks {
  /** `[out, in]` */
  quants: Uint8Array;
  /** `[out, in / blockSize]` */
  scales: Float32Array;
}

const ZERO = 128;

/** Whether a matrix is taken as it is: the same numbers, nothing rounded. */
export const keepsNumbers = ({ blockSize, offsets }: QuantisedMatrix, wanted: number): boolean =>
  offsets === undefined && blockSize === wanted;

/**
 * A matrix in 8 bits, in blocks of another size. Blocks of the same size without offsets keep their numbers; others are
 * rounded to 255 steps between the largest magnitude of a block and its opposite.
 */
export function toByteBlocks(matrix: QuantisedMatrix, blockSize: number): ByteBlocks {
  return keepsNumbers(matrix, blockSize) ? widened(matrix) : rounded(matrix, blockSize);
}

function widened({ bits, quants, scales, zero }: QuantisedMatrix): ByteBlocks {
  if (bits === 8 && zero === ZERO) return { quants, scales };
  const wide = new Uint8Array(bits === 8 ? quants.length : 2 * quants.length);
  const shift = ZERO - zero;
  if (bits === 8) for (let i = 0; i < wide.length; i++) wide[i] = quants[i]! + shift;
  else {
    for (let i = 0; i < quants.length; i++) {
      const pair = quants[i]!;
      wide[2 * i] = (pair & 15) + shift;
      wide[2 * i + 1] = (pair >> 4) + shift;
    }
  }
  return { quants: wide, scales };
}

/** Rows dequantised at once: they stay in the processor's cache. */
const ROWS = 16;

function rounded(matrix: QuantisedMatrix, blockSize: number): ByteBlocks {
  const [out, input] = matrix.shape;
  const quants = new Uint8Array(out * input);
  const scales = new Float32Array((out * input) / blockSize);
  const numbers = new Float32Array(ROWS * input);
  for (let row = 0; row < out; row += ROWS) {
    const part = rowsOf(matrix, row, Math.min(out, row + ROWS));
    const rows = numbers.subarray(0, (Math.min(out, row + ROWS) - row) * input);
    dequantiseBlocks(part, rows);
    const from = row * input;
    for (let start = 0; start < rows.length; start += blockSize) {
      let largest = 0;
      for (let i = start; i < start + blockSize; i++) largest = Math.max(largest, Math.abs(rows[i]!));
      const scale = Math.fround(largest / (ZERO - 1));
      scales[(from + start) / blockSize] = scale;
      const inverse = scale > 0 ? 1 / scale : 0;
      // Rounded to the nearest: the sum is positive.
      for (let i = start; i < start + blockSize; i++) quants[from + i] = rows[i]! * inverse + ZERO + 0.5;
    }
  }
  return { quants, scales };
}

/** Some rows of a matrix, without a copy. */
export function rowsOf(matrix: QuantisedMatrix, from: number, to: number): QuantisedMatrix {
  const { bits, blockSize, quants, scales, offsets, shape } = matrix;
  const input = shape[1];
  const [bytes, blocks] = [(input * bits) / 8, input / blockSize];
  return {
    ...matrix,
    shape: [to - from, input],
    quants: quants.subarray(from * bytes, to * bytes),
    scales: scales.subarray(from * blocks, to * blocks),
    ...(offsets ? { offsets: offsets.subarray(from * blocks, to * blocks) } : {}),
  };
}
