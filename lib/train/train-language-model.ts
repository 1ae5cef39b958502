import { badInput } from "../core/index.js";
import type { AdapterOptions } from "../model/index.js";
import { checkExamples, type Example, type ExampleStream } from "./examples/examples.js";
import { rewardWeighted } from "./objectives/reward-weighted.js";
import { sft } from "./objectives/sft.js";
import { completeSettings, type TrainingSettings } from "./options.js";
import { exampleSource, streamSource } from "./sources/example-sources.js";
import { type WeightedExample, weightedSource } from "./sources/weighted-source.js";
import { type Trained, type TrainOptions, train } from "./train.js";
import type { StartingModel } from "./trainable.js";

export interface TrainLanguageModelOptions
  extends TrainingSettings,
    Omit<TrainOptions<never>, "objective" | "source" | "trainable" | "settings"> {
  model: StartingModel;
  /** All examples, or a stream with a number of updates (`maxSteps`). */
  examples: readonly Example[] | ExampleStream;
  /** What each token of an example counts for in the loss, by example; packed batches only. Default: all alike. */
  weights?: readonly number[] | undefined;
  /**
   * Train an adapter and leave the weights unchanged. Its seed is that of the run. Default: all weights are trained.
   */
  lora?: Omit<AdapterOptions, "seed"> | undefined;
}

/**
 * Train a causal language model on examples, all weights or an adapter: supervised fine-tuning by `train`.
 *
 * @throws bad-input (before any work) for examples that do not fit the model; as `train`
 *
 * @example
 * ```ts
 * import { openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
 * import { exampleOf, trainLanguageModel } from "thoughtbook/train";
 *
 * const checkpoint = await openCheckpoint(await resolveModel("mini"));
 * const model = { config: checkpoint.config, parameters: await readParameters(checkpoint) };
 * const examples = [exampleOf([5, 6, 7, 8]), exampleOf([5, 9, 7])];
 * const { steps } = await trainLanguageModel({ model, examples, lora: { rank: 2 }, maxSteps: 2, seed: 1, folder: "run" });
 * console.log(steps); // 2
 * ```
 */
export async function trainLanguageModel(options: TrainLanguageModelOptions): Promise<Trained> {
  const { model, examples, weights, lora } = options;
  const { config } = model;
  if ("length" in examples) checkExamples("examples", examples, config);
  const settings = completeSettings(options, { isAdapter: lora !== undefined });
  const trainable = lora ? ({ lora } as const) : "all";
  if (weights) {
    const weighted = weightedExamples(examples, weights, settings.batching);
    const source = weightedSource(weighted, settings, config.hiddenSize);
    return train({ ...options, objective: rewardWeighted(), source, trainable, settings: options });
  }
  const source =
    "length" in examples
      ? exampleSource(examples, settings, config.hiddenSize)
      : await streamSource(examples, settings, config);
  return train({
    ...options,
    objective: sft({ packed: settings.batching === "pack" }),
    source,
    trainable,
    settings: options,
  });
}

function weightedExamples(
  examples: readonly Example[] | ExampleStream,
  weights: readonly number[],
  batching: string,
): WeightedExample[] {
  if (!("length" in examples) || weights.length !== examples.length) {
    const found = "length" in examples ? examples.length : "a stream of";
    throw badInput(`there are ${weights.length} weights for ${found} examples`, "Give one for each example.");
  }
  if (batching !== "pack") {
    throw badInput(`batching is ${batching}, and some examples have weights`, "Choose pack, or leave the weights out.");
  }
  return examples.map((example, at) => ({ example, weight: weights[at]! }));
}
