import type { QuantisedMatrix } from "../weights/quantised-matrix.js";
import { decodeHalves } from "../weights/safetensors-float.js";

/** Blocks of a file, unpacked: what {@link QuantisedMatrix} says of them. */
export type Unpacked = Pick<QuantisedMatrix, "quants" | "scales" | "offsets">;

/** A quantised type of the format, and what its blocks become: exactly the same numbers, nothing rounded anew. */
export interface BlockFormat extends Pick<QuantisedMatrix, "bits" | "blockSize" | "zero"> {
  /** Numbers, and bytes, of a block of the file. */
  size: number;
  bytes: number;
  hasOffsets: boolean;
  /** Unpack the block of the file at `from`, which is the `index`-th. */
  unpack(file: Uint8Array, from: number, index: number, to: Unpacked): void;
}

const half = Uint16Array.of(0);
const float = Float32Array.of(0);

function halfAt(file: Uint8Array, at: number): number {
  half[0] = file[at]! | (file[at + 1]! << 8);
  decodeHalves(half, float);
  return float[0]!;
}

/** The 32 numbers of 4 bits of a block: in the file the lower halves of 16 bytes come before the upper ones. */
function pairUp(file: Uint8Array, from: number, { quants }: Unpacked, to: number): void {
  for (let i = 0; i < 8; i++) {
    const [left, right] = [file[from + 2 * i]!, file[from + 2 * i + 1]!];
    quants[to + i] = (left & 15) | ((right & 15) << 4);
    quants[to + 8 + i] = (left >> 4) | (right & 0xf0);
  }
}

/** The 32 numbers of 5 bits of a block: 4 of them as above, the fifth of each in 4 bytes. `shift` is added. */
function addFifths(file: Uint8Array, high: number, low: number, shift: number, { quants }: Unpacked, to: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = file[low + i]!;
    const first = (file[high + (i >> 3)]! >> (i & 7)) & 1;
    const second = (file[high + 2 + (i >> 3)]! >> (i & 7)) & 1;
    quants[to + i] = ((byte & 15) | (first << 4)) + shift;
    quants[to + 16 + i] = ((byte >> 4) | (second << 4)) + shift;
  }
}

/** The scale and minimum, of 6 bits each, of the `part`-th of the eight parts of a block of Q4_K or Q5_K. */
function scaleAndMinimum(file: Uint8Array, at: number, part: number): readonly [scale: number, minimum: number] {
  if (part < 4) return [file[at + part]! & 63, file[at + part + 4]! & 63];
  const low = file[at + part + 4]!;
  return [(low & 15) | ((file[at + part - 4]! >> 2) & 0x30), (low >> 4) | ((file[at + part]! >> 2) & 0x30)];
}

/** Unpack the scales and offsets of the eight parts of a block of Q4_K or Q5_K. */
function unpackScales(file: Uint8Array, from: number, index: number, { scales, offsets }: Unpacked): void {
  const [d, dmin] = [halfAt(file, from), halfAt(file, from + 2)];
  for (let part = 0; part < 8; part++) {
    const [scale, minimum] = scaleAndMinimum(file, from + 4, part);
    scales[index * 8 + part] = d * scale;
    offsets![index * 8 + part] = -(dmin * minimum);
  }
}

/** The 6 bits of the scale of the `part`-th of the sixteen parts of a block of Q3_K. */
const scaleOfThree = (file: Uint8Array, at: number, part: number): number =>
  ((file[at + (part & 7)]! >> (part < 8 ? 0 : 4)) & 15) |
  (((file[at + 8 + (part & 3)]! >> (2 * (part >> 2))) & 3) << 4);

/**
 * The quantised types that are read, by name. Follows the layouts of ggml (`ggml-common.h`) and the arithmetic of
 * Python's gguf (`quants.py`).
 */
