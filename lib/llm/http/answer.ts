import * as z from "zod";
import type { Completion, CountedBy } from "../language-model.js";
import type { TokenCount } from "./budget.js";
import { brokenAnswer, ReportedError, wrongAnswer } from "./fault.js";
import { type Finish, finishOf } from "./finish.js";
import type { WireRequest } from "./request.js";

/** Content of an answer, complete or in pieces, from either endpoint. */
export interface Answer {
  choices: Choice[];
  usage: Usage;
}

/** Token counts that a server reports for an answer; many leave them out. */
export interface Usage {
  prompt: number | undefined;
  completion: number | undefined;
}

/** Tokens of an answer. */
export interface AnswerCount {
  /** Tokens of the prompt and all texts together. */
  taken: TokenCount;
  /** Tokens of each text, in the order of the answer. */
  completions: readonly number[];
  /** Undefined where the server did not say. */
  countedBy: CountedBy | undefined;
}

export interface Choice extends Finish {
  index: number;
  text: string;
  promptIds: readonly number[] | undefined;
  ids: readonly number[] | undefined;
  logProbs: readonly number[] | undefined;
}

// Optional fields are used where they have the right form, and ignored otherwise.
const COUNT = z.number().int().nonnegative();
const IDS = z.array(COUNT).nullish().catch(undefined);
const TOLD_COUNT = COUNT.nullish().catch(undefined);
const USAGE = z.object({ prompt_tokens: TOLD_COUNT, completion_tokens: TOLD_COUNT }).nullish().catch(undefined);
const LOG_PROBS = z
  .object({
    token_logprobs: z.array(z.number().nullable()).nullish(),
    content: z.array(z.object({ logprob: z.number().nullable() })).nullish(),
  })
  .nullish()
  .catch(undefined);
/** A text, or parts of which some are texts. */
const TEXT = z.union([z.string(), z.array(z.looseObject({ text: z.string().nullish().catch(undefined) }))]).nullish();
const CONTENT = z.object({ content: TEXT }).nullish();

/** One shape for completions (`text`), conversations (`message`) and the pieces of these (`delta`). */
const CHOICE = z.object({
  index: COUNT.nullish().catch(undefined),
  text: z.string().nullish(),
  message: CONTENT,
  delta: CONTENT,
  finish_reason: z.unknown().optional(),
  error: z.unknown().optional(),
  logprobs: LOG_PROBS,
  token_ids: IDS,
  prompt_token_ids: IDS,
});
const ANSWER = z.object({
  choices: z.array(CHOICE.nullable()).nullish(),
  usage: USAGE,
  prompt_token_ids: IDS,
  error: z.unknown().optional(),
});

/** A piece of an answer, as an event of a stream has it. */
export interface Piece {
  choices: PieceChoice[];
  usage: Usage;
  promptIds: readonly number[] | undefined;
}

type PieceChoice = z.infer<typeof CHOICE>;

/** No token counts. */
export const NO_USAGE: Usage = { prompt: undefined, completion: undefined };

/**
 * Read a piece of an answer; one without choices is empty.
 *
 * @throws corrupt-data, ReportedError (the server reports an error in place of a text)
 */
export function readPiece(value: unknown): Piece {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw brokenAnswer("an answer with a wrong shape");
  }
  if ("object" in value && value.object === "error") throw new ReportedError(value);
  const result = ANSWER.safeParse(value);
  if (!result.success) throw wrongAnswer(`an answer with a wrong ${result.error.issues[0]!.path.join(".")}`);
  const { choices, usage, prompt_token_ids, error } = result.data;
  // The text beside the message of a plain error is its kind.
  if (isError(error)) throw new ReportedError(typeof error === "string" ? { ...value, message: error } : error);
  const there = (choices ?? []).filter((choice) => choice !== null);
  const failed = there.find((choice) => isError(choice.error));
  if (failed) throw new ReportedError(failed.error);
  return {
    choices: there,
    usage: { prompt: usage?.prompt_tokens ?? undefined, completion: usage?.completion_tokens ?? undefined },
    promptIds: prompt_token_ids ?? undefined,
  };
}

const isError = (error: unknown): boolean =>
  Boolean(error) && !(typeof error === "object" && Object.keys(error!).length === 0);

/** A whole answer. Throws corrupt-data, ReportedError. */
export function readAnswer(value: unknown): Answer {
  const { choices, usage, promptIds } = readPiece(value);
  return {
    choices: choices.map((choice, place) => {
      const finish = finishOf(choice.finish_reason);
      const mayLackText = finish.finishReason !== "stop" && finish.finishReason !== "length";
      const lacksText = [choice.text, choice.message, choice.delta].every((each) => each === undefined);
      if (lacksText && !(mayLackText && choice.finish_reason)) throw wrongAnswer("an answer without text");
      return {
        // By its place: there are servers that number all of them 0.
        index: place,
        text: textOf(choice),
        ...finish,
        promptIds: choice.prompt_token_ids ?? promptIds,
        ids: choice.token_ids ?? undefined,
        logProbs: choice.logprobs ? logProbsOf(choice.logprobs) : undefined,
      };
    }),
    usage,
  };
}

/** The text of a choice, or the piece of it that it brings. */
export function textOf({ text, delta, message }: PieceChoice): string {
  if (text) return text;
  const content = delta?.content || message?.content || "";
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
}

/** NaN for a token without one. */
export function logProbsOf({ token_logprobs, content }: NonNullable<z.infer<typeof LOG_PROBS>>): number[] {
  if (content) return content.map(({ logprob }) => logprob ?? Number.NaN);
  return (token_logprobs ?? []).map((each) => each ?? Number.NaN);
}

/**
 * The texts of an answer as completions by their index, for indices below `count`: what a server sends beyond is dropped.
 *
 * @param tokenIds whether the server said that it gives these
 * @param limit the most tokens of a text
 * @throws corrupt-data: no text at all, or none of the ids
 */
export function completionsOf(
  { choices }: Answer,
  { taken, completions, countedBy }: AnswerCount,
  count: number,
  { tokenIds, prompt, limit }: { tokenIds: boolean; prompt: WireRequest["body"]["prompt"]; limit: number },
): Map<number, Completion> {
  const wanted = [...choices.entries()].filter(([, { index }]) => index < count);
  if (wanted.length === 0) throw brokenAnswer("an answer without choices");
  return new Map(wanted.map(([place, choice]) => [choice.index, completionOf(choice, completions[place]!)]));

  function completionOf(choice: Choice, completionTokens: number): Completion {
    const { text, ids, logProbs } = choice;
    const { finishReason, serverReason } = choice;
    // Without a word for its end, a text that is as long as it may be was cut.
    const isCut = serverReason === "" && countedBy === undefined && completionTokens >= limit;
    const completion: Completion = {
      text,
      ...(isCut
        ? { finishReason: "length" }
        : { finishReason, ...(serverReason === undefined ? {} : { serverReason }) }),
      promptTokens: taken.prompt,
      completionTokens,
      ...(countedBy ? { countedBy } : {}),
    };
    if (!tokenIds) return completion;
    const promptIds = choice.promptIds ?? (Array.isArray(prompt) ? (prompt as number[]) : undefined);
    if (!ids || !promptIds || logProbs?.length !== ids.length) {
      throw wrongAnswer("an answer without the ids and log-probabilities of its tokens (vLLM gives them from 0.10.2)");
    }
    if (logProbs.some(Number.isNaN)) throw wrongAnswer("an answer with a token without its log-probability");
    return { ...completion, tokens: { promptIds, completionIds: ids, logProbs } };
  }
}
