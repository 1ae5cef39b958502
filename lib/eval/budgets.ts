import { isTokenModel, type LanguageModel } from "../llm/index.js";
import { type Tokenizer, textAfter } from "../model/index.js";
import type { Answered } from "./answerers.js";

/** The tokenizer of a model that tells the ids of its texts; with others a text cannot be cut to a smaller budget. */
export const cuttingTokenizer = (model: LanguageModel): Tokenizer | undefined =>
  isTokenModel(model) && model.capabilities.has("tokenIds") ? model.tokenizer : undefined;

/**
 * What the model would have written with a smaller budget. Tokens are drawn one after another from random numbers that
 * do not depend on the budget, so that is the beginning of the same text; cut off, it has no final answer.
 */
export function cutToBudget(answered: Answered, budget: number, tokenizer: Tokenizer): Answered {
  const { tokens } = answered;
  if (!tokens || tokens.completionIds.length <= budget) return answered;
  const completionIds = tokens.completionIds.slice(0, budget);
  return {
    ...answered,
    text: textAfter(tokenizer, tokens.promptIds, completionIds, true),
    completionTokens: budget,
    finishReason: "length",
    solution: undefined,
    tokens: { ...tokens, completionIds, logProbs: tokens.logProbs.slice(0, budget) },
  };
}
