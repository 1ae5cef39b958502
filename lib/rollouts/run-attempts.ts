import { interruptible } from "../core/index.js";
import { type LanguageModel, requireCapability } from "../llm/index.js";
import type { SamplingOptions } from "../model/index.js";
import type { Problem } from "../tasks/index.js";
import type { Attempt, Call, Context, Strategy } from "./attempt.js";
import { type CallGatherer, gatherCalls } from "./gather-calls.js";

export interface AttemptOptions {
  model: LanguageModel;
  /** Where the random numbers come from, together with a problem's id. Default: 0. */
  seed?: number | string | undefined;
  /** The most new tokens of one call. Default: 256. */
  maxNewTokens?: number | undefined;
  /** How the next token is chosen. Default: greedily. */
  sampling?: SamplingOptions | undefined;
  /** The most texts in work at a time; the model's own choice unless told otherwise. */
  batchSize?: number | undefined;
  /** Ends the work with an error. What was finished before went to `onAttempt`. */
  signal?: AbortSignal | undefined;
}

/** An attempt to make: a problem, and which of the attempts at it. */
export interface AttemptPlace {
  problem: Problem;
  sample: number;
}

/**
 * Attempt problems with a strategy, all side by side; what the attempts ask at the same time goes to the model in one call.
 * An attempt depends on the seed, its problem and its sample alone.
 *
 * @param onAttempt told of each attempt as soon as it is complete; what it throws, or its promise rejects with, ends all
 * @returns the attempts in the order of their places
 * @throws bad-input before any work if the model lacks what the strategy needs; interrupted; as the model and the strategy
 */
export async function runAttempts(
  strategy: Strategy,
  places: readonly AttemptPlace[],
  options: AttemptOptions,
  onAttempt?: (attempt: Attempt, place: AttemptPlace) => unknown,
): Promise<Attempt[]> {
  const { model, batchSize } = options;
  await checkStrategy(strategy, model);
  const failure = new AbortController();
  const asked = interruptible(options.signal);
  const signal = AbortSignal.any([failure.signal, ...(asked ? [asked] : [])]);
  const gatherer = gatherCalls(model, { batchSize, signal });
  const results = await Promise.allSettled(
    places.map(async (place) => {
      try {
        const attempt = await oneAttempt(strategy, place, { ...options, signal }, gatherer);
        await onAttempt?.(attempt, place);
        return attempt;
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }),
  );
  // The first failure is the cause of the others.
  if (failure.signal.aborted) throw failure.signal.reason;
  return results.map((result) => (result as PromiseFulfilledResult<Attempt>).value);
}

/** Check that a strategy can be used with a model. Throws bad-input that says why not. */
export async function checkStrategy({ name, needs = [], check }: Strategy, model: LanguageModel): Promise<void> {
  for (const need of needs) requireCapability(model, need, `the strategy ${name}`);
  await check?.(model);
}

async function oneAttempt(
  strategy: Strategy,
  { problem, sample }: AttemptPlace,
  { seed = 0, maxNewTokens = 256, sampling = {}, signal }: AttemptOptions & { signal: AbortSignal },
  gatherer: CallGatherer,
): Promise<Attempt> {
  const calls: Call[] = [];
  const answer = await gatherer.run(async (model) => {
    const as = (operation: string) => recordedModel(model, operation, calls);
    const context: Context = { problem, sample, model: as("generate"), as, seed, maxNewTokens, sampling, signal };
    return strategy.attempt(problem, context);
  }, sample);
  return { ...answer, problem: problem.id, sample, calls };
}

/** The model, whose completions are written down, in the order in which they are asked for. */
function recordedModel(model: LanguageModel, operation: string, calls: Call[]): LanguageModel {
  return {
    ...model,
    async generate(requests, options) {
      const first = calls.length;
      const samples = requests.map((request) => request.samples ?? options?.samples ?? 1);
      // Places are taken at once: calls side by side end in any order.
      const places = requests.flatMap((request, at) =>
        Array.from({ length: samples[at]! }, () => ({ operation, prompt: request.prompt })),
      );
      calls.push(...(places as Call[]));
      const results = await model.generate(requests, options);
      for (const [at, completion] of results.flat().entries()) calls[first + at] = { ...places[at]!, completion };
      return results;
    },
  };
}
