import tf = require("@tensorflow/tfjs");

import {
  type Compiled,
  causalAttention,
  compile,
  type SessionOptions,
  softmaxCrossEntropy,
  spec,
  type TensorSpec,
  weightedAttention,
} from "../../tensor/index.js";
import { attentionScale, type ModelConfig } from "../config/config.js";
import { headSplitter, hiddenStates, joinHeads, outputLogits, ownText, tokenEmbeddings } from "../network/forward.js";
import type { HostModel } from "../network/host-model.js";
import { type ModelInputs, type ModelShell, modelSpecs, shellOf, tracedModel } from "../network/model-inputs.js";
import { createProgramCache } from "../network/program-cache.js";
import { disposePiecePrograms } from "./piece-programs.js";

type BodyInputs<Leaf> = ModelInputs<Leaf> & {
  /** `[rows, time]` int32. */
  ids: Leaf;
  /** `[rows, time]` int32: places in the text, 0 for padding, which stands on the right: no token sees it. */
  positions: Leaf;
};
/** Texts that go on from a common beginning, see `ownText`. */
type SharedInputs<Leaf> = BodyInputs<Leaf> & { segments: Leaf; prefixes: Leaf };
/** `[rows, time]` int32 tells the tokens whose attention is summed (1) from the others (0). */
type AttendedInputs<Leaf> = BodyInputs<Leaf> & { queries: Leaf };
type PlacesInputs<Leaf> = ModelInputs<Leaf> & {
  /** `[count, hidden]`. */
  hidden: Leaf;
};
type HeadInputs<Leaf> = PlacesInputs<Leaf> & {
  /** `[count]` int32, negative for rows that are not counted. */
  targets: Leaf;
};

/**
 * Compiled functions of a model: its body, and its output layer, which takes only as many positions as fit in memory.
 */
export interface ScorePrograms {
  /** Hidden states after the last norm, `[rows · time, hidden]`. */
  body: Compiled<BodyInputs<TensorSpec>, tf.Tensor>;
  sharedBody: Compiled<SharedInputs<TensorSpec>, tf.Tensor>;
  /** The same, and the attention to each token in the last layer, summed over heads and queries, `[rows, time]`. */
  attendedBody: Compiled<AttendedInputs<TensorSpec>, { hidden: tf.Tensor; mass: tf.Tensor }>;
  /** −log p of each target, `[count]`. */
  head: Compiled<HeadInputs<TensorSpec>, tf.Tensor>;
  /** log p of every token, `[count, vocab]`. */
  logProbs: Compiled<PlacesInputs<TensorSpec>, tf.Tensor>;
  dispose(): Promise<void>;
}

const cache = createProgramCache(createPrograms);
/** The programs of a model, compiled when first called and kept as long as its configuration. */
export const scorePrograms = cache.of;
/** Dispose of all programs of a configuration that scoring made. */
export async function disposeScorePrograms(config: ModelConfig): Promise<void> {
  await Promise.all([cache.dispose(config), disposePiecePrograms(config)]);
}

function createPrograms(model: HostModel, session: SessionOptions): ScorePrograms {
  const { config } = model;
  const shell = shellOf(model);
  const inputs = modelSpecs(model);
  const [ids, positions, queries, segments, prefixes] = Array.from({ length: 5 }, () => spec([null, null], "int32"));
  const body = compile<BodyInputs<TensorSpec>, tf.Tensor>(
    (tensors: BodyInputs<tf.Tensor>) => lastHidden(shell, tensors),
    { ...inputs, ids: ids!, positions: positions! },
    session,
  );
  const sharedBody = compile<SharedInputs<TensorSpec>, tf.Tensor>(
    (tensors: SharedInputs<tf.Tensor>) => lastHidden(shell, tensors, ownText(tensors)),
    { ...inputs, ids: ids!, positions: positions!, segments: segments!, prefixes: prefixes! },
    session,
  );
  const attendedBody = compile<AttendedInputs<TensorSpec>, { hidden: tf.Tensor; mass: tf.Tensor }>(
    (tensors: AttendedInputs<tf.Tensor>) => {
      let mass: tf.Tensor | undefined;
      const hidden = lastHidden(shell, tensors, undefined, (weights) => {
        mass = attentionMass(weights, tensors.queries);
      });
      return { hidden, mass: mass! };
    },
    { ...inputs, ids: ids!, positions: positions!, queries: queries! },
    session,
  );
  const head = compile<HeadInputs<TensorSpec>, tf.Tensor>(
    (tensors: HeadInputs<tf.Tensor>) =>
      softmaxCrossEntropy(outputLogits(tracedModel(shell, tensors), tensors.hidden), tensors.targets),
    { ...inputs, hidden: spec([null, config.hiddenSize]), targets: spec([null], "int32") },
    session,
  );
  const logProbs = compile<PlacesInputs<TensorSpec>, tf.Tensor>(
    (tensors: PlacesInputs<tf.Tensor>) => tf.logSoftmax(outputLogits(tracedModel(shell, tensors), tensors.hidden)),
    { ...inputs, hidden: spec([null, config.hiddenSize]) },
    session,
  );
  return {
    body,
    sharedBody,
    attendedBody,
    head,
    logProbs,
    async dispose() {
      await Promise.all([body, sharedBody, attendedBody, head, logProbs].map((program) => program.dispose()));
    },
  };
}

/**
 * Attention from some queries to each key, summed over heads and queries.
 *
 * @param probabilities `[rows, heads, time, time]`
 * @param queries `[rows, time]`, 1 for those that count
 * @returns `[rows, time]`
 */
function attentionMass(probabilities: tf.Tensor, queries: tf.Tensor): tf.Tensor {
  const [rows, , time] = probabilities.shape as [number, number, number, number];
  const summed = tf.matMul(queries.toFloat().reshape([rows, 1, 1, time]), probabilities);
  return summed.sum(1).reshape([rows, time]);
}

/** @param onLast gets the weights of the last layer's attention, `[rows, heads, time, time]` */
function lastHidden(
  shell: ModelShell,
  inputs: BodyInputs<tf.Tensor>,
  mask?: tf.Tensor,
  onLast?: (weights: tf.Tensor) => void,
): tf.Tensor {
  const { config } = shell;
  const model = tracedModel(shell, inputs);
  const { ids, positions } = inputs;
  const split = headSplitter(config, positions);
  return hiddenStates(model, tokenEmbeddings(model, ids), positions, (layer, projected) => {
    const { queries, keys, values } = split(projected);
    const options = { scale: attentionScale(config, layer), ...(mask ? { mask } : {}) };
    if (!onLast || layer < config.layers - 1) return joinHeads(causalAttention(queries, keys, values, options));
    const { value, weights } = weightedAttention(queries, keys, values, options);
    onLast(weights);
    return joinHeads(value);
  });
}
