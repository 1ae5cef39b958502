import { badInput, interruptible, ThoughtbookError } from "../core/index.js";
import { type LanguageModel, requireCapability } from "../llm/index.js";
import type { SamplingOptions } from "../model/index.js";
import { askedModel, withUnseen } from "../operations/index.js";
import { openSandbox, type Sandbox } from "../sandbox/index.js";
import type { Problem } from "../tasks/index.js";
import type { Attempt, Call, Context, Strategy } from "./attempt.js";
import { type CallGatherer, gatherCalls } from "./gather-calls.js";

export interface AttemptOptions {
  model: LanguageModel;
  /** Seed of the random numbers, together with a problem's id. Default: 0. */
  seed?: number | string | undefined;
  /** Maximum new tokens of one call. Default: 256. */
  maxNewTokens?: number | undefined;
  /** Sampling options. Default: greedy. */
  sampling?: SamplingOptions | undefined;
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
  /** Where programs run, for several calls. Default: one of its own, which is closed at the end. */
  sandbox?: Sandbox | undefined;
  /** Aborts the work with an error. Attempts finished before were passed to `onAttempt`. */
  signal?: AbortSignal | undefined;
}

/** An attempt to make: a problem, and the index of the attempt at it. */
export interface AttemptPlace {
  problem: Problem;
  sample: number;
}

/**
 * Attempt problems with a strategy, all concurrently; what the attempts request at the same time goes to the model in
 * one call. An attempt depends only on the seed, its problem and its sample.
 *
 * @param onAttempt called with each attempt as soon as it is complete; an error or rejection of it ends everything
 * @returns the attempts in the order of `places`
 * @throws bad-input before any work if the model lacks what the strategy needs; interrupted; as the model and the strategy;
 *   pending, once all attempts are made that do not wait for answers of a batch
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { runAttempts } from "thoughtbook/rollouts";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const { problems } = await loadTask("word-problems:2", { limit: 2 });
 * const places = problems.map((problem) => ({ problem, sample: 0 }));
 * const attempts = await runAttempts(cot(), places, { model, maxNewTokens: 64 });
 * console.log(attempts.map(({ text }) => text));
 * ```
 */
export async function runAttempts(
  strategy: Strategy,
  places: readonly AttemptPlace[],
  options: AttemptOptions,
  onAttempt?: (attempt: Attempt, place: AttemptPlace) => unknown,
): Promise<Attempt[]> {
  const sandbox = options.sandbox ?? openProgramSandbox();
  try {
    return await attemptIn(sandbox, strategy, places, options, onAttempt);
  } finally {
    if (!options.sandbox) await sandbox.close();
  }
}

/** Wall time of a program that a model wrote, in ms: enough on a busy machine, so that results repeat. */
const PROGRAM_MS = 5000;

/** Open a sandbox for programs of attempts. It costs nothing until one runs; close it in the end. */
export const openProgramSandbox = (): Sandbox => openSandbox({ timeLimitMs: PROGRAM_MS });

async function attemptIn(
  sandbox: Sandbox,
  strategy: Strategy,
  places: readonly AttemptPlace[],
  options: AttemptOptions,
  onAttempt: ((attempt: Attempt, place: AttemptPlace) => unknown) | undefined,
): Promise<Attempt[]> {
  const problems = places.map(({ problem }) => problem);
  const runner = await attemptRunner(problems, { ...options, sandbox });
  await checkStrategy(strategy, runner.model, problems);
  const results = await Promise.allSettled(
    places.map(async (place) => {
      try {
        const attempt = await runner.attempt(strategy, place);
        await onAttempt?.(attempt, place);
        return attempt;
      } catch (error) {
        // An attempt that waits for answers of a batch does not keep the others from asking for theirs.
        if (!isPending(error)) runner.abort(error);
        throw error;
      }
    }),
  );
  runner.throwFailure();
  const waiting = results.find((result) => result.status === "rejected");
  if (waiting) throw waiting.reason;
  return results.map((result) => (result as PromiseFulfilledResult<Attempt>).value);
}

/** Makes attempts of any strategies one by one; those in progress at the same time share calls of the model. */
export interface AttemptRunner {
  /** The model as it is asked. */
  model: LanguageModel;
  /** Aborted by `abort`, and by the signal of the options. */
  signal: AbortSignal;
  attempt(strategy: Strategy, place: AttemptPlace): Promise<Attempt>;
  /** End everything in progress with an error. */
  abort(error: unknown): void;
  /** Throw the first error that `abort` was called with, if any: it is the cause of the others. */
  throwFailure(): void;
}

