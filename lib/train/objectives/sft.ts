import type * as tf from "@tensorflow/tfjs";
import { causalAttend, hiddenStates, labelLosses, type Model, ownText, tokenEmbeddings } from "../../model/index.js";
import { embedding, type LossOutputs, spec, type Traced } from "../../tensor/index.js";
import type { Objective } from "./objective.js";

/**
 * Signature of a batch. Rows hold one text each, or several, one after the other; padding comes last.
 *
 * Texts are given without their last token, which predicts nothing, and logits are computed only where a label is
 * counted: for a completion of a few tokens after a long prompt, the output layer costs next to nothing.
 */
export const BATCH_SPEC = {
  /** Token ids, `[rows, length]`. */
  ids: spec([null, null], "int32"),
  /** Position of each token in its text, `[rows, length]`. */
  positions: spec([null, null], "int32"),
  /** Number of the text, `[rows, length]`; a token sees those of its own text, */
  segments: spec([null, null], "int32"),
  /** and of the text that its own one continues, `[rows, length]`; its own number if there is none. */
  prefixes: spec([null, null], "int32"),
  /** Indices `row · length + column` of the tokens whose next token is counted, `[counted]`. */
  places: spec([null], "int32"),
  /** The tokens that follow them, `[counted]`; negative in the padding of this list. */
  labels: spec([null], "int32"),
};

export type BatchTensors = Traced<typeof BATCH_SPEC>;

/**
 * Mean negative log-probability, in nats, of the counted tokens of a batch.
 *
 * @param options `packed` says whether a row may hold several texts: otherwise no mask is needed, as attention is
 * causal and padding comes last
 * @returns the loss and, as its weight, how many tokens were counted
 */
export function languageModelLoss(model: Model, batch: BatchTensors, { packed }: { packed: boolean }): LossOutputs {
  const hidden = textStates(model, tokenEmbeddings(model, batch.ids), batch, packed);
  const losses = labelLosses(model, embedding(hidden, batch.places), batch.labels);
  const counted = batch.labels.greaterEqual(0).toFloat().sum();
  return { loss: losses.sum().div(counted.maximum(1)), weight: counted };
}

/**
 * Supervised fine-tuning: the mean negative log-probability of the counted tokens.
 *
 * @param options as of {@link languageModelLoss}
 */
export const sft = ({ packed }: { packed: boolean }): Objective<typeof BATCH_SPEC> => ({
  name: "sft",
  spec: BATCH_SPEC,
  loss: ({ policy }, batch) => languageModelLoss(policy, batch, { packed }),
});

/** The last hidden states of a batch, `[rows · length, hidden]`, from the embeddings of its tokens. */
export function textStates(
  model: Model,
  embeddings: tf.Tensor,
  { positions, segments, prefixes }: Pick<BatchTensors, "positions" | "segments" | "prefixes">,
  packed: boolean,
): tf.Tensor {
  const { config } = model;
  const sameText = packed ? ownText({ segments, prefixes }) : undefined;
  const attend = causalAttend(config, positions, sameText);
  return hiddenStates(model, embeddings, positions, (layer, projected) => attend(layer, projected).value);
}
