import tf = require("@tensorflow/tfjs");

import {
  type Compiled,
  cachedAttention,
  compile,
  onnxNode,
  type SessionOptions,
  spec,
  type TensorData,
  type TensorSpec,
} from "../../tensor/index.js";
import { attentionScale, type ModelConfig } from "../config/config.js";
import {
  type Attend,
  type Attended,
  causalAttend,
  hiddenStates,
  outputLogits,
  type Projected,
  rotaryTable,
  tokenEmbeddings,
} from "../network/forward.js";
import type { HostModel } from "../network/host-model.js";
import type { Model } from "../network/linear.js";
import {
  type ModelInputs,
  type ModelShell,
  modelInputs,
  modelSpecs,
  shellOf,
  tracedModel,
} from "../network/model-inputs.js";
import { createProgramCache } from "../network/program-cache.js";
import { attendAfter } from "./attend-after.js";

type CacheOf<Leaf> = { keys: Leaf[]; values: Leaf[] };

/** Scores of the next tokens of some rows. */
export interface NextScores {
  /** Natural logarithms of the probabilities, `[rows, vocab]`. */
  logProbs: TensorData<"float32">;
  /** `[rows]`: logProbs + normaliser are the logits. */
  normaliser: TensorData<"float32">;
}

type StepTree<Leaf> = {
  /** `[rows, 1]` int32: the last token of each row, not in the cache yet. */
  ids: Leaf;
  /** `[rows]` int32: tokens of each row including that one. */
  lengths: Leaf;
  cache: CacheOf<Leaf>;
  /** Scores of an earlier step, whose memory is reused. */
  spare: Leaf;
};
/** Inputs of a step besides the model. */
export type StepState = StepTree<TensorData>;
type StepInputs<Leaf> = ModelInputs<Leaf> & StepTree<Leaf>;
type PrefillInputs<Leaf> = ModelInputs<Leaf> & {
  /** `[rows, time]` int32 ids, or `[rows, time, hidden]` embeddings; rows end in padding. */
  prompt: Leaf;
  /** `[rows]` int32: index of each row's last token among all `rows · time`. */
  last: Leaf;
};
type RestInputs<Leaf> = PrefillInputs<Leaf> & {
  /** `[1]` int32: number of tokens that all rows begin with. */
  from: Leaf;
  /** Keys and values of those, one row with room for more. */
  before: CacheOf<Leaf>;
};
type PieceInputs<Leaf> = ModelInputs<Leaf> & {
  /** `[1, time]` int32 ids, or `[1, time, hidden]` embeddings, that may end in padding. */
  prompt: Leaf;
  /** `[1]` int32: tokens of the row with all of these. */
  lengths: Leaf;
  /** `[1]` int32: index of the last token that is no padding. */
  last: Leaf;
  cache: CacheOf<Leaf>;
};
type ScoredTensors = { logProbs: tf.Tensor; normaliser: tf.Tensor; cache: CacheOf<tf.Tensor> };

/** Compiled functions of a model; one ONNX program for every combination of sizes. */
export interface GenerationPrograms {
  /** Generates one new token per row. */
  step: Compiled<StepInputs<TensorSpec>, ScoredTensors>;
  /** Computes whole prompts; returns a cache whose capacity is their padded length. */
  prefillIds: Compiled<PrefillInputs<TensorSpec>, ScoredTensors>;
  prefillEmbeddings: Compiled<PrefillInputs<TensorSpec>, ScoredTensors>;
  /** Computes the rests of prompts that begin alike; returns a cache of the rests, whose capacity is their padded length. */
  restIds: Compiled<RestInputs<TensorSpec>, ScoredTensors>;
  restEmbeddings: Compiled<RestInputs<TensorSpec>, ScoredTensors>;
  /** Appends tokens to the cache of one row. */
  pieceIds: Compiled<PieceInputs<TensorSpec>, ScoredTensors>;
  pieceEmbeddings: Compiled<PieceInputs<TensorSpec>, ScoredTensors>;
  dispose(): Promise<void>;
}

const cache = createProgramCache(createPrograms);
/** The programs of a model, compiled when first called and kept as long as its configuration. */
export const generationPrograms = cache.of;
/** Dispose of all programs of a configuration that {@link generationPrograms} made. */
export const disposePrograms = cache.dispose;

