import type { ModelConfig, ModelParameters } from "../model/index.js";
import { exampleOf } from "./examples/examples.js";
import { valuesOf } from "./objectives/ppo.js";
import { tokenScores } from "./objectives/token-scores.js";
import type { BatchShapes } from "./sources/batches.js";
import { createTextEvaluator } from "./sources/evaluate-texts.js";
import { policyShapes } from "./sources/policy-batches.js";

/** A value head beside a model. */
export interface TextValues {
  /** The value after each text. */
  of(texts: readonly (readonly number[])[]): Promise<number[]>;
  dispose(): Promise<void>;
}

/** Texts of a batch. */
const AT_ONCE = 16;

/**
 * Compute values of texts by a value head, as `ppo` and `valueRegression` train it.
 *
 * @throws execution where the runtime fails
 */
export function textValues(
  model: { config: ModelConfig; parameters: ModelParameters },
  head: ModelParameters,
  { threads }: { threads?: number | undefined } = {},
): TextValues {
  const evaluator = createTextEvaluator(
    { evaluate: (models, batch) => ({ values: valuesOf(models.extra, tokenScores(models, batch).hidden) }) },
    threads === undefined ? {} : { threads },
  );
  const { hiddenSize, maxPositions } = model.config;
  let shapes: BatchShapes | undefined;
  return {
    async of(texts) {
      if (texts.length === 0) return [];
      // The value before a token is that of the text up to it: any next token will do.
      const examples = texts.map((ids) => exampleOf([...ids, 0], (index) => index === ids.length));
      shapes = policyShapes(examples, {
        batchSize: AT_ONCE,
        hiddenSize,
        most: maxPositions,
        ...(shapes ? { before: shapes } : {}),
      });
      const sizes = { batchSize: AT_ONCE, hiddenSize, shapes };
      const found = await evaluator.run({ ...model, extra: head }, examples, sizes);
      return found.map(({ values }) => values![0]!);
    },
    dispose: () => evaluator.dispose(),
  };
}
