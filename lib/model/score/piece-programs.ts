import tf = require("@tensorflow/tfjs");

import {
  type Compiled,
  cachedAttention,
  compile,
  type RotaryTable,
  rotary,
  type SessionOptions,
  spec,
  type TensorSpec,
} from "../../tensor/index.js";
import { attentionScale, type ModelConfig } from "../config/config.js";
import { hiddenStates, type Projected, rotaryTable, tokenEmbeddings } from "../network/forward.js";
import type { HostModel } from "../network/host-model.js";
import { type ModelInputs, type ModelShell, modelSpecs, shellOf, tracedModel } from "../network/model-inputs.js";
import { createProgramCache } from "../network/program-cache.js";

type PieceTree<Leaf> = {
  /** `[1, time]` int32. */
  ids: Leaf;
  /** `[1]` int32: tokens of the text with these. */
  lengths: Leaf;
  /** Keys and values of the tokens before, `[1, keyValueHeads, capacity, headDimension]` each layer. */
  cache: { keys: Leaf[]; values: Leaf[] };
};
type PieceInputs<Leaf> = ModelInputs<Leaf> & PieceTree<Leaf>;
type AttendedInputs<Leaf> = PieceInputs<Leaf> & {
  /** `[1, time]` int32, 1 for the tokens whose attention is summed. */
  queries: Leaf;
};
type PieceTensors = { hidden: tf.Tensor; cache: { keys: tf.Tensor[]; values: tf.Tensor[] } };

/** Compiled functions that compute a text a piece at a time; keys and values are written where they are. */
export interface PiecePrograms {
  /** Hidden states after the last norm, `[time, hidden]`. */
  piece: Compiled<PieceInputs<TensorSpec>, PieceTensors>;
  /** The same, and the attention to each place in the last layer, summed over heads and queries, `[capacity]`. */
  attendedPiece: Compiled<AttendedInputs<TensorSpec>, PieceTensors & { mass: tf.Tensor }>;
  dispose(): Promise<void>;
}

const programs = createProgramCache(createPrograms);
/** The programs of a model, compiled when first called and kept as long as its configuration. */
export const piecePrograms = programs.of;
/** Dispose of all programs of a configuration that {@link piecePrograms} made. */
export const disposePiecePrograms = programs.dispose;

function createPrograms(model: HostModel, session: SessionOptions): PiecePrograms {
  const shell = shellOf(model);
  const { keyValueHeads, headDimension, layers } = model.config;
  const places = () => Array.from({ length: layers }, () => spec([1, keyValueHeads, null, headDimension]));
  const specs = {
    ...modelSpecs(model),
    ids: spec([1, null], "int32"),
    lengths: spec([1], "int32"),
    cache: { keys: places(), values: places() },
  };
  const options = { ...session, inPlace: ["cache"] };
  const piece = compile<PieceInputs<TensorSpec>, PieceTensors>(
    (tensors: PieceInputs<tf.Tensor>) => hiddenOfPiece(shell, tensors),
    specs,
    options,
  );
  const attendedPiece = compile<AttendedInputs<TensorSpec>, PieceTensors & { mass: tf.Tensor }>(
    (tensors: AttendedInputs<tf.Tensor>) => {
      let mass: tf.Tensor | undefined;
      const result = hiddenOfPiece(shell, tensors, (weights) => {
        mass = tf.matMul(tensors.queries.toFloat().tile([weights.shape[0]!, 1]).expandDims(1), weights).sum([0, 1]);
      });
      return { ...result, mass: mass! };
    },
    { ...specs, queries: spec([1, null], "int32") },
    options,
  );
  return {
    piece,
    attendedPiece,
    async dispose() {
      await Promise.all([piece.dispose(), attendedPiece.dispose()]);
    },
  };
}

/** @param onLast gets the weights of the last layer's attention, `[heads, time, capacity]` */
function hiddenOfPiece(
  shell: ModelShell,
  inputs: PieceInputs<tf.Tensor>,
  onLast?: (weights: tf.Tensor) => void,
): PieceTensors {
  const { config } = shell;
  const { heads, keyValueHeads: keyHeads } = config;
  const model = tracedModel(shell, inputs);
  const { ids, lengths, cache: past } = inputs;
  const time = ids.shape[1]!;
  const table = rotaryTable(config, past.keys[0]!.shape[2]!);
  const cache: PieceTensors["cache"] = { keys: [], values: [] };
  const places = lengths
    .sub(tf.scalar(time, "int32"))
    .reshape([1, 1])
    .add(tf.range(0, time, 1, "int32"));
  // The padding behind a text may lie behind the last position that the model knows.
  const positions = places.minimum(tf.scalar(config.maxPositions - 1, "int32"));
  const byRow = (x: tf.Tensor) => x.reshape([1, time, x.shape[1]!]);
  const hidden = hiddenStates(model, tokenEmbeddings(model, ids), positions, (layer, projected) => {
    const scale = attentionScale(config, layer);
    const attended = cachedAttention(
      byRow(projected.q),
      byRow(projected.k),
      byRow(projected.v),
      { keys: past.keys[layer]!, values: past.values[layer]! },
      lengths,
      { heads, keyHeads, scale, ...(table ? { rotary: table } : {}) },
    );
    cache.keys[layer] = attended.cache.keys;
    cache.values[layer] = attended.cache.values;
    if (onLast && layer === config.layers - 1)
      onLast(weightsOf(config, projected, attended.cache.keys, { places, scale, table }));
    return attended.value.reshape(projected.q.shape);
  });
  return { hidden, cache };
}

/** Added to the score of a later place: finite, and its weight is 0. */
const HIDDEN = -(2 ** 30);

/** Weights of attention to all places of the cache, `[heads, time, capacity]`. */
function weightsOf(
  { heads, keyValueHeads, headDimension }: ModelConfig,
  { q }: Projected,
  keys: tf.Tensor,
  { places, scale, table }: { places: tf.Tensor; scale: number; table: RotaryTable | undefined },
): tf.Tensor {
  const [time, capacity] = [q.shape[0]!, keys.shape[2]!];
  const split = q.reshape([1, time, heads, headDimension]).transpose([0, 2, 1, 3]);
  const turned = (table ? rotary(split, places, table) : split).mul(scale);
  const grouped = turned.reshape([keyValueHeads, (heads / keyValueHeads) * time, headDimension]);
  const scores = tf.matMul(grouped, keys.reshape([keyValueHeads, capacity, headDimension]), false, true);
  const later = tf.greater(tf.range(0, capacity, 1, "int32"), places.reshape([1, time, 1]));
  return tf.softmax(scores.reshape([heads, time, capacity]).add(later.toFloat().mul(HIDDEN)));
}