function createPrograms(model: HostModel, session: SessionOptions): GenerationPrograms {
  const { config } = model;
  // Does not capture the model itself: programs outlive its weights.
  const shell = shellOf(model);
  const prefill = (prompt: TensorSpec) =>
    compile<PrefillInputs<TensorSpec>, ScoredTensors>(
      (tensors: PrefillInputs<tf.Tensor>) => prefillScores(shell, tensors),
      { ...modelSpecs(model), prompt, last: spec([null], "int32") },
      session,
    );
  const step = compile<StepInputs<TensorSpec>, ScoredTensors>(
    (tensors: StepInputs<tf.Tensor>) => stepScores(tracedModel(shell, tensors), tensors),
    { ...modelSpecs(model), ...stepSpecs(config) },
    { ...session, ...STEP_MEMORY },
  );
  const rest = (prompt: TensorSpec) =>
    compile<RestInputs<TensorSpec>, ScoredTensors>(
      (tensors: RestInputs<tf.Tensor>) => restScores(shell, tensors),
      {
        ...modelSpecs(model),
        prompt,
        last: spec([null], "int32"),
        from: spec([1], "int32"),
        before: cacheSpecs(config),
      },
      session,
    );
  const piece = (prompt: TensorSpec) =>
    compile<PieceInputs<TensorSpec>, ScoredTensors>(
      (tensors: PieceInputs<tf.Tensor>) => pieceScores(tracedModel(shell, tensors), tensors),
      {
        ...modelSpecs(model),
        prompt,
        lengths: spec([1], "int32"),
        last: spec([1], "int32"),
        cache: cacheSpecs(config),
      },
      { ...session, inPlace: ["cache"] },
    );
  const prefillIds = prefill(spec([null, null], "int32"));
  const prefillEmbeddings = prefill(spec([null, null, config.hiddenSize]));
  const pieceIds = piece(spec([1, null], "int32"));
  const pieceEmbeddings = piece(spec([1, null, config.hiddenSize]));
  const restIds = rest(spec([null, null], "int32"));
  const restEmbeddings = rest(spec([null, null, config.hiddenSize]));
  const all = { step, prefillIds, prefillEmbeddings, restIds, restEmbeddings, pieceIds, pieceEmbeddings };
  return {
    ...all,
    async dispose() {
      await Promise.all(Object.values(all).map((each) => each.dispose()));
    },
  };
}

const STEP_MEMORY = { inPlace: ["cache"], donate: ["spare"] };

function cacheSpecs({ keyValueHeads, headDimension, layers }: ModelConfig): CacheOf<TensorSpec> {
  const all = () => Array.from({ length: layers }, () => spec([null, keyValueHeads, null, headDimension]));
  return { keys: all(), values: all() };
}

function stepSpecs(config: ModelConfig): StepTree<TensorSpec> {
  return {
    ids: spec([null, 1], "int32"),
    lengths: spec([null], "int32"),
    cache: cacheSpecs(config),
    spare: spec([null, config.vocabularySize]),
  };
}

/** A step with the present weights built in. */
export interface FrozenStep {
  step(state: StepState): Promise<NextScores>;
  dispose(): Promise<void>;
}

export function compileFrozenStep(model: HostModel, session: SessionOptions = {}): FrozenStep {
  const constants = (tensors: Readonly<Record<string, TensorData>>) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], "float32")]),
    );
  const { config } = model;
  const { weights, adapter } = modelInputs(model);
  const step = compile<StepTree<TensorSpec>, ScoredTensors>(
    (tensors: StepTree<tf.Tensor>) =>
      stepScores(tracedModel(shellOf(model), { weights: constants(weights), adapter: constants(adapter) }), tensors),
    stepSpecs(config),
    { ...session, ...STEP_MEMORY },
  );
  return { step: (state) => step(state) as Promise<NextScores>, dispose: () => step.dispose() };
}

function stepScores(model: Model, inputs: StepTree<tf.Tensor>): ScoredTensors {
  const { attend, cache } = attendWithCache(model.config, inputs.cache, inputs.lengths);
  const positions = inputs.lengths.sub(tf.scalar(1, "int32")).reshape([-1, 1]);
  const hidden = hiddenStates(model, tokenEmbeddings(model, inputs.ids), positions, attend);
  return { ...scoresOf(outputLogits(model, hidden)), cache };
}

