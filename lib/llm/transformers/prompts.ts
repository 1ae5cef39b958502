import type { NextScores } from "../../model/index.js";
import { type CachedRow, releaseCache } from "./cache.js";
import { nextScores } from "./next-logits.js";
import type { Runtime, RuntimeResult } from "./runtime.js";

/** Maximum tokens of prompts computed at once, padding included. */
const PREFILL_TOKENS = 4096;
/** Maximum logits in memory at once: 128 MiB. */
export const MOST_LOGITS = 2 ** 25;
/** Prompts computed together: the longest may exceed the shortest by at most this factor and this many tokens. */
const [GROWTH, SLACK] = [1.5, 16];

/** A computed prompt: its row in a cache, and the logits of its next token. */
export interface Prompted {
  place: CachedRow;
  scores: NextScores;
}

/** Split prompts into groups of similar length that fit into memory together. */
export function promptGroups<T>(
  { keepsLastLogits }: Pick<Runtime, "keepsLastLogits">,
  prompts: readonly T[],
  lengthOf: (prompt: T) => number,
  vocabularySize: number,
): T[][] {
  const most = keepsLastLogits ? PREFILL_TOKENS : Math.min(PREFILL_TOKENS, MOST_LOGITS / vocabularySize);
  const groups: T[][] = [];
  let shortest = 0;
  for (const prompt of [...prompts].sort((a, b) => lengthOf(a) - lengthOf(b))) {
    const length = lengthOf(prompt);
    const group = groups.at(-1);
    const fits = group && length <= shortest * GROWTH + SLACK && (group.length + 1) * length <= most;
    if (fits) group.push(prompt);
    else {
      groups.push([prompt]);
      shortest = length;
    }
  }
  return groups;
}

/** Compute prompts in one call; a single prompt in several, where its logits would not fit into memory. */
export async function computePrompts(
  runtime: Runtime,
  prompts: readonly (readonly number[])[],
  vocabularySize: number,
): Promise<Prompted[]> {
  const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
  const most = runtime.keepsLastLogits ? PREFILL_TOKENS : MOST_LOGITS / vocabularySize;
  const piece = prompts.length > 1 ? longest : Math.max(1, Math.floor(most));
  let result: RuntimeResult | undefined;
  for (let start = 0; start < longest; start += piece) {
    const end = Math.min(longest, start + piece);
    const before = result?.cache;
    result = await runtime.forward({
      ids: prompts.map((ids) => [...Array<number>(longest - ids.length).fill(0), ...ids].slice(start, end)),
      tokens: prompts.map(({ length }) => length - longest + end),
      cache: before,
      logits: 1,
    });
    if (before) releaseCache(before);
  }
  const { cache } = result!;
  const scores = nextScores(result!);
  return prompts.map(({ length }, row) => ({ place: { cache, row, tokens: length }, scores }));
}
