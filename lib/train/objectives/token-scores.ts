import tf = require("@tensorflow/tfjs");

import { outputLogits, tokenEmbeddings } from "../../model/index.js";
import { embedding, softmaxCrossEntropy } from "../../tensor/index.js";
import type { ObjectiveModels } from "./objective.js";
import { type BatchTensors, textStates } from "./sft.js";

/** What a model says of the counted tokens of a batch. */
export interface TokenScores {
  /** Log-probability of each, `[counted]`, in nats; 0 in the padding. */
  logProbs: tf.Tensor;
  /** Entropy of the distribution that each was drawn from, `[counted]`, in nats. */
  entropies: tf.Tensor;
  /** The last hidden states that they were predicted from, `[counted, hidden]`. */
  hidden: tf.Tensor;
  /** 1 for a counted token, 0 for the padding of the list, `[counted]`. */
  mask: tf.Tensor;
}

/** Name of the vectors of a soft prompt among the further parameters of an objective, `[vectors, hidden]`. */
export const SOFT_PROMPT = "prompt";

/**
 * Log-probabilities and entropies of the counted tokens of a packed batch, under the policy or another model. All
 * objectives over what a policy wrote get them here.
 *
 * @param extra with the parameter {@link SOFT_PROMPT}, ids from the size of the vocabulary on are its vectors
 * @param temperature that the tokens were sampled at: logits are divided by it
 */
export function tokenScores(
  { policy, extra }: Pick<ObjectiveModels, "policy" | "extra">,
  batch: BatchTensors,
  { temperature = 1 }: { temperature?: number } = {},
): TokenScores {
  const states = textStates(policy, embeddingsOf(policy, extra[SOFT_PROMPT], batch.ids), batch, true);
  const hidden = embedding(states, batch.places);
  const raw = outputLogits(policy, hidden);
  const logits = temperature === 1 ? raw : raw.div(temperature);
  return {
    logProbs: softmaxCrossEntropy(logits, batch.labels).neg(),
    entropies: entropyOf(logits),
    hidden,
    mask: batch.labels.greaterEqual(0).toFloat(),
  };
}

/** Entropy in nats of each row of logits: `[rows, vocab]` to `[rows]`. */
export function entropyOf(logits: tf.Tensor): tf.Tensor {
  const logProbs = tf.logSoftmax(logits);
  return logProbs.exp().mul(logProbs).sum(-1).neg();
}

function embeddingsOf(policy: ObjectiveModels["policy"], prompt: tf.Tensor | undefined, ids: tf.Tensor): tf.Tensor {
  if (prompt === undefined) return tokenEmbeddings(policy, ids);
  const { vocabularySize } = policy.config;
  const last = tf.scalar(vocabularySize - 1, "int32");
  const isSoft = ids.greater(last).toFloat().expandDims(-1);
  const vectors = embedding(prompt, ids.sub(vocabularySize).maximum(tf.scalar(0, "int32")).toInt());
  const tokens = tokenEmbeddings(policy, ids.minimum(last).toInt());
  return vectors.mul(isSoft).add(tokens.mul(tf.sub(1, isSoft)));
}

/** Mean of the values where the mask is 1; 0 where it is nowhere. */
export const maskedMean = (values: tf.Tensor, mask: tf.Tensor): tf.Tensor =>
  values.mul(mask).sum().div(mask.sum().maximum(1));

/**
 * Sums of tokens by the text that they belong to.
 *
 * @param values `[counted]`, 0 in the padding
 * @param texts number of each token's text, `[counted]` int32
 * @returns `[count]`
 */
export function sumsByText(values: tf.Tensor, texts: tf.Tensor, count: number): tf.Tensor {
  const numbers = tf.range(0, count, 1, "int32").reshape([1, count]);
  const belongs = texts.reshape([-1, 1]).equal(numbers).toFloat();
  return tf.matMul(values.reshape([1, -1]) as tf.Tensor2D, belongs as tf.Tensor2D).reshape([count]);
}

/** Spread a value of each text to its tokens: `[count]` to `[counted]`. */
export const spreadToTokens = (values: tf.Tensor, texts: tf.Tensor): tf.Tensor =>
  embedding(values.reshape([-1, 1]), texts).reshape(texts.shape);
