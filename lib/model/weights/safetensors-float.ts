const asBits = (floats: Float32Array) => new Uint32Array(floats.buffer, floats.byteOffset, floats.length);

let halfTable: Uint32Array | undefined;

/** The float32 bits of each of the 65,536 half-precision numbers. */
function halvesAsFloats(): Uint32Array {
  halfTable ??= Uint32Array.from({ length: 65_536 }, (_, half) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0x1f) return (sign | 0x7f80_0000 | (fraction << 13)) >>> 0; // Infinities and NaN.
    if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
    if (fraction === 0) return sign >>> 0;
    // A subnormal number has a leading one, and so an exponent, as a float32.
    const shift = Math.clz32(fraction) - 21;
    return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
  });
  return halfTable;
}

/** Half-precision numbers, as their bits, to float32; exact. `floats` has the length of `halves`. */
export function decodeHalves(halves: Uint16Array, floats: Float32Array): void {
  const [bits, table] = [asBits(floats), halvesAsFloats()];
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!;
}

/** bfloat16 numbers, as their bits, to float32; exact. `floats` has the length of `brains`. */
export function decodeBrainFloats(brains: Uint16Array, floats: Float32Array): void {
  const bits = asBits(floats);
  for (let i = 0; i < brains.length; i++) bits[i] = brains[i]! << 16;
}

/**
 * The bits of the nearest half-precision numbers; of two equally near ones, the even one. Beyond ±65,504 lie infinities.
 */
export function encodeHalves(floats: Float32Array): Uint16Array {
  const bits = asBits(floats);
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < halves.length; i++) halves[i] = half(bits[i]!);
  return halves;
}

function half(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff); // NaN, made quiet.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00; // From 65,520 on, infinity is nearest.
  if (magnitude >= 0x3880_0000) return sign | roundedShift(magnitude - 0x3800_0000, 13);
  if (magnitude <= 0x3300_0000) return sign; // Up to 2⁻²⁵, zero is nearest.
  return sign | roundedShift((magnitude & 0x7f_ffff) | 0x80_0000, 126 - (magnitude >>> 23));
}

/** The bits of the nearest bfloat16 numbers; of two equally near ones, the even one. */
export function encodeBrainFloats(floats: Float32Array): Uint16Array {
  const bits = asBits(floats);
  const brains = new Uint16Array(floats.length);
  for (let i = 0; i < brains.length; i++) {
    const value = bits[i]!;
    const notANumber = (value & 0x7fff_ffff) > 0x7f80_0000;
    brains[i] = notANumber ? (value >>> 16) | 0x40 : roundedShift(value, 16);
  }
  return brains;
}

/** `value / 2**bits`, rounded to the nearest integer; halfway, to the even one. `value` is an unsigned 32-bit integer. */
function roundedShift(value: number, bits: number): number {
  const quotient = value >>> bits;
  const rest = value - quotient * 2 ** bits;
  const middle = 2 ** (bits - 1);
  return rest > middle || (rest === middle && (quotient & 1) === 1) ? quotient + 1 : quotient;
}
