import { setImmediate as nextTurn } from "node:timers/promises";
import type { HostModel } from "../network/host-model.js";

/** Numbers after which other work gets a turn. */
const TURN = 2 ** 24;

/** All numbers of a model: its weights, then those of its adapter. */
export const arraysOf = ({ weights, blocks, adapter }: HostModel): Float32Array[] =>
  [...Object.values(weights), ...Object.values(blocks ?? {}), ...Object.values(adapter?.parameters ?? {})].map(
    // Bytes of blocks are looked at four at a time.
    ({ data }) =>
      data instanceof Float32Array ? data : new Float32Array(data.buffer, data.byteOffset, data.byteLength >> 2),
  );

/** A checksum of all numbers of a model, which differs when any of them does, but for one chance in 2^50. */
export function fingerprintOf(model: HostModel): number {
  let hash = startOf(model);
  for (const data of arraysOf(model)) hash = continued(hash, data, 0, data.length);
  return numberOf(hash);
}

/** The same, with turns for other work in between. */
export async function fingerprintInTurns(model: HostModel): Promise<number> {
  let hash = startOf(model);
  let since = 0;
  for (const data of arraysOf(model)) {
    for (let start = 0; start < data.length; start += TURN) {
      const end = Math.min(start + TURN, data.length);
      hash = continued(hash, data, start, end);
      since += end - start;
      if (since < TURN) continue;
      since = 0;
      await nextTurn();
    }
  }
  return numberOf(hash);
}

/** Four hashes that take turns: a processor computes them side by side. */
type Hash = readonly [number, number, number, number];
const LANES = 4;

function startOf({ adapter }: HostModel): Hash {
  const [low, high] = new Int32Array(Float64Array.of(adapter?.scale ?? 0).buffer);
  return [0x811c9dc5 | 0, low!, 0x1b873593 ^ high!, 0x52dce729];
}

function continued([a, b, c, d]: Hash, { buffer, byteOffset }: Float32Array, start: number, end: number): Hash {
  const bits = new Int32Array(buffer, byteOffset, end);
  const whole = end - ((end - start) % LANES);
  for (let i = start; i < whole; i += LANES) {
    a = mixed(a, bits[i]!);
    b = mixed(b, bits[i + 1]!);
    c = mixed(c, bits[i + 2]!);
    d = mixed(d, bits[i + 3]!);
  }
  for (let i = whole; i < end; i++) a = mixed(a, bits[i]!);
  return [a, b, c, d];
}

/** FNV-1a (Fowler, Noll and Vo) on words; without the shift two changes of sign would cancel out. */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x01000193);
  return product ^ (product >>> 15);
}

/** 52 bits, on all of which each hash has an influence. */
function numberOf([a, b, c, d]: Hash): number {
  const high = [b, c, d].reduce((hash, lane) => mixed(Math.imul(hash, 0x85ebca6b), lane), a);
  const low = [c, b, a].reduce((hash, lane) => mixed(Math.imul(hash, 0x85ebca6b), lane), d);
  return (high >>> 0) * 2 ** 20 + ((low >>> 0) & 0xfffff);
}
