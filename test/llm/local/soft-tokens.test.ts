import { loadLocalModel, nearestTokens, softIds, softPromptOf, withSoftPrompt, withSoftTokens } from "thoughtbook/llm";
import { tensorData } from "thoughtbook/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";

let model: Awaited<ReturnType<typeof loadLocalModel>>;
beforeAll(async () => {
  model = await loadLocalModel("mini-scorer");
});

const options = { maxNewTokens: 12, temperature: 1, samples: 3, seed: 5 };

describe("withSoftPrompt", () => {
  it("writes what the model writes after the tokens whose embeddings the vectors are", async () => {
    const words = "Tom has 3 apples and";
    const ids = model.tokenizer!.encode(words, { addSpecialTokens: false });
    const soft = withSoftPrompt(model, await softPromptOf(model, words, ids.length));
    const question = model.tokenizer!.encode(" 4 pens.", { addSpecialTokens: false });
    const finished: number[][] = [];
    const onFinish = ({ tokens }: { tokens?: { promptIds: readonly number[] } }) =>
      finished.push([...tokens!.promptIds]);
    const [after] = await soft.generate([{ prompt: { ids: question }, ...options }], { onFinish });
    const [plain] = await model.generate([{ prompt: { ids: [...ids, ...question] }, ...options }]);
    expect(after!.map(({ text }) => text)).toEqual(plain!.map(({ text }) => text));
    expect(after![0]!.promptTokens).toBe(plain![0]!.promptTokens);
    // Completions name the vectors among their prompt ids.
    const named = [...softIds(model, ids.length), ...question];
    expect(after!.map(({ tokens }) => tokens!.promptIds)).toEqual([named, named, named]);
    expect(finished).toEqual([named, named, named]);
    expect(await soft.countTokens({ ids: question })).toBe(named.length);
    expect(soft.contextLength).toBe(model.contextLength! - ids.length);
  });

  it("without vectors writes what the model writes", async () => {
    const none = withSoftPrompt(model, {
      shape: [0, model.config.hiddenSize],
      dtype: "float32",
      data: new Float32Array(),
    });
    const request = { prompt: "Tom has", maxNewTokens: 12 };
    const [[own] = []] = await none.generate([request]);
    const [[plain] = []] = await model.generate([request]);
    expect(own).toEqual(plain);
  });

  it("refuses vectors of another width, ids of no vector, and embeddings after it", async () => {
    expect(await failure(async () => withSoftTokens(model, tensorData([1, 2], [1, 2])))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("[1, 2]"),
    });
    const vectors = await softPromptOf(model, "Tom", 2);
    const unknown = { prompt: { ids: [...softIds(model, 3), 5] }, maxNewTokens: 2 };
    expect(await failure(() => withSoftTokens(model, vectors).generate([unknown]))).toMatchObject({
      code: "bad-input",
    });
    const embedded = { prompt: { embeddings: vectors }, maxNewTokens: 2 };
    expect(await failure(async () => withSoftPrompt(model, vectors).generate([embedded]))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("cannot follow"),
    });
    expect(withSoftPrompt(model, vectors).capabilities.has("score")).toBe(false);
  });
});

describe("nearestTokens", () => {
  it("of a token's own embedding is the token, and of its opposite the farthest", async () => {
    const words = "Tom has 3";
    const ids = model.tokenizer!.encode(words, { addSpecialTokens: false });
    const vectors = await softPromptOf(model, words, ids.length);
    const near = await nearestTokens(model, vectors, { count: 2 });
    expect(near.map(([first]) => first!.id)).toEqual(ids);
    expect(near.map(([first]) => first!.text).join("")).toBe(words);
    for (const [first, second] of near) {
      expect(first!.cosine).toBeCloseTo(1, 5);
      expect(second!.cosine).toBeLessThan(1);
    }
    // A text that is too short is repeated.
    const again = await softPromptOf(model, words, ids.length + 1);
    expect((await nearestTokens(model, again, { count: 1 })).at(-1)![0]!.id).toBe(ids[0]);
  });
});
