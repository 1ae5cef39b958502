import { generate, openEngine, promptEmbeddings, score, scoreWithAttention } from "thoughtbook/model";
import { emptyTensor, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { createCache } from "../../../lib/dist/model/generate/cache.js";
import { createQuantisedRunner } from "../../../lib/dist/model/generate/quantised-runner.js";
import { gpt2, type Kind, llama, quantisedModel } from "./models.js";

const SEQUENCES = [3, 17, 40].map((length) => Array.from({ length }, (_, i) => (7 * i + length) % 300));
const MIXED = (name: string): Kind =>
  name.includes("down") ? "Q4_1" : name.includes("up") ? "Q6_K" : name.includes("gate") ? "Q4_0" : "Q8_0";
const meanDifference = (a: readonly Float32Array[], b: readonly Float32Array[]) => {
  const numbers = a.flatMap((each, i) => [...each].map((x, j) => Math.abs(x - b[i]![j]!)));
  return numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
};

describe("fast products", () => {
  it.each([
    ["of several kinds of blocks", llama(), MIXED],
    ["with offsets", llama(), () => "Q5_1" as const],
    ["with tied embeddings", llama({ tie_word_embeddings: true }), MIXED],
    ["with biases", llama({ model_type: "qwen2" }), MIXED],
    ["with norms of heads", llama({ model_type: "qwen3", head_dim: 16 }), MIXED],
    ["of GPT-2", gpt2(), MIXED],
    ["with heads that the operator does not rotate", llama({ num_attention_heads: 8, num_key_value_heads: 2 }), MIXED],
  ])("give the log-probabilities of the same weights in float32, %s", async (_, config, kindOf) => {
    const { source, exact } = quantisedModel(config, kindOf);
    const engine = await openEngine(source);
    const fast = { config, weights: {}, quantised: engine };
    const difference = meanDifference(await score(fast, SEQUENCES), await score(exact, SEQUENCES));
    await engine.dispose();
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.03);
  });

  it("are one computation for prompts side by side, pieces and steps", async () => {
    const config = llama();
    const engine = await openEngine(quantisedModel(config, MIXED).source);
    const runner = createQuantisedRunner(engine);
    const ids = SEQUENCES[1]!;
    const row = (from: number, count: number) => tensorData(Int32Array.from(ids.slice(from, from + count)), [1, count]);
    const padded = emptyTensor([2, 20], "int32");
    padded.data.set(ids);
    padded.data.set(SEQUENCES[0]!, 20);
    const whole = await runner.prefill({ prompt: padded, last: tensorData(Int32Array.of(16, 22), [2]) });
    const cache = createCache(config, 1, 32);
    await runner.piece({ prompt: row(0, 10), count: 10, from: 0, cache });
    const last = tensorData(Int32Array.from([...ids.slice(10, 16), 0, 0]), [1, 8]);
    await runner.piece({ prompt: last, count: 6, from: 10, cache });
    const { keys, values } = cache;
    const spare = emptyTensor([1, 300], "float32");
    const lengths = tensorData(Int32Array.of(17), [1]);
    const stepped = await runner.step({ ids: row(16, 1), lengths, cache: { keys, values }, spare });
    for (let id = 0; id < 300; id++) {
      expect(Math.abs(stepped.logProbs.data[id]! - whole.scores.logProbs.data[id]!)).toBeLessThan(0.05);
    }
    await engine.dispose();
  });

  it("generate, from ids and embeddings, the texts of float32 where no two tokens are near", async () => {
    const config = llama();
    const { source, exact } = quantisedModel(config, () => "Q8_0");
    const engine = await openEngine(source);
    const fast = { config, weights: {}, quantised: engine };
    const requests = SEQUENCES.flatMap((prompt) => [{ prompt }, { prompt: promptEmbeddings(fast, prompt) }]);
    const options = { temperature: 0, maxNewTokens: 4 };
    const texts = await generate(fast, requests, options);
    const wanted = await generate(exact, requests, options);
    await engine.dispose();
    expect(texts.map(({ ids }) => ids[0])).toEqual(wanted.map(({ ids }) => ids[0]));
    for (let i = 0; i < texts.length; i += 2) expect(texts[i]!.ids).toEqual(texts[i + 1]!.ids);
  });

  it("have no attention to give, and say so", async () => {
    const config = llama();
    const engine = await openEngine(quantisedModel(config, MIXED).source);
    await expect(scoreWithAttention({ config, weights: {}, quantised: engine }, SEQUENCES)).rejects.toThrow(
      "attention cannot be had of quantised products",
    );
    await engine.dispose();
  });

  it("refuse heads that ONNX Runtime's operator does not take", async () => {
    const config = llama({ hidden_size: 96, num_attention_heads: 8, num_key_value_heads: 8, head_dim: 12 });
    await expect(openEngine(quantisedModel(config, MIXED).source)).rejects.toThrow("heads of width 12");
  });
});

describe("weights that are kept in blocks", () => {
  it.each([llama(), gpt2()])("give what the same weights in float32 give, in less memory: $family", async (config) => {
    const { exact, low } = quantisedModel(config, MIXED);
    const scores = await score(low, SEQUENCES);
    for (const [i, wanted] of (await score(exact, SEQUENCES)).entries()) {
      for (const [j, logProb] of wanted.entries()) expect(scores[i]![j]).toBeCloseTo(logProb, 5);
    }
    const options = { temperature: 0, maxNewTokens: 8 };
    const requests = SEQUENCES.flatMap((prompt) => [{ prompt }, { prompt: promptEmbeddings(low, prompt) }]);
    const texts = await generate(low, requests, options);
    expect(texts.map(({ ids }) => ids)).toEqual((await generate(exact, requests, options)).map(({ ids }) => ids));
    const bytes = (tensors: object) => Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(bytes({ ...low.weights, ...low.blocks })).toBeLessThan(bytes(exact.weights) / 2.5);
  });
});
