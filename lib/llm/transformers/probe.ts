import { gatherRows, isByRows, isPlain } from "./cache.js";
import { lastLogProbs } from "./next-logits.js";
import type { Runtime, RuntimeResult } from "./runtime.js";

/**
 * Which texts an ONNX model can compute together, so that the result for one depends on no other:
 * `padded`: of any lengths, filled up on the left; `equal`: of the same length only; `alone`: one at a time.
 */
export type Batching = "padded" | "equal" | "alone";

/**
 * Find out by trial which texts a model can compute together. Graphs do not say: some take no positions, some mask
 * padding on the right only, and those quantized at run time take one scale for all rows.
 *
 * @param limits size of the vocabulary, and the maximum length of a text
 * @param tolerance maximum difference of log-probabilities due to rounding
 */
export async function probeBatching(
  runtime: Runtime,
  { vocabularySize, maxPositions }: { vocabularySize: number; maxPositions: number },
  tolerance: number,
): Promise<Batching> {
  const texts = [3, 7].map((length, row) => textOf(Math.min(length, maxPositions - 1), row, vocabularySize));
  const [short, long] = texts as [number[], number[]];
  if (short.length === long.length || short.length < 1) return "alone";
  const first = await alone(runtime, short);
  const second = await alone(runtime, long);
  const caches = [first.prompt.cache, second.prompt.cache];
  if (!caches.every(isByRows)) return "alone";
  const agrees = (result: RuntimeResult, row: number, expected: RuntimeResult) =>
    difference(lastLogProbs(result, row), lastLogProbs(expected, 0)) <= tolerance;
  const next = [[NEXT % vocabularySize], [NEXT % vocabularySize]];

  // The same length: the short one, and the beginning of the other.
  const pair = [short, long.slice(0, short.length)];
  const lengths = pair.map(({ length }) => length);
  const equal = await runtime.forward({ ids: pair, tokens: lengths, logits: 1 });
  const turned = await gatherRows(
    runtime,
    [1, 0].map((row) => ({ cache: equal.cache, row, tokens: short.length })),
  );
  const step = await runtime.forward({ ids: next, tokens: lengths.map((n) => n + 1), cache: turned, logits: 1 });
  if (!agrees(equal, 0, first.prompt) || !agrees(step, 1, first.step)) return "alone";
  if (!caches.every(isPlain)) return "equal";

  const padding = Array<number>(long.length - short.length).fill(0);
  const counts = texts.map(({ length }) => length);
  const padded = await runtime.forward({ ids: [[...padding, ...short], long], tokens: counts, logits: 1 });
  const joined = await gatherRows(runtime, [
    { cache: first.prompt.cache, row: 0, tokens: short.length },
    { cache: second.prompt.cache, row: 0, tokens: long.length },
  ]);
  const grown = counts.map((count) => count + 1);
  const steps = [
    await runtime.forward({ ids: next, tokens: grown, cache: padded.cache, logits: 1 }),
    await runtime.forward({ ids: next, tokens: grown, cache: joined, logits: 1 }),
  ];
  const fits =
    agrees(padded, 0, first.prompt) &&
    agrees(padded, 1, second.prompt) &&
    steps.every((each) => agrees(each, 0, first.step) && agrees(each, 1, second.step));
  return fits ? "padded" : "equal";
}

const NEXT = 5;

async function alone(
  runtime: Runtime,
  ids: readonly number[],
): Promise<{ prompt: RuntimeResult; step: RuntimeResult }> {
  const prompt = await runtime.forward({ ids: [ids], tokens: [ids.length], logits: 1 });
  // The vocabulary of the logits may be rounded up; that of the embeddings holds at least these few ids.
  const next = [[NEXT % prompt.logits.vocabulary]];
  const step = await runtime.forward({ ids: next, tokens: [ids.length + 1], cache: prompt.cache, logits: 1 });
  return { prompt, step };
}

const textOf = (length: number, row: number, vocabularySize: number): number[] =>
  Array.from({ length: Math.max(0, length) }, (_, i) => (7919 * (i + 1) + 104_729 * row + 3) % vocabularySize);

/** The largest difference; infinite where one is no number. */
function difference(a: Float32Array, b: Float32Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(apart)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, apart);
  }
  return most;
}
