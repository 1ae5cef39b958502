import { sum } from "../../core/index.js";
import type { CountedBy, Prompt } from "../language-model.js";
import type { Answer, AnswerCount } from "./answer.js";

/** Counts a prompt, or a text that continues one (`begins` false); undefined where nobody can. */
export type Counter = (text: Prompt, begins: boolean) => Promise<number | undefined>;

/**
 * Count the tokens of prompt and texts: by their ids, else as the server reports (`usage`), else by its tokenizer, else
 * by an estimate. Servers that do not count report nothing, or 0.
 */
export async function countAnswer({ choices, usage }: Answer, prompt: Prompt, count: Counter): Promise<AnswerCount> {
  let countedBy: CountedBy | undefined;
  const countOne = async (text: Prompt, begins: boolean) => {
    const counted = await count(text, begins);
    if (counted === undefined) countedBy = "estimate";
    else countedBy ??= "tokenizer";
    return counted ?? estimateTokens(text);
  };
  const promptTokens = choices[0]?.promptIds?.length ?? (usage.prompt || (await countOne(prompt, true)));
  const isSilent = !usage.completion && choices.some(({ text }) => text !== "");
  const completion = isSilent ? undefined : usage.completion;
  const parts = completion === undefined ? undefined : shares(choices, completion);
  const completions: number[] = [];
  for (const [i, { ids, text }] of choices.entries()) {
    completions.push(ids?.length ?? parts?.[i] ?? (text === "" ? 0 : await countOne(text, false)));
  }
  const all = completion ?? sum(completions);
  const estimated = countedBy === "estimate";
  return { taken: { prompt: promptTokens, completion: all, estimated }, completions, countedBy };
}

/**
 * Tokens of each text where only their sum is known: exact for one text, else by the length of the texts, rounded so that
 * the sum is right.
 */
function shares(choices: Answer["choices"], total: number): number[] {
  const sizes = choices.map(({ text }) => text.length + 1);
  const all = sum(sizes);
  let before = 0;
  let given = 0;
  return sizes.map((size) => {
    before += size;
    const share = Math.round((total * before) / all) - given;
    given += share;
    return share;
  });
}

/** Bytes of a token of the usual vocabularies, and tokens that a chat template adds to a message. */
const [BYTES, MESSAGE] = [4, 4];

/** Typical number of tokens of a prompt. */
function estimateTokens(prompt: Prompt): number {
  if (typeof prompt === "string") return Math.ceil(Buffer.byteLength(prompt) / BYTES);
  if ("ids" in prompt) return prompt.ids.length;
  if ("embeddings" in prompt) return prompt.embeddings.shape[0]!;
  const contents = [...prompt.messages.map(({ content }) => content), ...(prompt.answer ? [prompt.answer] : [])];
  return contents.reduce((sum, content) => sum + Math.ceil(Buffer.byteLength(content) / BYTES) + MESSAGE, 0);
}
