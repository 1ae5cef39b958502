import { badInput } from "../core/index.js";
import { type LanguageModel, type LocalModel, precededBy, softIds, withSoftTokens } from "../llm/index.js";
import type { Strategy } from "../rollouts/index.js";
import type { Problem } from "../tasks/index.js";
import type { TensorData } from "../tensor/index.js";
import { type Objective, SOFT_PROMPT } from "../train/index.js";
import type { SoftPrompt } from "./soft-prompt-file.js";

/**
 * A strategy whose calls are preceded by ids, such as those of the vectors of a soft prompt behind the vocabulary.
 *
 * @param model encodes the prompts
 * @param idsOf the ids for a problem
 */
export function softPromptStrategy(
  strategy: Strategy,
  model: Pick<LocalModel, "encode">,
  idsOf: (problem: Problem) => readonly number[],
): Strategy {
  const { firstPrompt: _, ...rest } = strategy;
  return {
    ...rest,
    attempt(problem, context) {
      const ids = idsOf(problem);
      const preceded = (own: LanguageModel): LanguageModel => ({
        ...own,
        generate: (requests, options) =>
          own.generate(
            requests.map((request) => ({ ...request, prompt: precededBy(model, ids, request.prompt) })),
            options,
          ),
      });
      const as = (operation: string) => preceded(context.as(operation));
      return strategy.attempt(problem, { ...context, model: preceded(context.model), as });
    },
  };
}

/**
 * A model with a soft prompt for each question, and a strategy that puts it before the calls for that question.
 *
 * @param prompts named by the ids of problems, as `optimizeSoftPrompt` gives them with `per: "question"`
 * @throws bad-input from an attempt at a problem that has no prompt
 */
export function withQuestionPrompts(
  model: LocalModel,
  strategy: Strategy,
  prompts: readonly SoftPrompt[],
): { model: LocalModel; strategy: Strategy } {
  const { hiddenSize } = model.config;
  const ids = new Map<string, number[]>();
  let count = 0;
  for (const { name, vectors } of prompts) {
    ids.set(name, softIds(model, vectors.shape[0]!, count));
    count += vectors.shape[0]!;
  }
  const data = new Float32Array(count * hiddenSize);
  for (const { name, vectors } of prompts) {
    data.set(vectors.data, (ids.get(name)![0]! - model.config.vocabularySize) * hiddenSize);
  }
  const extended = withSoftTokens(model, { shape: [count, hiddenSize], dtype: "float32", data });
  return {
    model: extended,
    strategy: softPromptStrategy(strategy, model, ({ id }) => {
      const found = ids.get(id);
      if (!found) throw badInput(`there is no soft prompt for ${id}`, "Optimise one for it, or leave it out.");
      return found;
    }),
  };
}

/**
 * An objective that also trains the vectors of soft prompts, for `trainable: "extra"`: ids from the size of the vocabulary
 * on are its rows. The objective must see ids through `tokenScores`, as `grpo`, `ppo`, `dpo` and `rewardWeighted` do.
 *
 * @param vectors initial ones, `[vectors, hidden]`; copied
 */
export function withPromptVectors<O extends Pick<Objective<unknown>, "extra">>(
  objective: O,
  vectors: TensorData<"float32">,
): O {
  const { shape, data } = vectors;
  return {
    ...objective,
    extra: (config, seed) => ({
      ...objective.extra?.(config, seed),
      [SOFT_PROMPT]: { shape, dtype: "float32", data: data.slice() },
    }),
  };
}
