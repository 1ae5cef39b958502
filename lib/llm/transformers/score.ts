import { checkInterrupt, interruptible, ThoughtbookError } from "../../core/index.js";
import { releaseCache } from "./cache.js";
import { logSumExp } from "./next-logits.js";
import type { Batching } from "./probe.js";
import { MOST_LOGITS, promptGroups } from "./prompts.js";
import type { Runtime, RuntimeResult } from "./runtime.js";

export interface RuntimeScoreOptions {
  batching: () => Promise<Batching>;
  vocabularySize: number;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number) => void) | undefined;
}

interface Text {
  index: number;
  ids: readonly number[];
  /** The place of the first token to score. */
  from: number;
}

/**
 * Natural logarithms of the probabilities of continuations, from logits.
 *
 * Texts are filled up on the right: no token looks at what comes after it, so padding needs no mask, and every graph takes
 * it.
 *
 * @throws interrupted, execution
 */
export async function scoreTexts(
  runtime: Runtime,
  sequences: readonly { prompt: readonly number[]; continuation: readonly number[] }[],
  options: RuntimeScoreOptions,
): Promise<Float32Array[]> {
  const { vocabularySize } = options;
  const signal = interruptible(options.signal);
  const results = sequences.map(({ continuation }) => new Float32Array(continuation.length));
  const texts = sequences.map(({ prompt, continuation }, index) => ({
    index,
    ids: [...prompt, ...continuation],
    from: prompt.length,
  }));
  const scored = texts.filter(({ ids, from }) => ids.length > from);
  const wanted = Math.min(scored.length, options.batchSize ?? Number.POSITIVE_INFINITY);
  const most = wanted > 1 && (await options.batching()) !== "alone" ? wanted : 1;
  let done = sequences.length - scored.length;
  // All logits of a group are needed, or nearly so.
  const groups = promptGroups({ keepsLastLogits: false }, scored, ({ ids }) => ids.length - 1, vocabularySize);
  for (const group of groups.flatMap((each) => chunksOf(each, most))) {
    checkInterrupt(signal, "scoring");
    await scoreGroup(runtime, group, results, vocabularySize);
    const broken = group.find(({ index }) => !results[index]!.every(Number.isFinite));
    if (broken) {
      throw new ThoughtbookError("execution", `the model's scores of sequence ${broken.index} are no numbers (NaN)`, {
        hint: "Its weights are broken, or too large for their type: export it again, or choose another type.",
      });
    }
    done += group.length;
    options.onProgress?.(done);
  }
  return results;
}

async function scoreGroup(
  runtime: Runtime,
  texts: readonly Text[],
  results: readonly Float32Array[],
  vocabularySize: number,
): Promise<void> {
  // The last token is a target only.
  const longest = texts.reduce((most, { ids }) => Math.max(most, ids.length - 1), 0);
  const first = texts.reduce((least, { from }) => Math.min(least, from - 1), longest);
  const fitting = Math.max(1, Math.floor(MOST_LOGITS / vocabularySize));
  // Only a single text may continue a cache by several tokens: some graphs cannot do that with more rows.
  const piece = texts.length > 1 ? longest : fitting;
  let result: RuntimeResult | undefined;
  for (let start = 0; start < longest; ) {
    const skipped = start === 0 && runtime.keepsLastLogits ? first : 0;
    const end = Math.min(longest, start + skipped + piece);
    const before = result?.cache;
    result = await runtime.forward({
      ids: texts.map(({ ids }) => Array.from({ length: end - start }, (_, i) => ids[start + i] ?? 0)),
      tokens: texts.map(() => end),
      cache: before,
      logits: end - start - skipped,
    });
    if (before) releaseCache(before);
    for (const [row, text] of texts.entries()) readScores(result, row, end, text, results[text.index]!);
    start = end;
  }
  if (result) releaseCache(result.cache);
}

/** Read the scores of a row whose logits end before a place. */
function readScores(
  { logits: { times, vocabulary, data } }: RuntimeResult,
  row: number,
  end: number,
  { ids, from }: Text,
  into: Float32Array,
): void {
  for (let place = Math.max(from, end - times + 1); place < Math.min(ids.length, end + 1); place++) {
    const start = (row * times + times - 1 - (end - place)) * vocabulary;
    const logits = data.subarray(start, start + vocabulary);
    into[place - from] = logits[ids[place]!]! - logSumExp(logits);
  }
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
  return chunks;
}
