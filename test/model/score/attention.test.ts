import { createRandom } from "thoughtbook/core";
import { forward, type HostModel, type Model, type ScoreSequence, score, scoreWithAttention } from "thoughtbook/model";
import { compile, spec, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { apart, checkpoint, PARITY, parityIds, randomModel } from "../generate/helpers.js";

/** The definition, from the whole matrix of `forward`: for each prompt token the sum over heads and continuation rows. */
async function naiveMass({ config, weights }: HostModel, prompt: readonly number[], continuation: readonly number[]) {
  const ids = [...prompt, ...continuation];
  const time = ids.length;
  const specs = Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, spec(shape)]));
  const run = compile(
    ({ weights, ids }) => ({ attention: forward({ config, weights: weights as Model["weights"] }, ids).lastAttention }),
    { weights: specs, ids: spec([1, time], "int32") },
  );
  const { attention } = await run({ weights, ids: tensorData(Int32Array.from(ids), [1, time]) });
  await run.dispose();
  expect(attention.shape).toEqual([1, config.heads, time, time]);
  return prompt.map((_, key) => {
    let sum = 0;
    for (let head = 0; head < config.heads; head++) {
      for (let query = prompt.length; query < time; query++) sum += attention.data[(head * time + query) * time + key]!;
    }
    return sum;
  });
}

describe("attention of a continuation to its prompt", () => {
  it.each(PARITY)("is the sum over heads and queries of the last layer's matrix: %s", async (name) => {
    const model = await checkpoint(name);
    const ids = await parityIds(name);
    for (const at of [1, ids.length >> 1, ids.length - 1]) {
      const [prompt, continuation] = [ids.slice(0, at), ids.slice(at)];
      // A longer sequence beside it makes padding.
      const [found] = await scoreWithAttention(model, [{ prompt, continuation }, Array(40).fill(1)]);
      expect(apart(found!.attention, await naiveMass(model, prompt, continuation))).toBeLessThan(1e-5);
    }
  });

  it("does not depend on the batch, and comes with the scores that `score` gives", async () => {
    const model = randomModel();
    const random = createRandom(3);
    const draw = (length: number) => Array.from({ length }, () => random.integer(300));
    const texts = Array.from({ length: 9 }, (_, i) => ({
      prompt: draw(1 + random.integer(30)),
      continuation: draw(i === 0 ? 1 : 1 + random.integer(60)),
    }));
    const alone = await scoreWithAttention(model, texts, { batchSize: 1 });
    const plain = await score(model, texts);
    for (const batchSize of [2, undefined]) {
      const together = await scoreWithAttention(model, texts, { batchSize });
      for (const [i, { prompt, continuation }] of texts.entries()) {
        const { logProbs, attention } = together[i]!;
        expect(apart(attention, alone[i]!.attention)).toBeLessThan(1e-5);
        expect(apart(logProbs, plain[i]!)).toBeLessThan(1e-4);
        const mass = attention.reduce((sum, each) => sum + each, 0);
        expect(mass).toBeGreaterThan(0);
        expect(mass).toBeLessThanOrEqual(4 * continuation.length);
        expect(attention.length).toBe(prompt.length);
      }
    }
  });

  it("refuses what cannot be scored, and fills the context", async () => {
    const model = randomModel({ max_position_embeddings: 64 });
    const bad: ScoreSequence = { prompt: [], continuation: [1] };
    await expect(scoreWithAttention(model, [bad])).rejects.toThrow(/its prompt is empty/);
    const whole = { prompt: [1, 2], continuation: Array<number>(62).fill(3) };
    const [{ attention, logProbs }] = (await scoreWithAttention(model, [whole])) as [
      Awaited<ReturnType<typeof scoreWithAttention>>[0],
    ];
    expect([attention.length, logProbs.length]).toEqual([2, 62]);
    const [alone] = await scoreWithAttention(model, [[7]]);
    expect(alone).toMatchObject({ logProbs: new Float32Array(0), attention: new Float32Array(1) });
  });
});
