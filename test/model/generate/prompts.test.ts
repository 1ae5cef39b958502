import { createRandom } from "thoughtbook/core";
import {
  type Generation,
  type GenerationRequest,
  generate,
  type HostModel,
  initializeAdapter,
  openGenerator,
  promptEmbeddings,
} from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { createPrefixStore } from "../../../lib/dist/model/generate/prefix-store.js";
import { createCache } from "../../../lib/dist/model/generate/cache.js";
import { apart, randomModel } from "./helpers.js";

const random = createRandom(3);
const tokens = (length: number) => Array.from({ length }, () => 3 + random.integer(290));

/** Small models of each family, with heads of widths that ONNX Runtime's attention takes and does not take. */
const FAMILIES: [string, HostModel][] = [
  ["llama", randomModel()],
  ["llama with heads of width 5", randomModel({ hidden_size: 20, head_dim: 6, num_attention_heads: 4 })],
  ["qwen2", randomModel({ model_type: "qwen2" })],
  ["qwen3", randomModel({ model_type: "qwen3", head_dim: 16 })],
  [
    "gpt2",
    randomModel({ model_type: "gpt2", n_embd: 32, n_layer: 2, n_head: 4, n_positions: 700, n_inner: 48, vocab_size: 300 }),
  ],
];
const adapted = randomModel();
FAMILIES.push([
  "llama with an adapter",
  { ...adapted, adapter: { scale: 2, parameters: noisy(initializeAdapter(adapted.config, { rank: 4, seed: 1 }).parameters) } },
]);

/** Adapters begin as nothing: give them an effect. */
function noisy<T extends Readonly<Record<string, { data: Float32Array }>>>(parameters: T): T {
  for (const { data } of Object.values(parameters))
    for (let i = 0; i < data.length; i++) data[i]! += 0.05 * Math.sin(i + data.length);
  return parameters;
}

async function alone(model: HostModel, requests: readonly GenerationRequest[]): Promise<Generation[]> {
  const texts: Generation[] = [];
  for (const request of requests) {
    texts.push(...(await generate(model, [request], { batchSize: 1, prefixMemory: 0 })));
  }
  return texts;
}

function expectSame(texts: readonly Generation[], expected: readonly Generation[]) {
  expect(texts.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
  for (const [i, { logProbs }] of texts.entries()) expect(apart(logProbs, expected[i]!.logProbs)).toBeLessThan(2e-4);
}

describe.each(FAMILIES)("texts of %s", (_, model) => {
  const requests = (head: readonly number[]): GenerationRequest[] =>
    [
      ...[5, 12, 12, 40, 20].map((length) => [...head, ...tokens(length)]),
      tokens(190),
      tokens(500),
      [...head, ...tokens(260)],
      tokens(9),
      [...head.slice(0, 70), ...tokens(30)],
    ].map((prompt, seed) => ({ prompt, seed, maxNewTokens: 8 + seed, stopIds: [], samples: seed === 2 ? 3 : 1 }));

  it("are the same with shared beginnings, in pieces, and both", async () => {
    for (const options of [{ pieceTokens: 16 }, { pieceTokens: 64, prefixMemory: 0 }, { batchSize: 3 }, {}]) {
      const all = requests(tokens(150));
      const expected = await alone(model, all);
      const generator = openGenerator(model, options);
      const texts = await generator.submit(all);
      expectSame(texts, expected.map((text, i) => ({ ...text, request: i })));
      const { tokens: asked, shared, computed } = generator.prompts;
      expect(asked).toBe(all.reduce((sum, { prompt }) => sum + (prompt as number[]).length, 0));
      if (options.prefixMemory === 0) expect(shared).toBe(0);
      else expect(shared).toBeGreaterThanOrEqual(5 * 144 + 64);
      expect(computed).toBe(asked - shared);
      // The next turn: the prompt and its text are known.
      const turn = [...(all[5]!.prompt as number[]), ...texts[7]!.ids, ...tokens(10)];
      const next = [{ prompt: turn, maxNewTokens: 8, stopIds: [], seed: 4 }];
      let known = 0;
      const answer = await generator.submit(next, { onPrompt: ({ shared }) => (known = shared) });
      expectSame(answer, await alone(model, next));
      if (options.prefixMemory !== 0) expect(known).toBeGreaterThanOrEqual(192);
      await generator.close();
    }
  });
});
