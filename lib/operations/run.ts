import type { Result } from "../answer/index.js";
import { checkWhole, interruptible, mapInTurns, ThoughtbookError } from "../core/index.js";
import {
  type Completion,
  type CompletionTokens,
  type CountedBy,
  isWholeText,
  type LanguageModel,
  type Prompt,
  type RequestPlace,
  type TextRequest,
} from "../llm/index.js";
import type { RequestOptions } from "../model/index.js";
import { askedModel } from "./asking/asked-model.js";
import type { Operation } from "./operation.js";
import { askedWay, operationPrompt, type PromptFrame, type PromptStyle } from "./prompt.js";
import { requireSystemRole } from "./system-prompts.js";

export interface RunOperationOptions<Output = unknown> extends Omit<RequestOptions, "seed">, PromptFrame {
  /** Temperature of the first attempt. Default: 0, greedy. */
  temperature?: number | undefined;
  /** Seed of the random numbers, together with an input's index and the operation's name. Default: 0. */
  seed?: number | string | undefined;
  /** One seed per input instead, so that its texts do not depend on its index. */
  seeds?: readonly (number | string)[] | undefined;
  /** Maximum attempts per sample. Default: 3. */
  attempts?: number | undefined;
  /** How the model is told what to do. Default: by the tag if it knows the operation, else in words. */
  style?: PromptStyle | undefined;
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
  /** Aborts the work with an error. What was finished before went to `onOutcome`. */
  signal?: AbortSignal | undefined;
  /**
   * Called with each outcome as soon as it is final: store it there, so that nothing is lost when the work is
   * interrupted.
   */
  onOutcome?: ((outcome: Outcome<Output>, place: RequestPlace) => void) | undefined;
}

/** The last attempt at a sample, and the cost of all attempts. */
export interface Attempted {
  /** The model's last text, without the beginning that it continues. */
  text: string;
  /** What the text was begun with by the model's way of asking; nobody's words, and none of the new tokens. */
  begun?: string;
  /** Number of attempts; 0 if the prompt did not fit. */
  attempts: number;
  /** Prompt tokens of all attempts together. */
  promptTokens: number;
  /** New tokens of all attempts together. */
  completionTokens: number;
  finishReason: Completion["finishReason"];
  /** As in {@link Completion}. */
  serverReason?: string;
  /** As in {@link Completion}, over all attempts: an estimate if one of them is. */
  countedBy?: CountedBy;
  /** Ids and log-probabilities of the last attempt, for models that return them. */
  tokens?: CompletionTokens;
}

/**
 * - unparseable: the text is not what was asked for
 * - cut-off: there was no room for the rest of it
 * - too-long: the prompt alone does not fit the model's context
 */
export type OperationFailure = "unparseable" | "cut-off" | "too-long";

/** Outcome of one sample: a value, or a failure, which equals nothing. */
export type Outcome<Output> = Attempted &
  ({ ok: true; value: Output } | { ok: false; failure: OperationFailure; reason: string });

const ATTEMPTS = 3;
/** The least temperature of later attempts: what failed greedily would fail again. */
const RETRY_TEMPERATURE = 0.7;

/** A sample without a final outcome yet, and the cost of its attempts. */
interface Pending extends RequestPlace {
  attempts: number;
  promptTokens: number;
  completionTokens: number;
  countedBy: CountedBy | undefined;
}

/**
 * Run an operation on all inputs at once; returns one list of samples per input. Outputs that cannot be parsed are
 * tried again in the next round, each with random numbers of its own, so the outcome of an input depends on its seed
 * alone.
 *
 * A model is asked as the table of ways of asking says of its kind; see `askedModel`. A prefill counts as the beginning of
 * the model's output, as does what its way of asking begins.
 *
 * @throws bad-input before any work; interrupted, execution
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { OPERATIONS, runOperation } from "thoughtbook/operations";
 *
 * const model = await loadModel("mini");
 * const question = "Ana picks 3 apples. Ben picks 4 more apples than Ana. How many apples does Ben pick?";
 * const [[outcome] = []] = await runOperation(model, OPERATIONS.cot, [{ question }]);
 * console.log(outcome?.ok && outcome.value.answer); // 7
 * ```
 */
