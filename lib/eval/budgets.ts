import { type Completion, isTokenModel, type LanguageModel } from "../llm/index.js";
import { type Tokenizer, textAfter } from "../model/index.js";
import type { Attempt } from "../rollouts/index.js";

/**
 * The tokenizer of a model that returns the token ids of its texts; without them a text cannot be truncated to a
 * smaller budget.
 */
export const cuttingTokenizer = (model: LanguageModel): Tokenizer | undefined =>
  isTokenModel(model) && model.capabilities.has("tokenIds") ? model.tokenizer : undefined;

/**
 * Derive the attempt under a smaller budget, of a strategy that makes one call. Tokens are drawn one after another from
 * random numbers that do not depend on the budget, so the text is a prefix of the same text; truncated, it has no final
 * answer.
 */
export function cutToBudget(attempt: Attempt, budget: number, tokenizer: Tokenizer): Attempt {
  const [call] = attempt.calls;
  const tokens = call?.completion.tokens;
  if (!tokens || tokens.completionIds.length <= budget) return attempt;
  const completionIds = tokens.completionIds.slice(0, budget);
  const completion: Completion = {
    ...call.completion,
    text: textAfter(tokenizer, tokens.promptIds, completionIds, true),
    completionTokens: budget,
    finishReason: "length",
    tokens: { ...tokens, completionIds, logProbs: tokens.logProbs.slice(0, budget) },
  };
  // What was made of the whole text is not what comes of its beginning.
  const none = { solution: undefined, failure: undefined, trace: undefined };
  return { ...attempt, ...none, text: completion.text, calls: [{ ...call, completion }] };
}
