import { badInput } from "../../core/index.js";
import { encodeHalves } from "../weights/safetensors-float.js";

const SIZE = 32;
const BYTES = 34;

/**
 * Quantise rows of float32 numbers to Q8_0: blocks of 32 whose largest becomes ±127. Equal to ggml's and Python's gguf, bit
 * for bit.
 *
 * @param floats rows of a multiple of 32 numbers
 */
export function quantiseQ8(floats: Float32Array): Uint8Array {
  const count = floats.length / SIZE;
  const scales = new Float32Array(count);
  const bytes = new Uint8Array(count * BYTES);
  for (let block = 0; block < count; block++) {
    const numbers = floats.subarray(block * SIZE, (block + 1) * SIZE);
    let largest = 0;
    for (const number of numbers) largest = Math.max(largest, Math.abs(number));
    const scale = Math.fround(largest / 127);
    scales[block] = scale;
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    for (let i = 0; i < SIZE; i++) {
      const exact = Math.fround(numbers[i]! * inverse);
      const [size, floor] = [Math.abs(exact), Math.floor(Math.abs(exact))];
      // Halves go away from zero. A scale so small that its inverse is infinite would leave the range.
      const rounded = Math.min(127, floor + Math.floor(2 * (size - floor)));
      bytes[block * BYTES + 2 + i] = Math.sign(exact) * rounded;
    }
  }
  const halves = encodeHalves(scales);
  for (let block = 0; block < count; block++) {
    bytes[block * BYTES] = halves[block]! & 255;
    bytes[block * BYTES + 1] = halves[block]! >> 8;
  }
  return bytes;
}

/**
 * The bytes of float32 numbers as they are, or in half precision.
 * @throws bad-input for a number that half precision cannot hold
 */
export function encodeFloats(floats: Float32Array, type: "F32" | "F16", name: string): Uint8Array {
  if (type === "F32") return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  const halves = encodeHalves(floats);
  const infinite = halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(floats[i]));
  if (infinite < 0) return new Uint8Array(halves.buffer);
  throw badInput(
    `${name} holds ${floats[infinite]}, which half precision cannot`,
    "Take --type q8_0, whose blocks have scales.",
  );
}
