import { bucketOf, bucketSizes } from "../../tensor/index.js";
import type { HostModel } from "../network/host-model.js";
import { cacheBytes } from "./cache.js";

/** New tokens that a row has room for at first, if the request allows more: attention costs grow with the capacity. */
const FIRST_ROOM = 64;
/** Memory for the tokens of all rows together. */
const CACHE_BYTES = 2 ** 30;
/** Memory that is set aside for rows, most of which is never touched where one text is much longer than the others. */
const RESERVED_BYTES = 2 ** 32;
/** Maximum texts in progress at the same time, if their keys and values are small. */
export const BATCH_SIZE = 64;

/** Sizes that capacities are rounded up to. */
export function capacityBuckets({ config }: HostModel): number[] {
  return bucketSizes({ longest: config.maxPositions, multipleOf: Math.min(64, config.maxPositions), growth: 1.5 });
}

/** Sizes of padded prompts: at most a third is padding, except for short ones. */
export function promptBuckets({ config }: HostModel): number[] {
  return bucketSizes({ longest: config.maxPositions, multipleOf: Math.min(16, config.maxPositions), growth: 1.5 });
}

/** Sizes that the number of rows is rounded up to. */
export function rowBuckets(batchSize: number): number[] {
  return bucketSizes({ longest: batchSize, multipleOf: 1 });
}

/** Capacity that rows should have, for texts with `length` tokens that get at most `limit` more. */
export function roomFor(model: HostModel, texts: readonly { length: number; limit: number }[]): number {
  const needed = texts.reduce((most, text) => Math.max(most, tokensNeeded(text)), 1);
  return bucketOf(needed, capacityBuckets(model));
}

/** Tokens that a text needs room for, before it has more than a few new ones. */
export const tokensNeeded = ({ length, limit }: { length: number; limit: number }): number =>
  length + Math.min(limit, FIRST_ROOM);

/**
 * How many of some texts, in their order, fit into memory beside others, which are in progress: all their tokens
 * together, and as many rows as they make of the capacity of the longest. One always fits where there are no others.
 */
export function fittingTexts(
  model: HostModel,
  others: readonly { length: number; limit: number }[],
  texts: readonly { length: number; limit: number }[],
  most: number,
): number {
  const bytes = cacheBytes(model.config);
  let tokens = others.reduce((sum, text) => sum + tokensNeeded(text), 0);
  let rows = others.length;
  let capacity = roomFor(model, others);
  for (const [at, text] of texts.entries()) {
    tokens += tokensNeeded(text);
    rows++;
    if (tokensNeeded(text) > capacity) capacity = roomFor(model, [text]);
    const fits = rows <= most && tokens * bytes <= CACHE_BYTES && rows * capacity * bytes <= RESERVED_BYTES;
    if (!fits && rows > 1) return at;
  }
  return texts.length;
}
