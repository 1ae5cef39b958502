import tf = require("@tensorflow/tfjs");

import { badInput, sum } from "../core/index.js";
import { type Compiled, type CompileOptions, compile, type Inputs, type StoragePool, type Traced } from "./compile.js";
import { isTensor, valueAndGradients } from "./gradients.js";
import { clippingScale, globalNorm } from "./optimizers/clipping.js";
import { checkOption, type Optimizer, type OptimizerState } from "./optimizers/optimizer.js";
import type { Schedule } from "./optimizers/schedules.js";
import type { ProfileRow } from "./profile.js";
import {
  emptyTensor,
  isSpec,
  isTensorData,
  spec,
  type TensorData,
  type TensorSpec,
  tensorData,
} from "./tensor-data.js";
import { leavesOf, mapTree, rebuildTree } from "./tree.js";

/** Inputs of a loss. `P`, `F` and `B` are signatures: trees of specs. */
export interface LossInputs<P, F, B> {
  params: Traced<P>;
  frozen: Traced<F>;
  batch: Traced<B>;
}

export interface LossOutputs {
  /** The mean loss of the batch; a scalar. */
  loss: tf.Tensor;
  /**
   * What the mean is over, such as the number of counted tokens: the weight of this batch among micro-batches. A scalar
   * above 0. Default: 1.
   */
  weight?: tf.Tensor;
  /** Other means over the same things, to be reported; scalars. */
  metrics?: Readonly<Record<string, tf.Tensor>>;
}

export interface TrainingStepOptions<P, F, B> extends Omit<CompileOptions, "donate" | "storage" | "inPlace"> {
  /** Runs while compiling; everything it needs comes through its argument. */
  loss: (inputs: LossInputs<P, F, B>) => LossOutputs;
  /** Shapes of the parameters to train, all float32. */
  params: P;
  /** Shapes of weights that the loss needs and that stay as they are: no gradient, no moments, no copy. Default: none. */
  frozen?: F;
  /** Shapes and dtypes of a batch; a size `null` may change, and each combination compiles once. */
  batch: B;
  optimizer: Optimizer;
  learningRate: Schedule | number;
  /** Clip the gradients where their norm is above. Default: never. */
  clipNorm?: number;
}

/** Everything that a run must keep to resume. Plain data; `frozen` is what was given to `init`. */
export interface TrainingState<P, F> {
  params: Inputs<P>;
  optimizer: OptimizerState<TensorData>;
  frozen: Inputs<F>;
}

export interface StepResult<P, F> {
  /** The state after the update. The previous one is donated: its memory will be overwritten. */
  state: TrainingState<P, F>;
  /** Mean loss before the update. */
  loss: number;
  /** Norm of all gradients together, before clipping. */
  gradientNorm: number;
  /** Learning rate of this update. */
  learningRate: number;
  metrics: Record<string, number>;
}

export interface TrainingStep<P, F, B> {
  /** The state before the first update. Your tensors are read, never written to. */
  init(params: Inputs<P>, frozen?: Inputs<F>): TrainingState<P, F>;
  /**
   * Make one update. Several batches are micro-batches of a large one: their weighted gradients are added up before the
   * update.
   *
   * @throws ThoughtbookError for inputs that do not fit the signatures, and for a state that was given up before
   */
  step(state: TrainingState<P, F>, ...batches: [Inputs<B>, ...Inputs<B>[]]): Promise<StepResult<P, F>>;
  /** Compile for the shapes of this batch now instead of in the first step; milliseconds it took. */
  prepare(state: TrainingState<P, F>, batch: Inputs<B>): Promise<number>;
  /** Time by operator of an update with one batch. */
  profile(state: TrainingState<P, F>, batch: Inputs<B>, options?: { runs?: number }): Promise<ProfileRow[]>;
  /** Free the compiled programs. */
  dispose(): Promise<void>;
}

/** A compiled function without the shapes of its trees: they depend on `P`, `F` and `B`, which are any. */
interface Part<K extends string> extends Pick<Compiled<unknown, unknown>, "dispose"> {
  (inputs: object): Promise<Record<K, unknown>>;
  prepare(inputs: object): Promise<number>;
  profile(inputs: object, options?: { runs?: number }): Promise<ProfileRow[]>;
}

function compilePart<I, K extends string>(
  fn: (inputs: I) => Record<K, unknown>,
  signature: object,
  options: CompileOptions,
): Part<K> {
  return compile<unknown, unknown>(fn as (inputs: unknown) => unknown, signature, options) as unknown as Part<K>;
}