export const BLOCK_FORMATS: Readonly<Record<string, BlockFormat>> = {
  Q4_0: {
    ...{ size: 32, bytes: 18, bits: 4, blockSize: 32, zero: 8, hasOffsets: false },
    unpack(file, from, index, to) {
      to.scales[index] = halfAt(file, from);
      pairUp(file, from + 2, to, index * 16);
    },
  },
  Q4_1: {
    ...{ size: 32, bytes: 20, bits: 4, blockSize: 32, zero: 0, hasOffsets: true },
    unpack(file, from, index, to) {
      to.scales[index] = halfAt(file, from);
      to.offsets![index] = halfAt(file, from + 2);
      pairUp(file, from + 4, to, index * 16);
    },
  },
  Q5_0: {
    ...{ size: 32, bytes: 22, bits: 8, blockSize: 32, zero: 128, hasOffsets: false },
    unpack(file, from, index, to) {
      to.scales[index] = halfAt(file, from);
      addFifths(file, from + 2, from + 6, 128 - 16, to, index * 32);
    },
  },
  Q5_1: {
    ...{ size: 32, bytes: 24, bits: 8, blockSize: 32, zero: 0, hasOffsets: true },
    unpack(file, from, index, to) {
      to.scales[index] = halfAt(file, from);
      to.offsets![index] = halfAt(file, from + 2);
      addFifths(file, from + 4, from + 8, 0, to, index * 32);
    },
  },
  Q8_0: {
    ...{ size: 32, bytes: 34, bits: 8, blockSize: 32, zero: 128, hasOffsets: false },
    unpack(file, from, index, to) {
      to.scales[index] = halfAt(file, from);
      // A signed byte plus 128 is its bits with the sign turned.
      for (let i = 0; i < 32; i++) to.quants[index * 32 + i] = file[from + 2 + i]! ^ 0x80;
    },
  },
  Q2_K: {
    ...{ size: 256, bytes: 84, bits: 4, blockSize: 16, zero: 0, hasOffsets: true },
    unpack(file, from, index, to) {
      const [scale, minimum] = [halfAt(file, from + 80), halfAt(file, from + 82)];
      for (let part = 0; part < 16; part++) {
        const both = file[from + part]!;
        to.scales[index * 16 + part] = scale * (both & 15);
        to.offsets![index * 16 + part] = -(minimum * (both >> 4));
        const [low, shift] = [from + 16 + 32 * (part >> 3) + 16 * (part & 1), 2 * ((part >> 1) & 3)];
        for (let i = 0; i < 8; i++) {
          const [left, right] = [(file[low + 2 * i]! >> shift) & 3, (file[low + 2 * i + 1]! >> shift) & 3];
          to.quants[(index * 16 + part) * 8 + i] = left | (right << 4);
        }
      }
    },
  },
  Q3_K: {
    ...{ size: 256, bytes: 110, bits: 4, blockSize: 16, zero: 8, hasOffsets: false },
    unpack(file, from, index, to) {
      const scale = halfAt(file, from + 108);
      for (let part = 0; part < 16; part++) {
        to.scales[index * 16 + part] = scale * (scaleOfThree(file, from + 96, part) - 32);
        const [low, shift] = [from + 32 + 32 * (part >> 3) + 16 * (part & 1), 2 * ((part >> 1) & 3)];
        const [high, bit] = [from + 16 * (part & 1), part >> 1];
        // The numbers are −4 … 3, less by 4 where the high bit is 0.
        const number = (i: number) => ((file[low + i]! >> shift) & 3) + 4 + 4 * ((file[high + i]! >> bit) & 1);
        for (let i = 0; i < 8; i++) {
          to.quants[(index * 16 + part) * 8 + i] = number(2 * i) | (number(2 * i + 1) << 4);
        }
      }
    },
  },
  Q4_K: {
    ...{ size: 256, bytes: 144, bits: 4, blockSize: 32, zero: 0, hasOffsets: true },
    unpack(file, from, index, to) {
      unpackScales(file, from, index, to);
      for (let part = 0; part < 8; part++) {
        const [low, shift] = [from + 16 + 32 * (part >> 1), 4 * (part & 1)];
        for (let i = 0; i < 16; i++) {
          const [left, right] = [(file[low + 2 * i]! >> shift) & 15, (file[low + 2 * i + 1]! >> shift) & 15];
          to.quants[(index * 8 + part) * 16 + i] = left | (right << 4);
        }
      }
    },
  },
  Q5_K: {
    ...{ size: 256, bytes: 176, bits: 8, blockSize: 32, zero: 0, hasOffsets: true },
    unpack(file, from, index, to) {
      unpackScales(file, from, index, to);
      for (let part = 0; part < 8; part++) {
        const [low, shift] = [from + 48 + 32 * (part >> 1), 4 * (part & 1)];
        for (let i = 0; i < 32; i++) {
          const high = (file[from + 16 + i]! >> part) & 1;
          to.quants[index * 256 + part * 32 + i] = ((file[low + i]! >> shift) & 15) | (high << 4);
        }
      }
    },
  },
  Q6_K: {
    ...{ size: 256, bytes: 210, bits: 8, blockSize: 16, zero: 128, hasOffsets: false },
    unpack(file, from, index, to) {
      const d = halfAt(file, from + 208);
      for (let part = 0; part < 16; part++) {
        to.scales[index * 16 + part] = d * ((file[from + 192 + part]! << 24) >> 24);
        // 64 bytes have the low halves of 128 numbers, 32 bytes their upper two bits.
        const [inner, side] = [part & 7, part & 1];
        const low = from + 64 * (part >> 3) + 32 * ((inner >> 1) & 1) + 16 * side;
        const [lowShift, high] = [4 * (inner >> 2), from + 128 + 32 * (part >> 3) + 16 * side];
        for (let i = 0; i < 16; i++) {
          const number = ((file[low + i]! >> lowShift) & 15) | (((file[high + i]! >> (2 * (inner >> 1))) & 3) << 4);
          to.quants[index * 256 + part * 16 + i] = number - 32 + 128;
        }
      }
    },
  },
};

/** Room for blocks of the file. */
export function allocateBlocks({ size, bits, blockSize, hasOffsets }: BlockFormat, count: number): Unpacked {
  const numbers = count * size;
  return {
    quants: new Uint8Array((numbers * bits) / 8),
    scales: new Float32Array(numbers / blockSize),
    ...(hasOffsets ? { offsets: new Float32Array(numbers / blockSize) } : {}),
  };
}

/** Unpack `count` blocks from the start of `file` to the places from the `first`-th block on. */
export function unpackBlocks(format: BlockFormat, file: Uint8Array, count: number, to: Unpacked, first = 0): void {
  for (let block = 0; block < count; block++) format.unpack(file, block * format.bytes, first + block, to);
}
