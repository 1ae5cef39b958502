import { badInput, sha256 } from "../../core/index.js";
import { type Example, hashExamples, sizeOfExample } from "../examples/examples.js";
import type { WEIGHTED_SPEC } from "../objectives/reward-weighted.js";
import { createBatches } from "./batches.js";
import { epochSource, type SourceSettings } from "./example-sources.js";
import type { Source } from "./source.js";
import { tokenList } from "./token-lists.js";

/** An example and what it is worth: 0 or more. */
export interface WeightedExample {
  example: Example;
  weight: number;
}

/**
 * Batches of weighted examples for `rewardWeighted`, epoch by epoch. Examples of weight 0 are left out.
 *
 * @throws bad-input for a weight that is negative or not finite, and if none is above 0
 *
 * @example
 * ```ts
 * import { openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
 * import { exampleOf, rewardWeighted, train, weightedSource } from "thoughtbook/train";
 *
 * const checkpoint = await openCheckpoint(await resolveModel("mini"));
 * const model = { config: checkpoint.config, parameters: await readParameters(checkpoint) };
 * const weighted = [{ example: exampleOf([5, 6, 7]), weight: 1 }, { example: exampleOf([5, 8]), weight: 0.2 }];
 * const plan = { seed: 1, epochs: 1, maxSteps: 1, batchSize: 2, accumulation: 1 };
 * const source = weightedSource(weighted, plan, model.config.hiddenSize);
 * const { steps } = await train({ model, objective: rewardWeighted(), source, settings: { seed: 1 }, folder: "run" });
 * console.log(steps); // 1
 * ```
 */
export function weightedSource(
  weighted: readonly WeightedExample[],
  { batchSize, ...settings }: Omit<SourceSettings, "batching">,
  hiddenSize: number,
): Source<typeof WEIGHTED_SPEC> & { tokens: number } {
  const wrong = weighted.findIndex(({ weight }) => !(Number.isFinite(weight) && weight >= 0));
  if (wrong >= 0) {
    throw badInput(`the weight of example ${wrong} is ${weighted[wrong]!.weight}`, "Give a finite number, 0 or more.");
  }
  const kept = weighted.filter(({ weight }) => weight > 0);
  if (kept.length === 0) throw badInput("no example has a weight above 0", "There is nothing to learn from.");
  return numberSource(
    kept.map(({ example, weight }) => ({ example, number: weight })),
    { batchSize, ...settings },
    hiddenSize,
  );
}

/** Batches of examples with a number each, which all of its counted tokens have as their `weights`. */
export function numberSource(
  items: readonly { example: Example; number: number }[],
  { batchSize, ...settings }: Omit<SourceSettings, "batching">,
  hiddenSize: number,
): Source<typeof WEIGHTED_SPEC> & { tokens: number } {
  const examples = items.map(({ example }) => example);
  const weights = items.map(({ example, number }) => new Float32Array(sizeOfExample(example).counted).fill(number));
  const batches = createBatches(examples, { batching: "pack", batchSize, hiddenSize });
  return epochSource<typeof WEIGHTED_SPEC>(
    {
      ...batches,
      tensorsOf(plan) {
        const { tensors, tokens } = batches.tensorsOf(plan);
        const list = tokenList(plan, (example) => weights[example]!, tensors.places.shape[0]!, "float32");
        return { tensors: { ...tensors, weights: list }, tokens };
      },
    },
    {
      ...settings,
      fingerprint: {
        count: items.length,
        hash: sha256(JSON.stringify([hashExamples(examples), items.map(({ number }) => number)])),
      },
    },
  );
}
