/** How many bits a quantized weight has. */
export type QuantizedBits = 4 | 8;

/** A matrix in blocks along its rows, each with a scale and a zero point of its own. */
export interface QuantizedMatrix {
  /** `[rows, blocks, blockSize · bits / 8]`: the numbers, of two in a byte the first in its low half. */
  values: Uint8Array;
  /** `[rows, blocks]`: number = (value - zero) · scale. */
  scales: Float32Array;
  /** `[rows, ⌈blocks · bits / 8⌉]`: packed as the values are. */
  zeros: Uint8Array;
}

export interface QuantizedSizes {
  blocks: number;
  /** Bytes of the values of a block. */
  blockBytes: number;
  /** Bytes of the zero points of a row. */
  zeroBytes: number;
}

/** Sizes of the parts of a {@link QuantizedMatrix} with the given columns; the last block of a row may be filled up. */
export function quantizedSizes(columns: number, bits: QuantizedBits, blockSize: number): QuantizedSizes {
  const blocks = Math.ceil(columns / blockSize);
  return { blocks, blockBytes: (blockSize * bits) / 8, zeroBytes: Math.ceil((blocks * bits) / 8) };
}

/**
 * Quantize a matrix `[rows, columns]`. In each block 0 is exact, and other numbers are off by half a step at most, or by one
 * at the two ends.
 *
 * The layout is that of ONNX Runtime's MatMulNBits and GatherBlockQuantized (ContribOperators.md).
 */
export function quantizeBlocks(
  matrix: Float32Array,
  columns: number,
  bits: QuantizedBits,
  blockSize: number,
): QuantizedMatrix {
  const rows = matrix.length / columns;
  const { blocks, blockBytes, zeroBytes } = quantizedSizes(columns, bits, blockSize);
  const values = new Uint8Array(rows * blocks * blockBytes);
  const scales = new Float32Array(rows * blocks);
  const zeros = new Uint8Array(rows * zeroBytes);
  const levels = new Uint8Array(blockSize);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const start = row * columns + block * blockSize;
      const end = Math.min(start + blockSize, (row + 1) * columns);
      const { scale, zero } = quantizeBlock(matrix, start, end, 2 ** bits - 1, levels);
      scales[row * blocks + block] = scale;
      if (bits === 8) {
        zeros[row * zeroBytes + block] = zero;
        values.set(levels, (row * blocks + block) * blockBytes);
      } else {
        zeros[row * zeroBytes + (block >> 1)]! |= zero << (4 * (block & 1));
        const first = (row * blocks + block) * blockBytes;
        for (let i = 0; i < blockBytes; i++) values[first + i] = levels[2 * i]! | (levels[2 * i + 1]! << 4);
      }
    }
  }
  return { values, scales, zeros };
}

/** Fill `levels`, from 0 to `largest`: those of the numbers from `start` to `end`, then those of zeros. */
function quantizeBlock(
  numbers: Float32Array,
  start: number,
  end: number,
  largest: number,
  levels: Uint8Array,
): { scale: number; zero: number } {
  let low = 0;
  let high = 0;
  for (let i = start; i < end; i++) {
    const number = numbers[i]!;
    if (number < low) low = number;
    else if (number > high) high = number;
  }
  const scale = Math.fround((high - low) / largest) || 1;
  const zero = Math.round(-low / scale);
  levels.fill(zero, end - start);
  const inverse = 1 / scale;
  for (let i = start; i < end; i++) {
    const level = Math.floor(numbers[i]! * inverse + zero + 0.5);
    levels[i - start] = level < 0 ? 0 : level > largest ? largest : level;
  }
  return { scale, zero };
}
