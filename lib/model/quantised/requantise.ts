import type { QuantisedMatrix } from "../weights/quantised-matrix.js";

/** Numbers of a block as ONNX Runtime's product takes them: 128 stands for 0. */
export interface ByteBlocks {
  /** `[out, in]`. */
  quants: Uint8Array;
  /** `[out, in / blockSize]`. */
  scales: Float32Array;
}

const ZERO = 128;

/**
 * A matrix in 8 bits, in blocks of its size. Blocks without offsets keep their numbers. An offset has to become a whole
 * number of steps: 8 bits have room for steps that are a fraction of those of fewer bits, and of all such fractions the one
 * is taken that fits best.
 */
export function toByteBlocks(matrix: QuantisedMatrix): ByteBlocks {
  return matrix.offsets === undefined ? widened(matrix) : withoutOffsets(matrix, matrix.offsets);
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

function withoutOffsets(
  { bits, blockSize, quants: packed, scales: steps, zero, offsets: _, shape }: QuantisedMatrix,
  offsets: Float32Array,
): ByteBlocks {
  const quants = new Uint8Array(shape[0] * shape[1]);
  const scales = new Float32Array(steps.length);
  const block = new Float64Array(blockSize);
  for (let index = 0; index < scales.length; index++) {
    const start = index * blockSize;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < blockSize; i++) {
      const at = start + i;
      const quant = bits === 8 ? packed[at]! : at % 2 === 0 ? packed[at >> 1]! & 15 : packed[at >> 1]! >> 4;
      block[i] = quant - zero;
      low = Math.min(low, block[i]!);
      high = Math.max(high, block[i]!);
    }
    const step = steps[index]!;
    const offset = offsets[index]!;
    const parts = step === 0 ? 0 : bestParts(low, high, offset / step);
    if (parts > 0) {
      scales[index] = step / parts;
      const shift = Math.round((parts * offset) / step) + ZERO;
      for (let i = 0; i < blockSize; i++) quants[start + i] = parts * block[i]! + shift;
      continue;
    }
    // Numbers far from 0, or all of them equal: 127 steps between 0 and the largest.
    const largest = Math.max(Math.abs(step * low + offset), Math.abs(step * high + offset));
    const scale = largest / (ZERO - 1);
    scales[index] = scale;
    for (let i = 0; i < blockSize; i++) {
      quants[start + i] = scale === 0 ? ZERO : Math.round((step * block[i]! + offset) / scale) + ZERO;
    }
  }
  return { quants, scales };
}

/**
 * The number of parts to cut a step into so that an offset, given in steps, is nearly a whole number of parts and all
 * numbers fit into a byte; 0 if there is none.
 */
function bestParts(low: number, high: number, offset: number): number {
  let best = 0;
  let leastError = Number.POSITIVE_INFINITY;
  for (let parts = MOST_PARTS; parts >= 1; parts--) {
    const shift = Math.round(parts * offset);
    if (parts * low + shift < -ZERO || parts * high + shift >= ZERO) continue;
    const error = Math.abs(parts * offset - shift) / parts;
    if (error >= leastError) continue;
    leastError = error;
    best = parts;
  }
  // One step would leave more to rounding than a byte has to.
  return leastError <= MOST_ERROR ? best : 0;
}

/** 16 steps of 4 bits in 255. */
const MOST_PARTS = 17;
/** Of a step, what rounding the largest numbers of 4 bits to a byte leaves. */
const MOST_ERROR = 0.05;

/**
 * Several blocks of each row as one, with the steps that the largest number of the new block needs. Larger blocks are
 * faster: a block's scale and sum take 8 bytes in memory beside its numbers.
 *
 * @param count how many become one
 */
export function joinBlocks({ quants, scales }: ByteBlocks, blockSize: number, count: number): ByteBlocks {
  const joined = { quants: new Uint8Array(quants.length), scales: new Float32Array(scales.length / count) };
  const largest = ZERO - 1;
  for (let index = 0; index < joined.scales.length; index++) {
    let most = 0;
    for (let part = index * count; part < (index + 1) * count; part++) {
      let reach = 0;
      for (let i = part * blockSize; i < (part + 1) * blockSize; i++) {
        const number = quants[i]! - ZERO;
        if (number > reach) reach = number;
        else if (-number > reach) reach = -number;
      }
      most = Math.max(most, reach * Math.abs(scales[part]!));
    }
    joined.scales[index] = most / largest;
    for (let part = index * count; part < (index + 1) * count; part++) {
      const factor = most === 0 ? 0 : (scales[part]! * largest) / most;
      // All are above 0, so cutting rounds to the nearest. This runs for each of hundreds of millions of numbers.
      const middle = ZERO + 0.5;
      for (let i = part * blockSize; i < (part + 1) * blockSize; i++) {
        joined.quants[i] = ((quants[i]! - ZERO) * factor + middle) | 0;
      }
    }
  }
  return joined;
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
