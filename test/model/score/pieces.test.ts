import { createRandom } from "thoughtbook/core";
import { type HostModel, type ScoreOptions, score, scoreWithAttention, scoreWithTop } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { turnTokens } from "../../../lib/dist/model/score/pieces.js";
import { apart, randomModel } from "../generate/helpers.js";

/** Longer than what is computed whole. */
const CONTEXT = 4096;

function idsOf(model: HostModel, count: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.integer(model.config.vocabularySize));
}

/** Log-probabilities of a text by texts that are short enough to be computed whole, where its context is not needed. */
const whole = (model: HostModel, ids: readonly number[]) => score(model, [ids], { batchSize: 1 });

describe("long texts", () => {
  const model = longModel();

  it("have the scores that their beginnings have", async () => {
    const ids = idsOf(model, 2500, 1);
    const [long] = await score(model, [ids]);
    expect(long).toHaveLength(ids.length - 1);
    // A causal model: the first tokens do not see the others, and up to 1,025 tokens are computed whole.
    const [beginning] = await whole(model, ids.slice(0, 1000));
    expect(apart(long!.slice(0, 999), beginning!)).toBeLessThan(1e-4);
  });

  it("give a text the same numbers beside any others, also such that begin alike", async () => {
    const first = idsOf(model, 1500, 2);
    const second = [...first.slice(0, 1200), ...idsOf(model, 400, 3)];
    const third = [...first, ...idsOf(model, 7, 4)];
    const texts = [first, second, first.slice(0, 100), third, first];
    const together = await score(model, texts);
    for (const [i, text] of texts.entries()) expect(together[i]).toEqual((await score(model, [text]))[0]);
  });

  it("can be continuations, and tell the best tokens", async () => {
    const ids = idsOf(model, 1600, 5);
    const [all] = await score(model, [ids]);
    for (const at of [1, 511, 512, 513, 1024, 1599]) {
      const [part] = await score(model, [{ prompt: ids.slice(0, at), continuation: ids.slice(at) }]);
      expect(part).toEqual(all!.slice(at - 1));
    }
    const [scored] = await scoreWithTop(model, [ids], 2);
    expect(apart(scored!.logProbs, all!)).toBeLessThan(1e-5);
    for (const [i, top] of scored!.top.entries()) {
      expect(top).toHaveLength(2);
      expect(top[0]!.logProb).toBeGreaterThanOrEqual(scored!.logProbs[i]!);
    }
  });

  it("have the attention that they have as a whole", async () => {
    const ids = idsOf(model, 1400, 6);
    const { heads } = model.config;
    const [inPieces] = await scoreWithAttention(model, [{ prompt: ids.slice(0, 900), continuation: ids.slice(900) }]);
    const mass = inPieces!.attention.reduce((sum, each) => sum + each, 0);
    expect(mass).toBeGreaterThan(0);
    expect(mass).toBeLessThan(heads * 500);
    // Of a continuation of one token the whole mass is on the prompt and itself.
    const at = 1025;
    const prompt = ids.slice(0, at);
    const [one] = await scoreWithAttention(model, [{ prompt, continuation: [ids[at]!] }]);
    const shorter = await scoreWithAttention(model, [
      { prompt: prompt.slice(0, 900), continuation: ids.slice(900, 1000) },
    ]);
    const sliced = await scoreWithAttention(
      model,
      [{ prompt: prompt.slice(0, 900), continuation: ids.slice(900, 1000) }],
      large,
    );
    expect(one!.attention.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(heads + 1e-4);
    expect(apart(shorter[0]!.attention, sliced[0]!.attention)).toBeLessThan(1e-3);
  });

  it("end between two pieces when their signal says so", async () => {
    const controller = new AbortController();
    let parts = 0;
    const turn: ScoreOptions["turn"] = (work) => {
      if (++parts === 3) controller.abort();
      return work();
    };
    const scoring = score(model, [idsOf(model, 4000, 7)], { turn, signal: controller.signal });
    await expect(scoring).rejects.toThrow("scoring was interrupted");
    expect(parts).toBe(3);
  });

  it("are computed in smaller parts the larger the model", () => {
    const size = (intermediateSize: number) => turnTokens({ ...model.config, intermediateSize }, 2000);
    expect(size(48)).toBe(1024);
    expect(size(1e6)).toBe(64);
    expect(size(1e9)).toBe(16);
  });
});

/** Options that give each part a turn. */
const large: ScoreOptions = { turn: (work) => work() };

function longModel(): HostModel {
  return randomModel({ max_position_embeddings: CONTEXT });
}
