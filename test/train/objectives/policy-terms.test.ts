import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { compile, spec, tensorData, valueAndGradients } from "thoughtbook/tensor";
import { dpo, generalizedAdvantages, groupAdvantages, grpo, ppo } from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { clippedPolicyLoss, clippedValueLoss, klEstimate } from "../../../lib/dist/train/objectives/policy-terms.js";
import { entropyOf } from "../../../lib/dist/train/objectives/token-scores.js";
import { failure } from "../../core/helpers.js";
import { largestDifference } from "../helpers.js";

const FOLDER = join(import.meta.dirname, "..", "..", "fixtures", "reinforcement");
type Rest = Readonly<Record<string, tf.Tensor>>;
interface Expected {
  losses: number[];
  gradient: number[];
}
const { inputs, cases } = JSON.parse(readFileSync(join(FOLDER, "losses.json"), "utf8"));

/** Losses of each entry and the gradient of their mean, by the engine. */
async function differentiate(x: number[], rest: Record<string, number[]>, fn: (x: tf.Tensor, rest: Rest) => tf.Tensor) {
  const step = compile(
    ({ x, rest }: { x: tf.Tensor; rest: Record<string, tf.Tensor> }) => {
      const { value, gradients } = valueAndGradients(({ x }: { x: tf.Tensor }) => {
        const losses = fn(x, rest);
        return { loss: losses.mean(), losses };
      })({ x });
      return { losses: value.losses, gradient: gradients.x };
    },
    {
      x: spec([x.length]),
      rest: Object.fromEntries(Object.entries(rest).map(([name, { length }]) => [name, spec([length])])),
    },
  );
  const data = (values: number[]) => tensorData(values, [values.length]);
  const { losses, gradient } = await step({
    x: data(x),
    rest: Object.fromEntries(Object.entries(rest).map(([name, values]) => [name, data(values)])),
  });
  await step.dispose();
  return { losses: losses.data, gradient: gradient.data };
}

const expectSame = (actual: { losses: ArrayLike<number>; gradient: ArrayLike<number> }, expected: Expected) => {
  expect(largestDifference(actual.losses, expected.losses)).toBeLessThan(1e-5);
  expect(largestDifference(actual.gradient, expected.gradient)).toBeLessThan(1e-5);
};

describe("losses and gradients are PyTorch's", () => {
  it.each(["clip", "clipHigher"])("of the policy, %s", async (name) => {
    const { old, advantages } = inputs;
    const range = cases[name];
    const result = await differentiate(
      inputs.logProbs,
      { old, advantages },
      (x, rest) => clippedPolicyLoss(x.sub(rest.old!), rest.advantages!, range).losses,
    );
    expectSame(result, range);
    // Some are clipped, so that the case says something.
    expect(range.gradient.filter((each: number) => each === 0).length).toBeGreaterThan(1);
  });

  it("of the divergence", async () => {
    const { reference } = inputs;
    expectSame(
      await differentiate(inputs.logProbs, { reference }, (x, rest) => klEstimate(x, rest.reference!)),
      cases.kl,
    );
  });

  it("of the values", async () => {
    const { oldValues, returns } = inputs;
    const result = await differentiate(
      inputs.values,
      { oldValues, returns },
      (x, rest) => clippedValueLoss(x, rest.oldValues!, rest.returns!, cases.value.range).losses,
    );
    expectSame(result, cases.value);
    expect(cases.value.gradient).toContain(0);
  });

  it("of pairs", async () => {
    const { chosen, rejected, pairReference } = inputs;
    const [first, second] = [pairReference.slice(0, 6), pairReference.slice(6)];
    const margins = (c: tf.Tensor, r: tf.Tensor, rest: Rest) =>
      c.sub(rest.first!).sub(r.sub(rest.second!)).mul(cases.dpo.beta);
    const ofChosen = await differentiate(chosen, { rejected, first, second }, (x, rest) =>
      negativeLogSigmoid(margins(x, rest.rejected!, rest)),
    );
    expectSame(ofChosen, { ...cases.dpo, gradient: cases.dpo.chosenGradient });
    const ofRejected = await differentiate(rejected, { chosen, first, second }, (x, rest) =>
      negativeLogSigmoid(margins(rest.chosen!, x, rest)),
    );
    expectSame(ofRejected, { ...cases.dpo, gradient: cases.dpo.rejectedGradient });
  });

  it("of entropies", async () => {
    const { vocabulary } = cases.entropy;
    const result = await differentiate(inputs.logits, {}, (x) => entropyOf(x.reshape([-1, vocabulary])));
    expectSame(result, cases.entropy);
  });
});

