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

type Hash = readonly [number, number];

const startOf = ({ adapter }: HostModel): Hash => [0x811c9dc5, adapter ? Math.fround(adapter.scale) * 65536 : 0];

function continued([a, b]: Hash, { buffer, byteOffset }: Float32Array, start: number, end: number): Hash {
  const bits = new Int32Array(buffer, byteOffset, end);
  // Two hashes of FNV-1a (Fowler, Noll and Vo) on words; without the shift two changes of sign would cancel out.
  let [first, second] = [a | 0, b | 0];
  for (let i = start; i < end; i++) {
    const word = bits[i]!;
    first = Math.imul(first ^ word, 0x01000193);
    first ^= first >>> 15;
    second = Math.imul(second + word, 0x85ebca6b);
    second ^= second >>> 13;
  }
  return [first, second];
}

const numberOf = ([a, b]: Hash): number => (a >>> 0) * 2 ** 20 + ((b >>> 0) & 0xfffff);
