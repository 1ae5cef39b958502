import * as tf from "@tensorflow/tfjs";
import { createRandom } from "thoughtbook/core";
import { causalAttend, hiddenStates, labelLosses, ownText, tokenEmbeddings } from "thoughtbook/model";
import { embedding, tensorData } from "thoughtbook/tensor";
import { BATCH_SPEC, type Example, type Objective } from "thoughtbook/train";

/** Standard deviation of the first values, about that of token embeddings. */
const INITIAL = 0.02;

/** A row with places for the soft prompt in front of it, which nothing predicts. */
export function behindPrompt({ ids, labels }: Example, length: number): Example {
  return {
    ids: Int32Array.from([...new Array<number>(length).fill(0), ...ids]),
    // The soft prompt would predict the first token; as without it, that is not counted.
    labels: Int32Array.from([...new Array<number>(length + 1).fill(-100), ...labels.subarray(1)]),
  };
}

/**
 * Prompt tuning (Lester et al. 2021): embeddings in front of every text of packed rows are all that is trained.
 *
 * @param length tokens of the soft prompt: the first ones of each text, whose ids do not count
 */
export const softPrompt = (length: number): Objective<typeof BATCH_SPEC> => ({
  name: "soft-prompt",
  settings: { length },
  spec: BATCH_SPEC,
  extra({ hiddenSize }, seed) {
    const random = createRandom(seed);
    const values = Float32Array.from({ length: length * hiddenSize }, () => INITIAL * random.normal());
    return { prompt: tensorData(values, [length, hiddenSize]) };
  },
  loss({ policy, extra }, batch) {
    const { ids, positions, segments, prefixes, places, labels } = batch;
    const last = tf.scalar(length - 1, "int32");
    const prompt = embedding(extra.prompt!, positions.minimum(last));
    const inPrompt = positions.lessEqual(last).toFloat().expandDims(-1);
    const texts = tokenEmbeddings(policy, ids);
    const embeddings = prompt.mul(inPrompt).add(texts.mul(tf.sub(1, inPrompt)));
    const attend = causalAttend(policy.config, positions, ownText({ segments, prefixes }));
    const hidden = hiddenStates(policy, embeddings, positions, (layer, projected) => attend(layer, projected).value);
    const counted = labels.greaterEqual(0).toFloat().sum();
    const losses = labelLosses(policy, embedding(hidden, places), labels);
    return { loss: losses.sum().div(counted.maximum(1)), weight: counted };
  },
});