export async function runOperation<Input, Output>(
  given: LanguageModel,
  operation: Operation<Input, Output>,
  inputs: readonly Input[],
  options: RunOperationOptions<Output> = {},
): Promise<Outcome<Output>[][]> {
  const {
    seed = 0,
    seeds,
    attempts: mostAttempts = ATTEMPTS,
    temperature = 0,
    samples = 1,
    style,
    system,
    prefill,
    batchSize,
    signal: interruption,
    onOutcome,
    stopStrings: askedStops = [],
    ...request
  } = options;
  const signal = interruptible(interruption);
  checkOptions(mostAttempts, samples, seeds, inputs.length);
  const seedOf = (input: number) => seeds?.[input] ?? `${seed}/${operation.name}/${input}`;
  const model = await askedModel(given, { signal });
  if (system !== undefined) await requireSystemRole(model);
  const way = askedWay(model, operation, style);
  const begun = prefill === undefined ? way?.begin : undefined;
  const stopStrings = [...askedStops, ...(way?.stop ?? [])];
  const prompts = inputs.map((input) => operationPrompt(model, operation, input, style, { system, prefill }));
  const outcomes: Outcome<Output>[][] = inputs.map(() => []);
  const finish = (outcome: Outcome<Output>, { request: input, sample }: RequestPlace) => {
    outcomes[input]![sample] = outcome;
    onOutcome?.(outcome, { request: input, sample });
  };

  /** Generate for all requests; `pendingOf` says which sample a text belongs to. */
  const round = async (requests: readonly TextRequest[], pendingOf: (place: RequestPlace) => Pending) => {
    const failed: Pending[] = [];
    await model.generate(requests, {
      ...request,
      ...(stopStrings.length > 0 ? { stopStrings } : {}),
      batchSize,
      signal,
      onFinish(completion, place) {
        const pending = pendingOf(place);
        const said = `${prefill ?? begun ?? ""}${completion.text}`;
        const read = operation.parse(said, inputs[pending.request]!, isWholeText(completion));
        const { outcome, spent } = readAttempt(completion, begun, read, pending);
        if (outcome.ok || spent.attempts >= mostAttempts) finish(outcome, pending);
        else failed.push(spent);
      },
    });
    return failed.sort((a, b) => a.request - b.request || a.sample - b.sample);
  };

  // Do not wait: a server can handle several requests at a time.
  const asked = await mapInTurns(prompts, (prompt) => noted(lengthBeyond(model, prompt, signal)), signal);
  const lengths = await Promise.all(asked.map(({ settled }) => settled));
  const fitting: number[] = [];
  for (const [input, tooLong] of lengths.entries()) {
    if (tooLong === undefined) fitting.push(input);
    else for (let sample = 0; sample < samples; sample++) finish(tooLong, { request: input, sample });
  }
  const first = fitting.map((input) => ({ prompt: prompts[input]!, seed: seedOf(input), temperature, samples }));
  let pending =
    first.length === 0
      ? []
      : await round(first, ({ request: at, sample }) => ({
          request: fitting[at]!,
          sample,
          attempts: 0,
          promptTokens: 0,
          completionTokens: 0,
          countedBy: undefined,
        }));
  while (pending.length > 0) {
    const waiting = pending;
    const again = waiting.map(({ request: input, sample, attempts }) => ({
      prompt: prompts[input]!,
      seed: `${seedOf(input)}/attempt ${attempts}/sample ${sample}`,
      temperature: Math.max(temperature, RETRY_TEMPERATURE),
      samples: 1,
    }));
    pending = await round(again, ({ request: at }) => waiting[at]!);
  }
  return outcomes;
}

/** The outcome of an attempt if it is the last one, else the updated state of the sample. */
function readAttempt<Output>(
  { text, finishReason, serverReason, tokens, promptTokens, completionTokens, countedBy: counted }: Completion,
  begun: string | undefined,
  read: Result<Output>,
  before: Pending,
): { outcome: Outcome<Output>; spent: Pending } {
  const cost = {
    attempts: before.attempts + 1,
    promptTokens: before.promptTokens + promptTokens,
    completionTokens: before.completionTokens + completionTokens,
  };
  const countedBy = before.countedBy === "estimate" ? "estimate" : (counted ?? before.countedBy);
  const attempted = {
    text,
    ...(begun ? { begun } : {}),
    ...cost,
    finishReason,
    ...(serverReason === undefined ? {} : { serverReason }),
    ...(countedBy ? { countedBy } : {}),
    ...(tokens ? { tokens } : {}),
  };
  const failure = finishReason === "length" ? "cut-off" : "unparseable";
  const ended =
    finishReason === "stop" || finishReason === "length" ? "" : ` (ended by ${serverReason || finishReason})`;
  return {
    outcome: read.ok
      ? { ...attempted, ...read }
      : { ...attempted, ok: false, failure, reason: `${read.reason}${ended}` },
    spent: { request: before.request, sample: before.sample, ...cost, countedBy },
  };
}

/** Marks a promise that is awaited later as handled, in case it is rejected before. */
function noted<T>(promise: Promise<T>): { settled: Promise<T> } {
  promise.catch(() => {});
  return { settled: promise };
}

/** The outcome of a prompt that leaves no room for a text; undefined if it does, or if that is unknown. */
async function lengthBeyond(
  model: LanguageModel,
  prompt: Prompt,
  signal: AbortSignal | undefined,
): Promise<Outcome<never> | undefined> {
  const { contextLength, capabilities } = model;
  if (contextLength === undefined || !capabilities.has("countTokens")) return undefined;
  const tokens = await model.countTokens(prompt, { signal });
  if (tokens < contextLength) return undefined;
  return {
    ok: false,
    failure: "too-long",
    reason: `the prompt has ${tokens} tokens, the context ${contextLength}`,
    text: "",
    attempts: 0,
    promptTokens: 0,
    completionTokens: 0,
    finishReason: "length",
  };
}

function checkOptions(
  attempts: number,
  samples: number,
  seeds: readonly (number | string)[] | undefined,
  inputs: number,
): void {
  checkWhole("attempts", attempts, 1);
  checkWhole("samples", samples, 1);
  if (seeds === undefined || seeds.length === inputs) return;
  throw new ThoughtbookError("bad-input", `there are ${seeds.length} seeds for ${inputs} inputs`, {
    hint: "Give one seed for each input, or `seed` for all.",
  });
}
