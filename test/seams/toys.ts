// What a user adds from outside of lib/: a strategy, a reward and an objective.
import { causalAttend, hiddenStates, outputLogits, tokenEmbeddings } from "thoughtbook/model";
import type { Reward, Rollout, Strategy } from "thoughtbook/rollouts";
import { emptyTensor, type Inputs, softmaxCrossEntropy, spec } from "thoughtbook/tensor";
import type { Objective } from "thoughtbook/train";

/** Write two texts side by side and keep the shorter one. */
export const shorterOfTwo: Strategy = {
  name: "shorter-of-two",
  needs: ["text"],
  async attempt({ question }, { model, seed, sample, maxNewTokens, sampling }) {
    const texts = await Promise.all(
      ["a", "b"].map(async (name) => {
        const request = { prompt: question, seed: `${seed}/${name}/${sample}`, maxNewTokens, ...sampling };
        return (await model.generate([request]))[0]![0]!.text;
      }),
    );
    const text = texts.reduce((one, other) => (other.length < one.length ? other : one));
    return { text, solution: text, trace: texts.map(({ length }) => length) };
  },
};

/** The share of letters e, against which the policy is easily moved. */
export const shareOfE: Reward = async (_, group) =>
  group.map(({ calls }) => {
    const text = calls.map(({ completion }) => completion.text).join("");
    return text === "" ? 0 : text.split("e").length / text.length;
  });

const SPEC = { ids: spec([null, null], "int32"), labels: spec([null], "int32"), weights: spec([null]) };

/** REINFORCE (Williams 1992): the log-probability of what was written, weighted by its advantage. */
export const reinforce: Objective<typeof SPEC> = {
  name: "reinforce",
  spec: SPEC,
  loss({ policy }, { ids, labels, weights }) {
    const [rows, length] = ids.shape as [number, number];
    const positions = ids.zerosLike().add(Int32Array.from({ length }, (_, at) => at));
    const attend = causalAttend(policy.config, positions);
    const states = hiddenStates(
      policy,
      tokenEmbeddings(policy, ids),
      positions,
      (layer, all) => attend(layer, all).value,
    );
    const losses = softmaxCrossEntropy(outputLogits(policy, states), labels);
    return { loss: losses.mul(weights).sum().div(rows) };
  },
};

/** Rollouts as a batch: prompt and completion a row, padded; only completions count. */
export function batchOf(rollouts: readonly Rollout[], length: number): Inputs<typeof SPEC> {
  const mean = rollouts.reduce((sum, { reward }) => sum + reward, 0) / rollouts.length;
  const texts = rollouts.flatMap(({ calls, reward }) => calls.map((call) => ({ ...call.completion.tokens!, reward })));
  const [ids, labels] = [emptyTensor([texts.length, length], "int32"), emptyTensor([texts.length * length], "int32")];
  const weights = emptyTensor([texts.length * length], "float32");
  labels.data.fill(-1);
  for (const [row, { promptIds, completionIds, reward }] of texts.entries()) {
    const all = [...promptIds, ...completionIds].slice(0, length + 1);
    ids.data.set(all.slice(0, length), row * length);
    for (let at = promptIds.length - 1; at + 1 < all.length; at++) {
      labels.data[row * length + at] = all[at + 1]!;
      weights.data[row * length + at] = 10 * (reward - mean);
    }
  }
  return { ids, labels, weights };
}
