import tf = require("@tensorflow/tfjs");

import { ThoughtbookError } from "../../core/index.js";
import { isTensor } from "../gradients.js";
import { emptyTensor, isTensorData, type TensorData, tensorData } from "../tensor-data.js";
import { leavesOf, mapTree, rebuildTree, type Tree } from "../tree.js";

/** State of an optimizer: the number of updates made, and for each of its moments a tree like the parameters. */
export type OptimizerState<Leaf> = { readonly step: Leaf; readonly [moment: string]: Tree<Leaf> };

export interface UpdateInputs<P> {
  params: P;
  /** A tree of the same shape. */
  gradients: P;
  state: OptimizerState<tf.Tensor>;
  learningRate: tf.Tensor | number;
  /** Factor on all gradients, such as that of clipping; cheaper than multiplying them in advance. Default: 1. */
  gradientScale?: tf.Tensor | number;
}

export interface Updated<P> {
  params: P;
  state: OptimizerState<tf.Tensor>;
}

/** A pure update rule, written in TensorFlow.js operations: it runs inside a compiled function and eagerly alike. */
export interface Optimizer {
  /** Keys of the state that hold a tree like the parameters, all float32. The key `step` holds a float32 scalar. */
  readonly moments: readonly string[];
  /** The state before the first update: zeros. */
  init(params: unknown): OptimizerState<TensorData>;
  /**
   * One update. Eagerly, the caller owns what is returned.
   *
   * @throws ThoughtbookError when gradients or state are not a tree like the parameters
   */
  update<P>(inputs: UpdateInputs<P>): Updated<P>;
}

/** Which parameters decay, by path (`layers.0.wq`) and shape. */
export type DecayFilter = (path: string, shape: readonly number[]) => boolean;

/** One parameter with what belongs to it; `moments` in the order of the optimizer's. */
export interface ParameterUpdate {
  path: string;
  param: tf.Tensor;
  gradient: tf.Tensor;
  moments: readonly tf.Tensor[];
}

export interface ParameterUpdated {
  param: tf.Tensor;
  moments: readonly tf.Tensor[];
}

/** Values that all parameters share, computed once an update. */
export interface SharedValues {
  /** Number of this update, from 1; a scalar. */
  step: tf.Tensor;
  learningRate: tf.Tensor | number;
  gradientScale: tf.Tensor | number;
}

/** Gets what all parameters share and returns the rule for one of them, so that scalars are computed once. */
export type UpdateRule = (shared: SharedValues) => (update: ParameterUpdate) => ParameterUpdated;

/** An optimizer from the rule for one parameter. */
export function createOptimizer(moments: readonly string[], prepare: UpdateRule): Optimizer {
  return {
    moments,
    init(params) {
      const zeros = () => mapTree(params, isTensorData, ({ shape }) => emptyTensor(shape, "float32"));
      return { ...Object.fromEntries(moments.map((name) => [name, zeros()])), step: tensorData([0], []) };
    },
    update<P>({ params, gradients, state, learningRate, gradientScale = 1 }: UpdateInputs<P>): Updated<P> {
      const leaves = leavesOf(params, isTensor);
      const gradientOf = aligned("gradients", gradients, leaves);
      const momentsOf = moments.map((name) => aligned(name, state[name], leaves));
      const run = () => {
        const step = tf.add(state.step, 1);
        const rule = prepare({ step, learningRate, gradientScale });
        const updated = leaves.map(({ path, value }, i) =>
          rule({
            path,
            param: value,
            gradient: gradientOf[i]!,
            moments: momentsOf.map((values) => values[i]!),
          }),
        );
        const tree = (values: readonly tf.Tensor[]) => rebuildTree(params, isTensor, values);
        return {
          params: tree(updated.map(({ param }) => param)),
          state: {
            ...Object.fromEntries(
              moments.map((name, m) => [name, tree(updated.map(({ moments: values }) => values[m]!))]),
            ),
            step,
          },
        };
      };
      return tf.tidy(run as () => tf.TensorContainer) as unknown as Updated<P>;
    },
  };
}

/** The tensors of a tree in the order of the parameters. */
function aligned(name: string, tree: unknown, params: readonly { path: string; value: tf.Tensor }[]): tf.Tensor[] {
  const leaves = tree === undefined ? [] : leavesOf(tree, isTensor);
  const given = new Map(leaves.map(({ path, value }) => [path, value]));
  const values = params.map(({ path, value: { shape } }) => {
    const value = given.get(path);
    if (value && value.shape.length === shape.length && shape.every((size, i) => size === value.shape[i])) return value;
    throw new ThoughtbookError(
      "bad-input",
      `${name}: ${path || "the tensor"} is ${value ? `[${value.shape.join(", ")}]` : "missing"}, expected [${shape.join(", ")}] like the parameter`,
      { hint: "Pass gradients and state of these parameters; a fresh state comes from the optimizer's init()." },
    );
  });
  if (leaves.length > params.length) {
    const known = new Set(params.map(({ path }) => path));
    const extra = leaves.find(({ path }) => !known.has(path))!;
    throw new ThoughtbookError("bad-input", `${name}: there is no parameter ${extra.path}`, {
      hint: "Pass gradients and state of exactly these parameters.",
    });
  }
  return values;
}

/** @throws ThoughtbookError when an option of an optimizer is outside of its range, upper end excluded */
export function checkOption(name: string, value: number, lowest: number, below: number): void {
  if (value >= lowest && value < below) return;
  throw new ThoughtbookError(
    "bad-input",
    `${name} is ${value}, expected ${below === Number.POSITIVE_INFINITY ? `a finite number, ${lowest} or more` : `a number from ${lowest} up to, not including, ${below}`}`,
  );
}
