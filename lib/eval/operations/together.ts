import type { LanguageModel } from "../../llm/index.js";
import { gatherCalls } from "../../rollouts/index.js";

/**
 * Do work on each item at the same time, so that what one item alone would ask of the model in small calls goes out in few large ones.
 * The first failure ends all of it, as does work that aborts its own call of the model, such as for a record that cannot be stored:
 * what the others ask for in the same call would hold it up.
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
  const fail = (error: unknown) => failure.abort({ error });
  const ending = (view: LanguageModel): LanguageModel => ({
    ...view,
    generate(requests, options) {
      const own = options?.signal;
      const stop = () => {
        if (!signal?.aborted) fail(own?.reason);
      };
      if (own?.aborted) stop();
      else own?.addEventListener("abort", stop, { once: true });
      return view.generate(requests, options);
    },
  });
  await Promise.all(items.map((item) => gatherer.run((view) => work(item, ending(view), ends)).catch(fail)));
  if (failure.signal.aborted) throw (failure.signal.reason as { error: unknown }).error;
}
