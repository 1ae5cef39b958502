import * as z from "zod";
import type { Completion } from "../language-model.js";
import type { TokenCount } from "./budget.js";
import { brokenAnswer } from "./fault.js";
import type { WireRequest } from "./request.js";

/** What an answer says, in whole or in pieces, by whichever endpoint. */
export interface Answer {
  choices: Choice[];
  usage: TokenCount;
}

export interface Choice {
  index: number;
  text: string;
  finishReason: string;
  promptIds: readonly number[] | undefined;
  ids: readonly number[] | undefined;
  logProbs: readonly number[] | undefined;
}

const IDS = z.array(z.number().int().nonnegative()).nullish();
const COUNT = z.number().int().nonnegative();
const USAGE = z.object({ prompt_tokens: COUNT, completion_tokens: COUNT.nullish() }).nullish();
const LOG_PROBS = z
  .object({
    token_logprobs: z.array(z.number().nullable()).nullish(),
    content: z.array(z.object({ logprob: z.number() })).nullish(),
  })
  .nullish();
const CONTENT = z.object({ content: z.string().nullish() }).nullish();

/** One shape for completions (`text`), conversations (`message`) and the pieces of these (`delta`). */
const CHOICE = z.object({
  index: COUNT.optional(),
  text: z.string().nullish(),
  message: CONTENT,
  delta: CONTENT,
  finish_reason: z.string().nullish(),
  logprobs: LOG_PROBS,
  token_ids: IDS,
  prompt_token_ids: IDS,
});
const ANSWER = z.object({ choices: z.array(CHOICE), usage: USAGE, prompt_token_ids: IDS });

/** A piece of an answer, as an event of a stream has it. */
export type Piece = z.infer<typeof ANSWER>;

/** @throws corrupt-data */
export function readPiece(value: unknown): Piece {
  const result = ANSWER.safeParse(value);
  if (result.success) return result.data;
  const { path } = result.error.issues[0]!;
  throw brokenAnswer(`an answer with a wrong ${path.join(".") || "shape"}`);
}

/** A whole answer. Throws corrupt-data. */
export function readAnswer(value: unknown): Answer {
  const { choices, usage, prompt_token_ids } = readPiece(value);
  return {
    choices: choices.map((choice, place) => {
      const text = choice.text ?? choice.message?.content;
      if (choice.text === undefined && !choice.message) throw brokenAnswer("an answer without text");
      return {
        // By its place: there are servers that number all of them 0.
        index: place,
        text: text ?? "",
        finishReason: checkFinish(choice.finish_reason),
        promptIds: choice.prompt_token_ids ?? prompt_token_ids ?? undefined,
        ids: choice.token_ids ?? undefined,
        logProbs: choice.logprobs ? logProbsOf(choice.logprobs) : undefined,
      };
    }),
    usage: readUsage(usage),
  };
}

/** @throws corrupt-data */
export function readUsage(usage: Piece["usage"]): TokenCount {
  if (usage) return { prompt: usage.prompt_tokens, completion: usage.completion_tokens ?? 0 };
  throw brokenAnswer("an answer without the number of its tokens (usage)");
}

/** @throws corrupt-data */
export function checkFinish(reason: string | null | undefined): string {
  if (reason && reason !== "abort" && reason !== "error") return reason;
  throw brokenAnswer("an answer that has no end");
}

export function logProbsOf({ token_logprobs, content }: NonNullable<z.infer<typeof LOG_PROBS>>): number[] {
  if (content) return content.map(({ logprob }) => logprob);
  return (token_logprobs ?? []).map((each) => {
    if (each === null) throw brokenAnswer("an answer with a token without its log-probability");
    return each;
  });
}

/**
 * The texts of an answer as completions by their index, for indices below `count`: what a server sends beyond is dropped.
 *
 * @param tokenIds whether the server said that it gives these
 * @throws corrupt-data: no text at all, or none of the ids
 */
export function completionsOf(
  answer: Answer,
  count: number,
  { tokenIds, prompt }: { tokenIds: boolean; prompt: WireRequest["body"]["prompt"] },
): Map<number, Completion> {
  const { usage } = answer;
  const choices = answer.choices.filter(({ index }) => index < count);
  if (choices.length === 0) throw brokenAnswer("an answer without choices");
  const lengths = shares(answer.choices, usage.completion);
  return new Map(choices.map((choice) => [choice.index, completionOf(choice)]));

  function completionOf(choice: Choice): Completion {
    const { text, finishReason, ids, logProbs } = choice;
    const completion: Completion = {
      text,
      finishReason: finishReason === "length" ? "length" : "stop",
      promptTokens: usage.prompt,
      completionTokens: ids?.length ?? lengths.get(choice)!,
    };
    if (!tokenIds) return completion;
    const promptIds = choice.promptIds ?? (Array.isArray(prompt) ? (prompt as number[]) : undefined);
    if (!ids || !promptIds || logProbs?.length !== ids.length) {
      throw brokenAnswer("an answer without the ids and log-probabilities of its tokens (vLLM gives them from 0.10.2)");
    }
    return { ...completion, tokens: { promptIds, completionIds: ids, logProbs } };
  }
}

/**
 * Tokens of each text where only their sum is known: exact for one text, else by the length of the texts, rounded so that
 * the sum is right.
 */
function shares(choices: readonly Choice[], total: number): Map<Choice, number> {
  const sizes = choices.map(({ text }) => text.length + 1);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  let given = 0;
  return new Map(
    choices.map((choice, i) => {
      before += sizes[i]!;
      const share = Math.round((total * before) / all) - given;
      given += share;
      return [choice, share];
    }),
  );
}
