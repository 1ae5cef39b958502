import { isTokenModel, type LanguageModel, type Prompt } from "../../llm/index.js";
import { THOUGHT_TAGS, type ThoughtTags } from "../chains/tags.js";

/** Tags around thought and solution in the text of a path; unlike those of a training text they may be empty. */
export type PathTags = ThoughtTags;

/** As the operation `think` writes a thought. */
export const THINK_TAGS: PathTags = {
  thoughtBegin: "<think>\n",
  thoughtEnd: "\n</think>\n",
  solutionBegin: "",
  solutionEnd: "",
};

/** Tags that A*-Thought's code chooses by the name or path of the validator. */
export function releasedTags(validator: string): PathTags {
  if (validator.includes("Bespoke-Stratos")) return THOUGHT_TAGS;
  if (validator.includes("s1")) {
    return {
      thoughtBegin: "<|im_start|>think",
      thoughtEnd: "",
      solutionBegin: "<|im_start|>answer",
      solutionEnd: "",
    };
  }
  return { thoughtBegin: "<think>", thoughtEnd: "</think>", solutionBegin: "", solutionEnd: "" };
}

/**
 * Encode texts that continue others, each by itself: joined, their ids have boundaries where the texts do. If the
 * model's tokenizer is not accessible, the ids are obtained by scoring each text after the prompt.
 *
 * @throws like `score` of the model
 */
export async function encodeParts(
  model: LanguageModel,
  prompt: Prompt,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<(readonly number[])[]> {
  const tokenizer = isTokenModel(model) ? model.tokenizer : undefined;
  if (tokenizer) return texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false, continues: true }));
  const asked = [...new Set(texts)].filter((text) => text !== "");
  const scores = await model.score(
    asked.map((continuation) => ({ prompt, continuation })),
    { signal },
  );
  const ids = new Map(asked.map((text, at) => [text, scores[at]!.ids]));
  return texts.map((text) => ids.get(text) ?? []);
}

/** Number of tokens that fit after a prompt; undefined where it is unknown. */
export async function roomAfter(model: LanguageModel, prompt: Prompt): Promise<number | undefined> {
  const { contextLength, capabilities } = model;
  if (contextLength === undefined || !capabilities.has("countTokens")) return undefined;
  return contextLength - (await model.countTokens(prompt));
}