/**
 * Compile forward pass, backward pass, clipping, schedule and optimizer into one program: a training step.
 *
 * Parameters and moments live in two sets of buffers that take turns. With several micro-batches a step there are two
 * programs: one adds gradients up, the other one updates.
 *
 * @throws ThoughtbookError when a parameter is not float32 or has no fixed shape
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { adamW, compileTrainingStep, spec, tensorData, warmupCosine } from "thoughtbook/tensor";
 *
 * const training = compileTrainingStep({
 *   loss: ({ params, batch }) => ({ loss: tf.matMul(batch.x, params.w).sub(batch.y).square().mean() }),
 *   params: { w: spec([1, 1]) },
 *   batch: { x: spec([null, 1]), y: spec([null, 1]) },
 *   optimizer: adamW(),
 *   learningRate: warmupCosine({ peak: 0.1, steps: 100, warmup: 10 }),
 *   clipNorm: 1,
 * });
 * let state = await training.init({ w: tensorData([0], [1, 1]) });
 * const batch = { x: tensorData([1, 2], [2, 1]), y: tensorData([3, 6], [2, 1]) };
 * for (let update = 0; update < 100; update++) state = (await training.step(state, batch)).state;
 * console.log(state.params.w.data[0]);
 * ```
 */
export function compileTrainingStep<P, B, F = Record<never, never>>(
  options: TrainingStepOptions<P, F, B>,
): TrainingStep<P, F, B> {
  const { loss, params, frozen = {} as F, batch, optimizer, learningRate, clipNorm, ...given } = options;
  // What is kept for the gradient is most of a step's memory; planned, it would be there twice.
  const runtime = { memoryPattern: false, trains: true, ...given };
  checkParams(params);
  if (clipNorm !== undefined) checkOption("clipNorm", clipNorm, 0, Number.POSITIVE_INFINITY);
  const optimizerSpecs = {
    ...Object.fromEntries(optimizer.moments.map((name) => [name, params])),
    step: spec([]),
  } as unknown as OptimizerState<TensorSpec>;
  const storage: StoragePool = new Map();

  type Trained = { params: Traced<P>; optimizer: OptimizerState<tf.Tensor> };
  type Data = Omit<LossInputs<P, F, B>, "params">;

  /** The update from gradients, which are `weight` times what they should be. */
  const apply = (trained: Trained, gradients: Traced<P>, weight: tf.Tensor | number) => {
    const gradientNorm = globalNorm(gradients).div(weight);
    const clip = clipNorm === undefined ? 1 : clippingScale(gradientNorm, clipNorm);
    const rate = rateAt(learningRate, trained.optimizer.step.add(1));
    const updated = optimizer.update({
      params: trained.params,
      gradients,
      state: trained.optimizer,
      learningRate: rate,
      gradientScale: clip === 1 && weight === 1 ? 1 : tf.div(clip, weight),
    });
    return { params: updated.params, optimizer: updated.state, gradientNorm, learningRate: rate };
  };

  const wholeStep = compilePart(
    ({ params, optimizer, ...data }: Trained & Data) => {
      const ofLoss = (params: Traced<P>) => checkOutputs(loss({ params, ...data }));
      const { value, gradients } = valueAndGradients(ofLoss)(params);
      return { ...apply({ params, optimizer }, gradients, 1), loss: value.loss, metrics: { ...value.metrics } };
    },
    { params, optimizer: optimizerSpecs, frozen, batch },
    { ...runtime, storage, donate: ["params", "optimizer"] },
  );

  const addGradients = compilePart(
    ({ params, sums, ...data }: { params: Traced<P>; sums: Traced<P> } & Data) => {
      const ofWeightedLoss = (params: Traced<P>) => {
        const { loss: mean, weight = tf.scalar(1), metrics = {} } = checkOutputs(loss({ params, ...data }));
        // The gradient of the weighted loss is the weighted gradient: no pass to multiply it.
        return { loss: mean.mul(weight), mean, weight, metrics: { ...metrics } };
      };
      const { value, gradients } = valueAndGradients(ofWeightedLoss)(params);
      const added = leavesOf(gradients, isTensor).map(({ value }) => value);
      const before = leavesOf(sums, isTensor).map(({ value }) => value);
      const after = before.map((sum, i) => sum.add(added[i]!));
      return { sums: rebuildTree(sums, isTensor, after), ...value };
    },
    { params, sums: params, frozen, batch },
    { ...runtime, storage, donate: ["sums"] },
  );

  const applyGradients = compilePart(
    ({ sums, weight, ...trained }: Trained & { sums: Traced<P>; weight: tf.Tensor }) => apply(trained, sums, weight),
    { params, optimizer: optimizerSpecs, sums: params, weight: spec([]) },
    { ...runtime, storage, donate: ["params", "optimizer", "sums"] },
  );
  // Never given up, as it does not come out of a compiled function.
  let zeros: Inputs<P> | undefined;

  const accumulatedStep = async (
    { params, optimizer, frozen }: TrainingState<P, F>,
    batches: readonly Inputs<B>[],
  ): Promise<StepResult<P, F>> => {
    zeros ??= mapTree(params, isTensorData, ({ shape }) => emptyTensor(shape, "float32")) as Inputs<P>;
    let sums = zeros;
    const weights: number[] = [];
    const losses: number[] = [];
    const metrics: Record<string, number>[] = [];
    for (const batch of batches) {
      const added = await addGradients({ params, sums, frozen, batch });
      sums = added.sums as Inputs<P>;
      weights.push(numberOf(added.weight));
      losses.push(numberOf(added.mean));
      metrics.push(numbersOf(added.metrics));
    }
    const total = sum(weights);
    if (!(total > 0)) {
      throw badInput(
        `the weights of the batches of a step sum to ${total}, expected more than 0`,
        "Leave out batches in which nothing counts; the weight is what the loss function returns as `weight`.",
      );
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / total;
    const applied = await applyGradients({ params, optimizer, sums, weight: tensorData([total], []) });
    return {
      state: { params: applied.params, optimizer: applied.optimizer, frozen } as unknown as TrainingState<P, F>,
      loss: mean(losses),
      gradientNorm: numberOf(applied.gradientNorm),
      learningRate: numberOf(applied.learningRate),
      metrics: Object.fromEntries(
        Object.keys(metrics[0]!).map((name) => [name, mean(metrics.map((values) => values[name]!))]),
      ),
    };
  };

  const wholeInputs = (state: TrainingState<P, F>, batch: Inputs<B>) => ({ ...state, batch });

  return {
    init: (params, frozen = {} as Inputs<F>) => ({ params, optimizer: optimizer.init(params), frozen }),
    async step(state, ...batches) {
      if (batches.length > 1) return accumulatedStep(state, batches);
      const result = await wholeStep(wholeInputs(state, batches[0]));
      return {
        state: { params: result.params, optimizer: result.optimizer, frozen: state.frozen } as unknown as TrainingState<
          P,
          F
        >,
        loss: numberOf(result.loss),
        gradientNorm: numberOf(result.gradientNorm),
        learningRate: numberOf(result.learningRate),
        metrics: numbersOf(result.metrics),
      };
    },
    prepare: (state, batch) => wholeStep.prepare(wholeInputs(state, batch)),
    profile: (state, batch, options) => wholeStep.profile(wholeInputs(state, batch), options),
    async dispose() {
      await Promise.all([wholeStep.dispose(), addGradients.dispose(), applyGradients.dispose()]);
      zeros = undefined;
    },
  };
}

function checkParams(params: unknown): void {
  const leaves = leavesOf(params, isSpec);
  if (leaves.length === 0) {
    throw badInput("there are no parameters to train", "Give `params` at least one spec.");
  }
  for (const { path, value } of leaves) {
    if (value.dtype === "float32" && !value.shape.includes(null)) continue;
    throw badInput(
      `parameter ${path} is ${value.dtype} [${value.shape.map((size) => size ?? "any").join(", ")}], expected float32 with fixed sizes`,
      "What is not trained belongs into `frozen` or `batch`.",
    );
  }
}

function checkOutputs(outputs: LossOutputs): LossOutputs {
  const scalars = { loss: outputs.loss, ...(outputs.weight ? { weight: outputs.weight } : {}), ...outputs.metrics };
  for (const [name, value] of Object.entries(scalars)) {
    if (isTensor(value) && value.rank === 0) continue;
    throw badInput(
      `the loss function's ${name} is ${isTensor(value) ? `of shape [${value.shape.join(", ")}]` : "no tensor"}, expected a scalar`,
      "Return { loss, weight, metrics: { name: scalar } }; weight and metrics may be left out.",
    );
  }
  return outputs;
}

function rateAt(learningRate: Schedule | number, step: tf.Tensor): tf.Tensor {
  return typeof learningRate === "number" ? tf.scalar(learningRate) : learningRate(step);
}

function numberOf(scalar: unknown): number {
  return Number((scalar as TensorData).data[0]);
}

function numbersOf(scalars: unknown): Record<string, number> {
  return Object.fromEntries(Object.entries(scalars as object).map(([name, value]) => [name, numberOf(value)]));
}
