import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { type ModelParameters, openCheckpoint, readParameters } from "thoughtbook/model";
import { compile, type Inputs, spec, type TensorData, type Traced, valueAndGradients } from "thoughtbook/tensor";
import {
  dpo,
  type GrpoOptions,
  grpo,
  type Objective,
  onPolicySource,
  type PolicyText,
  pairSource,
  type Source,
  type TrainingBatch,
  train,
  withReference,
} from "thoughtbook/train";
import { beforeAll, describe, expect, it } from "vitest";
import { createTextEvaluator } from "../../../lib/dist/train/sources/evaluate-texts.js";
import { exampleOfText, policyShapes, updateBatches } from "../../../lib/dist/train/sources/policy-batches.js";
import { temporaryFolder } from "../../core/helpers.js";
import { CHECKPOINTS, SILENT } from "../helpers.js";

/** What TRL did with the options of a case, step by step. */
interface Case {
  options: Record<string, unknown>;
  losses: number[];
  steps: { gradients: Record<string, number[]>; changes: Record<string, number[]> }[];
}
interface Fixture {
  checkpoint: string;
  rate: number;
  maxCompletionLength: number;
  prompts: number[][];
  completions: number[][][];
  rewards: number[][];
  pairs: [prompt: number[], chosen: number[], rejected: number[]][];
  grpo: Case[];
  dpo: Case[];
}
const fixture: Fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "reinforcement", "one-step.json"), "utf8"),
);
const { rate, prompts, completions, rewards, pairs } = fixture;

let model: { config: Awaited<ReturnType<typeof openCheckpoint>>["config"]; parameters: ModelParameters };
beforeAll(async () => {
  const checkpoint = await openCheckpoint(join(CHECKPOINTS, fixture.checkpoint));
  model = { config: checkpoint.config, parameters: await readParameters(checkpoint) };
});

/** Norm, and sums of the numbers times cos(k·i). */
function projections(data: ArrayLike<number>): number[] {
  const all = [0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    all[0]! += data[i]! ** 2;
    for (const k of [1, 2, 3]) all[k]! += data[i]! * Math.cos(k * i);
  }
  return [Math.sqrt(all[0]!), ...all.slice(1)];
}

function expectSame(actual: Record<string, ArrayLike<number>>, expected: Record<string, number[]>, relative: number) {
  const largest = Math.max(...Object.values(expected).map(([norm]) => norm!));
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, numbers] of Object.entries(expected)) {
    // A key's bias has no gradient but rounding: it is measured against the others.
    const scale = Math.max(numbers[0]!, 1e-3 * largest);
    for (const [at, value] of projections(actual[name]!).entries()) {
      expect(Math.abs(value - numbers[at]!) / scale, `${name} ${at}`).toBeLessThan(relative);
    }
  }
}

type Tensors = Record<string, tf.Tensor>;
interface Step<Spec> {
  (inputs: {
    weights: ModelParameters;
    before: ModelParameters;
    batch: Inputs<Spec>;
  }): Promise<{
    value: { loss: TensorData };
    gradients: Record<string, TensorData>;
  }>;
  dispose(): Promise<void>;
}

/** Gradients of the batches of an update. */
async function gradientsOf<Spec>(
  objective: Objective<Spec>,
  parameters: ModelParameters,
  batches: readonly TrainingBatch<Spec>[],
) {
  const specs = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, spec(shape)]));
  const step = compile(
    ({ weights, before, batch }: { weights: Tensors; before: Tensors; batch: Traced<Spec> }) => {
      const policy = (weights: Tensors) => ({ config: model.config, weights });
      return valueAndGradients((weights: Tensors) => {
        const { loss } = objective.loss({ policy: policy(weights), reference: policy(before), extra: {} }, batch);
        return { loss: loss.div(batches.length) };
      })(weights);
    },
    { weights: specs, before: specs, batch: objective.spec } as never,
  ) as unknown as Step<Spec>;
  const sums: Record<string, Float64Array> = {};
  let loss = 0;
  for (const { tensors } of batches) {
    const { value, gradients } = await step({ weights: parameters, before: model.parameters, batch: tensors });
    loss += value.loss.data[0]!;
    for (const [name, { data }] of Object.entries(gradients)) {
      sums[name] ??= new Float64Array(data.length);
      data.forEach((each: number, at: number) => {
        sums[name]![at]! += each;
      });
    }
  }
  await step.dispose();
  return { loss, gradients: sums };
}

/** Train for one or two plain SGD steps; the weights after each. */
async function sgdSteps<Spec>(objective: Objective<Spec>, source: (steps: number) => Source<Spec>) {
  const after: ModelParameters[] = [];
  for (const steps of [1, 2]) {
    const { parameters } = await train({
      ...{ model, objective, source: source(steps), folder: await temporaryFolder(), display: SILENT, threads: 1 },
      settings: {
        ...{ seed: 1, optimizer: "sgd", learningRate: rate, schedule: "constant", warmup: 0, weightDecay: 0 },
        clipNorm: 1e9,
      },
    });
    after.push(parameters);
  }
  return after;
}

