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
import type { Operation } from "./operation.js";
import { operationPrompt, type PromptFrame, type PromptStyle } from "./prompt.js";
import { requireSystemRole } from "./system-prompts.js";

export interface RunOperationOptions<Output = unknown> extends Omit<RequestOptions, "seed">, PromptFrame {
  /** Of the first attempt; greedy (0) unless told otherwise. */
  temperature?: number | undefined;
  /** Where the random numbers come from, together with an input's place and the operation's name. Default: 0. */
  seed?: number | string | undefined;
  /** A seed for each input instead, so that its texts do not depend on its place. */
  seeds?: readonly (number | string)[] | undefined;
  /** The most attempts for each sample. Default: 3. */
  attempts?: number | undefined;
  /** How the model is told what to do. Default: by the tag if it knows the operation, else in words. */
  style?: PromptStyle | undefined;
  /** The most texts in work at a time; the model's own choice unless told otherwise. */
  batchSize?: number | undefined;
  /** Ends the work with an error. What was finished before went to `onOutcome`. */
  signal?: AbortSignal | undefined;
  /** Called with each outcome as soon as it is final: keep it, so that nothing is lost when the work is interrupted. */
  onOutcome?: ((outcome: Outcome<Output>, place: RequestPlace) => void) | undefined;
}

/** The last attempt at a sample, and what all of them cost. */
export interface Attempted {
  /** What the model wrote last, without the prefill that it went on from. */
  text: string;
  /** How often the model was asked; 0 if the prompt did not fit. */
  attempts: number;
  /** Of all attempts together. */
  promptTokens: number;
  /** Of all attempts together. */
  completionTokens: number;
  finishReason: Completion["finishReason"];
  /** As in {@link Completion}. */
  serverReason?: string;
  /** As in {@link Completion}, of all attempts together: an estimate if one of them is. */
  countedBy?: CountedBy;
  /** Ids and log-probabilities of the last attempt, from models that give them. */
  tokens?: CompletionTokens;
}

/**
 * - unparseable: the text is not what was asked for
 * - cut-off: there was no room for the rest of it
 * - too-long: the prompt alone does not fit the model's context
 */
export type OperationFailure = "unparseable" | "cut-off" | "too-long";

/** What became of one sample: a value, or a failure, which equals nothing. */
export type Outcome<Output> = Attempted &
  ({ ok: true; value: Output } | { ok: false; failure: OperationFailure; reason: string });

const ATTEMPTS = 3;
/** The least temperature of later attempts: what failed greedily would fail again. */
const RETRY_TEMPERATURE = 0.7;

/** A sample that has no final outcome yet, and what its attempts have cost. */
interface Pending extends RequestPlace {
  attempts: number;
  promptTokens: number;
  completionTokens: number;
  countedBy: CountedBy | undefined;
}

/**
 * Have a model do an operation on all inputs at once; one list of samples for each input. Those that cannot be read are
 * tried again in the next round, each with random numbers of its own, so the outcome of an input depends on its seed alone.
 *
 * A prefill counts as the beginning of what the model wrote.
 *
 * @throws bad-input before any work; interrupted, execution
 */
export async function runOperation<Input, Output>(
  model: LanguageModel,
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
    signal: given,
    onOutcome,
    ...request
  } = options;
  const signal = interruptible(given);
  checkOptions(mostAttempts, samples, seeds, inputs.length);
  const seedOf = (input: number) => seeds?.[input] ?? `${seed}/${operation.name}/${input}`;
  if (system !== undefined) await requireSystemRole(model);
  const prompts = inputs.map((input) => operationPrompt(model, operation, input, style, { system, prefill }));
  const outcomes: Outcome<Output>[][] = inputs.map(() => []);
  const finish = (outcome: Outcome<Output>, { request: input, sample }: RequestPlace) => {
    outcomes[input]![sample] = outcome;
    onOutcome?.(outcome, { request: input, sample });
  };

  /** Ask for all requests; `pendingOf` says whose text it is. */
  const round = async (requests: readonly TextRequest[], pendingOf: (place: RequestPlace) => Pending) => {
    const failed: Pending[] = [];
    await model.generate(requests, {
      ...request,
      batchSize,
      signal,
      onFinish(completion, place) {
        const pending = pendingOf(place);
        const said = `${prefill ?? ""}${completion.text}`;
        const read = operation.parse(said, inputs[pending.request]!, isWholeText(completion));
        const { outcome, spent } = readAttempt(completion, read, pending);
        if (outcome.ok || spent.attempts >= mostAttempts) finish(outcome, pending);
        else failed.push(spent);
      },
    });
    return failed.sort((a, b) => a.request - b.request || a.sample - b.sample);
  };

  // At once: a model behind a server is asked for several at a time.
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

/** The outcome of an attempt if it is the last one, and where the sample stands if it is not. */
function readAttempt<Output>(
  { text, finishReason, serverReason, tokens, promptTokens, completionTokens, countedBy: counted }: Completion,
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

/** A promise that is awaited later, which Node does not foresee when it fails before. */
function noted<T>(promise: Promise<T>): { settled: Promise<T> } {
  promise.catch(() => {});
  return { settled: promise };
}

/** The outcome of a prompt that leaves no room for a text; undefined if it does, or if nobody can tell. */
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
