import { createHash } from "node:crypto";
import { isTensorData } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { type Cache, cacheBytes } from "./cache.js";
import type { ResolvedRequest } from "./request.js";

/** Tokens of a block: beginnings are kept and shared in whole blocks. */
export const BLOCK_TOKENS = 16;

/** Keys and values of some tokens that follow certain others. */
interface Block {
  key: string;
  before: Block | undefined;
  after: Map<string, Block>;
  /** `[layers, 2, heads, BLOCK_TOKENS, dimension]` */
  data: Float32Array;
}

/** The beginning of a prompt whose keys and values are known. */
export interface KnownBeginning {
  /** Number of tokens, a multiple of {@link BLOCK_TOKENS}; 0 if nothing is known. */
  length: number;
  /** The last of its blocks: the same object for the same beginning. */
  end: Block | undefined;
}

/** Keys and values of beginnings of texts, in a tree: what texts have in common is kept once. */
export interface PrefixStore {
  readonly bytes: number;
  /** The longest beginning that is known, of a text's first blocks. */
  find(blocks: readonly string[]): KnownBeginning;
  /** Write the keys and values of a beginning to the start of a row. */
  copyTo(beginning: KnownBeginning, cache: Cache, row: number): void;
  /** Keep a text, whose tokens are at the start of a row; what was not used for longest is dropped for it. */
  add(blocks: readonly string[], cache: Cache, row: number): void;
  clear(): void;
}

/** @param limit bytes of keys and values that are kept at most */
export function createPrefixStore(config: ModelConfig, limit: number): PrefixStore {
  const blockBytes = cacheBytes(config) * BLOCK_TOKENS;
  const root = new Map<string, Block>();
  /** Least recently used first; a block is always used after those that follow it, so that the first has none. */
  const byUse = new Set<Block>();

  /** The known blocks of a text, from its beginning. */
  const follow = (keys: readonly string[]): Block[] => {
    const path: Block[] = [];
    let level = root;
    for (const key of keys) {
      const block = level.get(key);
      if (!block) break;
      path.push(block);
      level = block.after;
    }
    return path;
  };
  const use = (path: readonly Block[]) => {
    for (const block of path.toReversed()) {
      byUse.delete(block);
      byUse.add(block);
    }
  };
  /** Make room for one more block of a path; false if there is only what the path itself uses. */
  const makeRoom = (path: readonly Block[]): boolean => {
    if ((byUse.size + 1) * blockBytes <= limit) return true;
    const [oldest] = byUse;
    if (!oldest || path.includes(oldest)) return false;
    // Its memory is not used again: someone who has found it may still copy it.
    byUse.delete(oldest);
    (oldest.before?.after ?? root).delete(oldest.key);
    return true;
  };
  return {
    get bytes() {
      return byUse.size * blockBytes;
    },
    find(keys) {
      const path = follow(keys);
      use(path);
      return { length: path.length * BLOCK_TOKENS, end: path.at(-1) };
    },
    copyTo({ length, end }, cache, row) {
      let start = length;
      for (let block = end; block; block = block.before) {
        start -= BLOCK_TOKENS;
        copyBlock(block.data, cache, row, start, "toCache");
      }
    },
    add(keys, cache, row) {
      const path = follow(keys);
      use(path);
      for (let at = path.length; at < keys.length; at++) {
        if (!makeRoom(path)) break;
        const data = new Float32Array(blockBytes / Float32Array.BYTES_PER_ELEMENT);
        copyBlock(data, cache, row, at * BLOCK_TOKENS, "fromCache");
        const before = path.at(-1);
        const block = { key: keys[at]!, before, after: new Map<string, Block>(), data };
        (before?.after ?? root).set(block.key, block);
        path.push(block);
        byUse.add(block);
      }
      use(path);
    },
    clear() {
      root.clear();
      byUse.clear();
    },
  };
}

function copyBlock(
  data: Float32Array,
  cache: Cache,
  row: number,
  start: number,
  direction: "toCache" | "fromCache",
): void {
  let at = 0;
  for (const [layer, keys] of cache.keys.entries()) {
    for (const tensor of [keys, cache.values[layer]!]) {
      const [, heads, capacity, width] = tensor.shape as [number, number, number, number];
      const size = BLOCK_TOKENS * width;
      for (let head = 0; head < heads; head++) {
        const place = ((row * heads + head) * capacity + start) * width;
        if (direction === "toCache") tensor.data.set(data.subarray(at, at + size), place);
        else data.set(tensor.data.subarray(place, place + size), at);
        at += size;
      }
    }
  }
}

/**
 * Names of a text's whole blocks: of its token ids, or of the numbers of its embeddings, which are those of a soft prompt
 * or of tokens.
 *
 * @param ids new ids that follow the prompt; they are only known to follow token ids
 */
export function blockKeys({ prompt }: Pick<ResolvedRequest, "prompt">, ids: readonly number[] = []): string[] {
  if (isTensorData(prompt)) {
    const size = BLOCK_TOKENS * prompt.shape[1]!;
    return Array.from({ length: Math.floor(prompt.shape[0]! / BLOCK_TOKENS) }, (_, i) => {
      const { buffer, byteOffset, byteLength } = prompt.data.subarray(i * size, (i + 1) * size);
      return createHash("sha256")
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest("base64");
    });
  }
  const all = ids.length > 0 ? [...prompt, ...ids] : prompt;
  return Array.from({ length: Math.floor(all.length / BLOCK_TOKENS) }, (_, i) =>
    all.slice(i * BLOCK_TOKENS, (i + 1) * BLOCK_TOKENS).join(),
  );
}