/**
 * Open a runner of attempts at problems, for searches that decide what to attempt by what came before; {@link runAttempts} is for
 * attempts that are known from the start. Whether a strategy suits the model and the problems is for `checkStrategy`.
 *
 * @param problems all that may be attempted: none of them is shown as a demonstration
 */
export async function attemptRunner(
  problems: readonly Problem[],
  options: AttemptOptions & { sandbox: Sandbox },
): Promise<AttemptRunner> {
  const { batchSize, sandbox } = options;
  const shown = async (model: LanguageModel) =>
    withUnseen(await askedModel(model, { signal: options.signal }), { problems });
  const model = await shown(options.model);
  const failure = new AbortController();
  const asked = interruptible(options.signal);
  const signal = AbortSignal.any([failure.signal, ...(asked ? [asked] : [])]);
  const gatherers = new Map<LanguageModel, CallGatherer>();
  const gathererOf = (own: LanguageModel) => {
    const known = gatherers.get(own) ?? gatherCalls(own, { batchSize, signal });
    gatherers.set(own, known);
    return known;
  };
  const others = new Map<LanguageModel, Promise<LanguageModel>>();
  const otherModel = (other: LanguageModel) => {
    const known = others.get(other) ?? shown(other);
    others.set(other, known);
    return known;
  };
  const work = { ...options, model, sandbox, signal, gathererOf, otherModel };
  return {
    model,
    signal,
    attempt: (strategy, place) => oneAttempt(strategy, place, work),
    abort: (error) => failure.abort(error),
    // Not `signal`: where a caller's signal has ended the work, the error of the work says so.
    throwFailure: () => {
      if (failure.signal.aborted) throw failure.signal.reason;
    },
  };
}

const isPending = (error: unknown): boolean => error instanceof ThoughtbookError && error.code === "pending";

/** Check that a strategy can be used with a model, and for problems. Throws bad-input with the reason. */
export async function checkStrategy(
  { name, needs = [], check, writesCode = false }: Strategy,
  model: LanguageModel,
  problems: readonly Problem[] = [],
): Promise<void> {
  const code = writesCode ? undefined : problems.find(({ kind }) => kind === "code");
  if (code) {
    throw badInput(
      `the strategy ${name} does not write functions, and ${code.id} asks for one`,
      "Choose the strategy program, or one of your own that declares writesCode.",
    );
  }
  for (const need of needs) requireCapability(model, need, `the strategy ${name}`);
  await check?.(model);
}

interface AttemptWork extends AttemptOptions {
  sandbox: Sandbox;
  signal: AbortSignal;
  gathererOf(model: LanguageModel): CallGatherer;
  otherModel(model: LanguageModel): Promise<LanguageModel>;
}

async function oneAttempt(
  strategy: Strategy,
  { problem, sample }: AttemptPlace,
  { model: own, seed = 0, maxNewTokens = 256, sampling = {}, sandbox, signal, gathererOf, otherModel }: AttemptWork,
): Promise<Attempt> {
  const calls: Call[] = [];
  const answer = await gathererOf(own).run(async (model) => {
    const as = (operation: string) => recordedModel(model, operation, calls);
    const context: Context = {
      problem,
      sample,
      model: as("generate"),
      as,
      async with(other) {
        const asked = await otherModel(other);
        return {
          ...context,
          as: (operation) => recordedModel(calledAlone(asked, gathererOf(asked), sample), operation, calls),
        };
      },
      seed,
      maxNewTokens,
      sampling,
      sandbox,
      signal,
    };
    return strategy.attempt(problem, context);
  }, sample);
  // A strategy may go on after a call that was refused: it has no completion.
  return { ...answer, problem: problem.id, sample, calls: calls.filter(({ completion }) => completion) };
}

/** Another model, of which each call is a job of its own, so that nothing waits for attempts that do not ask it. */
const calledAlone = (model: LanguageModel, gatherer: CallGatherer, sample: number): LanguageModel => ({
  ...model,
  generate: (requests, options) => gatherer.run((view) => view.generate(requests, options), sample),
});

/** The model, with its completions recorded in the order of the requests. */
function recordedModel(model: LanguageModel, operation: string, calls: Call[]): LanguageModel {
  return {
    ...model,
    async generate(requests, options) {
      const first = calls.length;
      const samples = requests.map((request) => request.samples ?? options?.samples ?? 1);
      // Reserve the places at once: concurrent calls end in any order.
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
