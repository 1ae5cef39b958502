import type { LanguageModel } from "../../llm/index.js";
import { gatherCalls } from "../../rollouts/index.js";

/**
 * Do work on each item at the same time, so that what one item alone would ask of the model in small calls goes out in few large ones.
 * The first failure ends all of it.
 *
 * @throws the first error of the work, after all of it has ended
 */
export async function together<Item>(
  model: LanguageModel,
  items: readonly Item[],
  { batchSize, signal }: { batchSize?: number | undefined; signal?: AbortSignal | undefined },
  work: (item: Item, model: LanguageModel, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const ends = AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]);
  const gatherer = gatherCalls(model, { batchSize, signal: ends });
  await Promise.all(
    items.map((item) =>
      gatherer.run((view) => work(item, view, ends)).catch((error: unknown) => failure.abort({ error })),
    ),
  );
  if (failure.signal.aborted) throw (failure.signal.reason as { error: unknown }).error;
}