const changes = (after: ModelParameters) =>
  Object.fromEntries(
    Object.entries(after).map(([name, { data }]) => [
      name,
      Float64Array.from(data, (each, at) => each - model.parameters[name]!.data[at]!),
    ]),
  );

const texts: Omit<PolicyText, "old">[] = completions.flatMap((group, at) =>
  group.map((completionIds, attempt) => ({
    ...{ group: at, attempt, promptIds: prompts[at]!, completionIds, truncated: false },
  })),
);

/** The batches of an update on the completions, whose probabilities are those of the first weights. */
async function batchesOf(objective: ReturnType<typeof grpo>, batchSize: number) {
  const examples = texts.map(({ promptIds, completionIds }) => exampleOfText(promptIds, completionIds));
  const sizes = { batchSize, hiddenSize: model.config.hiddenSize };
  const shapes = policyShapes(examples, { ...sizes, most: model.config.maxPositions });
  const evaluator = createTextEvaluator(objective);
  const numbers = await evaluator.run(model, examples, { ...sizes, shapes });
  await evaluator.dispose();
  // The reference is the model before training.
  const known = texts.map((text, at) => ({ ...text, old: numbers[at]!.old!, reference: numbers[at]!.old! }));
  const assigned = objective.assign({ rewards, texts: known }).map((each, at) => ({
    ...{ text: known[at]!, example: examples[at]!, numbers: each! },
  }));
  const meanTokens = texts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
  const { lossType } = objective;
  return updateBatches<typeof objective.spec>(assigned, {
    ...sizes,
    shapes,
    lossType,
    meanTokens,
    maxNewTokens: fixture.maxCompletionLength,
  });
}

describe("grpo is TRL's", () => {
  const optionsOf = (given: Case["options"]) =>
    ({
      ...{ lossType: given.loss_type, scaleRewards: given.scale_rewards, beta: given.beta, epsilon: given.epsilon },
      ...{ epsilonHigh: given.epsilon_high, level: given.importance_sampling_level },
      correctKl: given.use_bias_correction_kl,
    }) as GrpoOptions;

  it.each<[string, Case]>(fixture.grpo.map((each) => [JSON.stringify(each.options), each]))("%s", async (_, each) => {
    const { options, steps, losses } = each;
    const objective = grpo(optionsOf(options));
    // A batch mean is one over a micro-batch; the others are the same however an update is divided.
    for (const batchSize of options.loss_type === "bnpo" ? [8] : [8, 3]) {
      const batches = await batchesOf(objective, batchSize);
      expect(batches.length > 1).toBe(batchSize === 3);
      const source = (count: number) =>
        onPolicySource<typeof objective.spec>({
          fingerprint: { batchSize },
          steps: count,
          next: async () => batches,
        });
      const [first, second] = await sgdSteps(objective, source);
      for (const [at, parameters] of [model.parameters, first!].entries()) {
        const { loss, gradients } = await gradientsOf(objective, parameters, [...batches]);
        expect(Math.abs(loss - losses[at]!)).toBeLessThan(1e-5);
        expectSame(gradients, steps[at]!.gradients, 1e-4);
      }
      expectSame(changes(first!), steps[0]!.changes, 2e-4);
      expectSame(changes(second!), steps[1]!.changes, 2e-4);
    }
  });
});

describe("dpo is TRL's", () => {
  const given = pairs.map(([promptIds, chosenIds, rejectedIds]) => ({ promptIds, chosenIds, rejectedIds }));
  const settings = { seed: 1, epochs: 2, accumulation: 1, batchSize: given.length };

  it.each<[number, Case]>(fixture.dpo.map((each) => [each.options.beta as number, each]))(
    "beta %d",
    async (beta, each) => {
      const { config, parameters } = model;
      const known = await withReference({ config, weights: parameters }, given);
      for (const reference of ["model", "given"] as const) {
        const objective = dpo({ beta, reference });
        const source = (maxSteps: number) =>
          pairSource(reference === "given" ? known : given, { ...settings, maxSteps }, config);
        const [first, second] = await sgdSteps(objective, source);
        for await (const { step, batches } of source(2).updatesAfter(0, () => undefined as never)) {
          const { loss, gradients } = await gradientsOf(objective, step === 1 ? parameters : first!, [...batches]);
          expect(Math.abs(loss - each.losses[step - 1]!)).toBeLessThan(1e-5);
          expectSame(gradients, each.steps[step - 1]!.gradients, 1e-4);
        }
        expectSame(changes(first!), each.steps[0]!.changes, 2e-4);
        expectSame(changes(second!), each.steps[1]!.changes, 2e-4);
      }
    },
  );
});
