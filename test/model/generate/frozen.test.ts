import { disposeGenerationPrograms, generate, type HostModel, initializeParameters } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { apart, randomModel } from "./helpers.js";

// Small models that generate for a while get programs with their weights built in.
const request = { prompt: [3, 4], maxNewTokens: 80, stopIds: [], seed: 1 };

async function text(model: HostModel) {
  const [generation] = await generate(model, [request]);
  return generation!;
}

/** The same numbers in other memory, without anything that was compiled for it. */
function copyOf({ config, weights }: HostModel): HostModel {
  const copies = Object.entries(weights).map(([name, each]) => [name, { ...each, data: each.data.slice() }]);
  return { config: { ...config }, weights: Object.fromEntries(copies) };
}

describe("weights built into programs", () => {
  it("give the same text as weights that are inputs, and equal calls equal numbers", async () => {
    const model = randomModel();
    // So few tokens are not worth building the weights in.
    const [short] = await generate(model, [{ ...request, maxNewTokens: 40 }]);
    const [first, second] = [await text(model), await text(model)];
    expect(second).toEqual(first);
    expect(first.ids.slice(0, 40)).toEqual(short!.ids);
    expect(apart(first.logProbs.slice(0, 40), short!.logProbs)).toBeLessThan(1e-4);
  });

  it("are not used any more when they have changed where they are", async () => {
    const model = randomModel();
    const before = await text(model);
    const row = model.weights["model.embed_tokens.weight"]!.data.subarray(
      32 * before.ids[0]!,
      32 * before.ids[0]! + 32,
    );
    for (let i = 0; i < row.length; i++) row[i] = -row[i]!;
    const after = await text(model);
    expect(after.ids).not.toEqual(before.ids);
    expect(after.ids).toEqual((await text(copyOf(model))).ids);
  });

  it("keep models of one configuration apart, more of them than programs are kept", async () => {
    const { config } = randomModel();
    const models = [1, 2, 3, 4].map((seed) => ({
      config,
      weights: initializeParameters(config, { seed, deviation: 0.4 }),
    }));
    const alone: number[][] = [];
    for (const model of models) alone.push((await text(copyOf(model))).ids);
    for (let round = 0; round < 2; round++) {
      for (const [i, model] of models.entries()) expect((await text(model)).ids).toEqual(alone[i]);
    }
    // At the same time, too.
    const together = await Promise.all([...models, ...models].map(text));
    expect(together.map(({ ids }) => ids)).toEqual([...alone, ...alone]);
    await disposeGenerationPrograms(config);
    expect((await text(models[0]!)).ids).toEqual(alone[0]);
  });
});