function pieceScores(model: Model, inputs: PieceInputs<tf.Tensor>): ScoredTensors {
  const embeddings = inputs.prompt.rank === 2 ? tokenEmbeddings(model, inputs.prompt) : inputs.prompt;
  const time = embeddings.shape[1]!;
  const { attend, cache } = attendWithCache(model.config, inputs.cache, inputs.lengths);
  const positions = inputs.lengths
    .sub(tf.scalar(time, "int32"))
    .reshape([1, 1])
    .add(tf.range(0, time, 1, "int32"));
  const hidden = hiddenStates(model, embeddings, positions, attend);
  return { ...scoresOf(outputLogits(model, tf.gather(hidden, inputs.last as tf.Tensor1D))), cache };
}

function prefillScores(shell: ModelShell, inputs: PrefillInputs<tf.Tensor>): ScoredTensors {
  // The padding is on the right: tokens do not see it, and its keys and values are never read.
  return promptScores(shell, inputs, undefined, (positions) => causalAttend(shell.config, positions));
}

function restScores(shell: ModelShell, inputs: RestInputs<tf.Tensor>): ScoredTensors {
  const attend = (positions: tf.Tensor) => attendAfter(shell.config, inputs.before, inputs.from, positions);
  return promptScores(shell, inputs, inputs.from, attend);
}

/** Scores that follow some prompts, whose tokens have the positions from `from` on, and their keys and values. */
function promptScores(
  shell: ModelShell,
  inputs: PrefillInputs<tf.Tensor>,
  from: tf.Tensor | undefined,
  attendAt: (positions: tf.Tensor) => (layer: number, projected: Projected) => Omit<Attended, "queries">,
): ScoredTensors {
  const model = tracedModel(shell, inputs);
  const embeddings = inputs.prompt.rank === 2 ? tokenEmbeddings(model, inputs.prompt) : inputs.prompt;
  const [rows, time] = embeddings.shape as [number, number];
  const places = tf.tile(tf.range(0, time, 1, "int32").reshape([1, time]), [rows, 1]);
  const positions = from ? places.add(from) : places;
  const cache: CacheOf<tf.Tensor> = { keys: [], values: [] };
  const attend = attendAt(positions);
  const hidden = hiddenStates(model, embeddings, positions, (layer, projected) => {
    const { value, keys, values } = attend(layer, projected);
    cache.keys[layer] = keys;
    cache.values[layer] = values;
    return value;
  });
  return { ...scoresOf(outputLogits(model, tf.gather(hidden, inputs.last as tf.Tensor1D))), cache };
}

/** Attention over a cache and the new tokens; `cache` is filled as the layers are traced. */
function attendWithCache(
  config: ModelConfig,
  past: CacheOf<tf.Tensor>,
  lengths: tf.Tensor,
): { attend: Attend; cache: CacheOf<tf.Tensor> } {
  const { heads, keyValueHeads: keyHeads } = config;
  const [rows, , capacity] = past.keys[0]!.shape as [number, number, number];
  const table = rotaryTable(config, capacity);
  const cache: CacheOf<tf.Tensor> = { keys: [], values: [] };
  const attend: Attend = (layer, projected) => {
    const byRow = (x: tf.Tensor) => x.reshape([rows, x.shape[0]! / rows, x.shape[1]!]);
    const attended = cachedAttention(
      byRow(projected.q),
      byRow(projected.k),
      byRow(projected.v),
      { keys: past.keys[layer]!, values: past.values[layer]! },
      lengths,
      { heads, keyHeads, scale: attentionScale(config, layer), ...(table ? { rotary: table } : {}) },
    );
    cache.keys[layer] = attended.cache.keys;
    cache.values[layer] = attended.cache.values;
    return attended.value.reshape(projected.q.shape);
  };
  return { attend, cache };
}

function scoresOf(logits: tf.Tensor): { logProbs: tf.Tensor; normaliser: tf.Tensor } {
  const rows = logits.shape[0]!;
  const [logProbs] = onnxNode("LogSoftmax", [logits], [{ shape: logits.shape, dtype: "float32" }], {
    attributes: { axis: -1 },
  });
  const first = (x: tf.Tensor) => tf.slice(x as tf.Tensor2D, [0, 0], [rows, 1]).reshape([rows]);
  return { logProbs: logProbs!, normaliser: first(logits).sub(first(logProbs!)) };
}