/** The loss of DPO as it is written there. */
const negativeLogSigmoid = (x: tf.Tensor) => tf.softplus(x.neg());

describe("the loss of a margin", () => {
  it("neither overflows nor loses what is small", async () => {
    const { losses, gradient } = await differentiate([-200, -0.3, 0, 0.3, 30], {}, negativeLogSigmoid);
    expect(losses[0]).toBe(200);
    expect(losses[1]).toBeCloseTo(0.854355, 6);
    expect(losses[2]).toBeCloseTo(Math.LN2, 6);
    expect(losses[3]).toBeCloseTo(0.554355, 6);
    expect(losses[4]).toBeGreaterThanOrEqual(0);
    expect(Array.from(gradient).every(Number.isFinite)).toBe(true);
    // At equal log-probabilities, where training begins.
    expect(gradient[2]).toBeCloseTo(-0.5 / 5, 6);
  });
});

describe("generalizedAdvantages", () => {
  it.each(["gae", "gaeDiscounted"])("are PyTorch's, %s", (name) => {
    const { gamma, lambda, ...expected } = cases[name];
    const { advantages, returns } = generalizedAdvantages(inputs.rewards, inputs.stateValues, { gamma, lambda });
    expect(largestDifference(advantages, expected.advantages)).toBeLessThan(1e-5);
    expect(largestDifference(returns, expected.returns)).toBeLessThan(1e-5);
  });

  it("need a value for each reward", async () => {
    expect(await failure(async () => generalizedAdvantages([1], [1, 2]))).toMatchObject({ code: "bad-input" });
  });
});

describe("groupAdvantages", () => {
  it("are those of the specification", () => {
    const [divided, equal] = groupAdvantages([
      [1, 0, 0, 0],
      [0.3, 0.3, 0.3, 0.3],
    ]);
    expect(divided!.map((each) => each.toFixed(4))).toEqual(["1.4997", "-0.4999", "-0.4999", "-0.4999"]);
    expect(equal).toEqual([0, 0, 0, 0]);
    expect(groupAdvantages([[1, 0, 0, 0]], { scale: "none" })).toEqual([[0.75, -0.25, -0.25, -0.25]]);
    // Equal up to rounding.
    expect(groupAdvantages([[0.1 + 0.2, 0.3]])).toEqual([[0, 0]]);
    const all = groupAdvantages(
      [
        [1, 0],
        [10, 0],
      ],
      { scale: "batch" },
    ).flat();
    expect(all[2]! / all[0]!).toBeCloseTo(10, 9);
    expect(all.reduce((sum, each) => sum + each)).toBeCloseTo(0, 12);
  });

  it("refuse a group of one, and a reward that is no number", async () => {
    for (const groups of [[[1]], [[1, Number.NaN]]]) {
      expect(await failure(async () => groupAdvantages(groups))).toMatchObject({ code: "bad-input" });
    }
  });
});

describe("options of objectives", () => {
  it.each([
    ["epsilon", () => grpo({ epsilon: 1.5 })],
    ["beta", () => grpo({ beta: -1 })],
    ["temperature", () => grpo({ temperature: 0 })],
    ["dapo", () => grpo({ level: "sequence", lossType: "dapo" })],
    ["lambda", () => ppo({ lambda: Number.NaN })],
    ["beta", () => dpo({ beta: 0 })],
  ])("out of range name %s", async (name, make) => {
    expect(await failure(async () => make())).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(name),
    });
  });
});
