import { createRandom } from "thoughtbook/core";
import {
  type Generation,
  type GenerationRequest,
  generate,
  type HostModel,
  initializeAdapter,
  openGenerator,
  parseConfig,
  promptEmbeddings,
  resolveRequests,
} from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { type Waiting, waitingFor } from "../../../lib/dist/model/generate/admission.js";
import type { Batch } from "../../../lib/dist/model/generate/batch.js";
import { createCache } from "../../../lib/dist/model/generate/cache.js";
import { createPrefixStore } from "../../../lib/dist/model/generate/prefix-store.js";
import { nextGroups } from "../../../lib/dist/model/generate/queue.js";
import { createReadingPace } from "../../../lib/dist/model/generate/reading-pace.js";
import { fittingTexts } from "../../../lib/dist/model/generate/sizes.js";
import type { Submission } from "../../../lib/dist/model/generate/submission.js";
import { apart, CONFIG, randomModel } from "./helpers.js";

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
    randomModel({
      model_type: "gpt2",
      n_embd: 32,
      n_layer: 2,
      n_head: 4,
      n_positions: 700,
      n_inner: 48,
      vocab_size: 300,
    }),
  ],
];
const adapted = randomModel();
FAMILIES.push([
  "llama with an adapter",
  {
    ...adapted,
    adapter: { scale: 2, parameters: noisy(initializeAdapter(adapted.config, { rank: 4, seed: 1 }).parameters) },
  },
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
      expectSame(
        texts,
        expected.map((text, i) => ({ ...text, request: i })),
      );
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

describe("shared beginnings", () => {
  const question = (head: readonly number[], length = 20) => ({
    prompt: [...head, ...tokens(length)],
    maxNewTokens: 6,
    stopIds: [],
    seed: 1,
  });

  it("are computed once: in one call, in the next, and across submissions", async () => {
    const model = randomModel();
    const head = tokens(320);
    const generator = openGenerator(model);
    await generator.submit(Array.from({ length: 32 }, () => question(head)));
    const { tokens: asked, computed } = generator.prompts;
    expect(asked).toBe(32 * 340);
    expect(computed).toBe(340 + 31 * 20);
    await generator.submit([question(head)]);
    expect(generator.prompts.computed - computed).toBe(20);
    await generator.close();
    // A later call of the same model.
    const shared: number[] = [];
    await generate(model, [question(head)], { onPrompt: (prompt) => shared.push(prompt.shared) });
    expect(shared).toEqual([320]);
  });

  it("are those of one request's samples, however few rows there are", async () => {
    const generator = openGenerator(randomModel(), { batchSize: 2 });
    await generator.submit([{ ...question(tokens(579), 21), samples: 8, temperature: 1 }]);
    // The first two compute it whole, others take it from them but for its end.
    expect(generator.prompts).toEqual({ tokens: 600, shared: 0, computed: 600 });
    await generator.close();
  });

  it("are never those of other weights: replaced, or changed by one number where they are", async () => {
    const model = randomModel();
    const asked = [question(tokens(200)), question(tokens(200))];
    await generate(model, asked);
    const generator = openGenerator(model);
    await generator.submit(asked);
    expect(generator.prompts.shared).toBeGreaterThan(300);
    for (const name of ["model.layers.0.self_attn.k_proj.weight", "model.layers.1.mlp.up_proj.weight"]) {
      const { data } = model.weights[name]!;
      for (const at of [0, 7, data.length - 1]) {
        data[at] = -3 * data[at]! - 1;
        const before = generator.prompts.shared;
        const texts = await generator.submit(asked);
        expect(generator.prompts.shared).toBe(before);
        const fresh = { config: { ...model.config }, weights: structuredClone(model.weights) };
        expectSame(texts, await generate(fresh, asked, { prefixMemory: 0 }));
        let known = 0;
        await generate(model, asked, { onPrompt: ({ shared }) => (known += shared) });
        expect(known).toBeGreaterThan(300);
      }
    }
    await generator.close();
    // Other weights, or another adapter on the same ones.
    const others: HostModel[] = [
      { config: model.config, weights: randomModel().weights },
      {
        ...model,
        adapter: { scale: 1, parameters: noisy(initializeAdapter(model.config, { rank: 2, seed: 1 }).parameters) },
      },
    ];
    for (const other of others) {
      let known = 0;
      const texts = await generate(other, asked, { onPrompt: ({ shared }) => (known += shared) });
      expect(known).toBe(0);
      expectSame(texts, await alone(other, asked));
      if (!other.adapter) continue;
      const stronger = { ...other, adapter: { ...other.adapter, scale: 3 } };
      await generate(stronger, asked, { onPrompt: ({ shared }) => (known += shared) });
      expect(known).toBe(0);
    }
  });

  it("of embeddings are shared where they are identical", async () => {
    const model = randomModel();
    const soft = {
      shape: [64, 32],
      dtype: "float32" as const,
      data: Float32Array.from({ length: 64 * 32 }, (_, i) => Math.sin(i)),
    };
    const other = { ...soft, data: soft.data.map((x) => x + 1e-3) };
    const ends = [tokens(20), tokens(25), tokens(30)];
    const asked = [
      ...ends.map((ids) => promptEmbeddings(model, ids, soft)),
      promptEmbeddings(model, ends[0]!, other),
    ].map((prompt, seed) => ({ prompt, seed, maxNewTokens: 6, stopIds: [] }));
    const generator = openGenerator(model);
    const texts = await generator.submit(asked);
    expect(generator.prompts.shared).toBe(2 * 64);
    expectSame(
      texts,
      (await alone(model, asked)).map((text, request) => ({ ...text, request })),
    );
    await generator.close();
  });

  it("stay within their memory, and the oldest are given up first", async () => {
    const { config } = randomModel();
    const cache = createCache(config, 1, 64);
    // A block of 16 tokens, 2 layers, keys and values, 2 heads of width 8, 4 bytes.
    const block = 16 * 2 * 2 * 2 * 8 * 4;
    const store = createPrefixStore(config, 5 * block);
    store.add(["a", "b"], cache, 0);
    store.add(["a", "c"], cache, 0);
    store.add(["x"], cache, 0);
    expect([store.bytes, store.find(["a", "b", "y"]).length]).toEqual([4 * block, 32]);
    store.add(["p", "q", "r"], cache, 0);
    expect(store.bytes).toBe(5 * block);
    expect([["a", "b"], ["a", "c"], ["x"], ["p", "q", "r"]].map((keys) => store.find(keys).length)).toEqual([
      32, 16, 0, 48,
    ]);
    // More than there is room for: as much of its beginning as fits.
    store.add(["1", "2", "3", "4", "5", "6", "7"], cache, 0);
    expect([store.bytes, store.find(["1", "2", "3", "4", "5", "6"]).length]).toEqual([5 * block, 80]);
    const generator = openGenerator(randomModel(), { prefixMemory: 0 });
    const head = tokens(100);
    await generator.submit([question(head), question(head)]);
    expect(generator.prompts.shared).toBe(0);
    await generator.close();
    expect(() => openGenerator(randomModel(), { prefixMemory: -1 })).toThrow(/prefixMemory is -1/);
  });
});

describe("memory for fewer texts than a request has samples", () => {
  const model = randomModel();
  const batchOf = (rows: number, texts: number) =>
    ({
      rows,
      capacity: 64,
      sequences: Array.from({ length: rows }, (_, row) => (row < texts ? {} : undefined)),
      readings: Array.from({ length: rows }),
    }) as unknown as Batch;
  const queueOf = () => {
    const [request] = resolveRequests(model.config, [{ prompt: [3, 4], samples: 8, maxNewTokens: 9 }], {});
    return [waitingFor(request!, {} as Submission)];
  };
  const next = (queue: Waiting[], batch: Batch, room: number) =>
    nextGroups(queue, {
      model,
      batch,
      room,
      pace: createReadingPace(model.config),
      store: undefined,
      together: true,
    }).flatMap(({ admissions }) => admissions.map(({ first, count }) => [first, count]));

  it("starts as many as fit when nothing else is in progress, and else keeps them together", () => {
    const queue = queueOf();
    expect(next(queue, batchOf(8, 0), 5)).toEqual([[0, 5]]);
    expect(next(queue, batchOf(8, 5), 2)).toEqual([]);
    expect(next(queue, batchOf(8, 5), 3)).toEqual([[5, 3]]);
    expect(queue).toEqual([]);
    expect(next(queueOf(), batchOf(16, 3), 7)).toEqual([]);
  });

  it("counts the tokens of all rows, and always lets one text in", () => {
    const large = parseConfig({
      ...CONFIG,
      hidden_size: 4096,
      num_attention_heads: 32,
      num_key_value_heads: 32,
      num_hidden_layers: 40,
      max_position_embeddings: 32768,
    });
    // 1.25 MiB a token: 819 tokens in 1 GiB.
    const big = { config: large, weights: {} };
    const text = (length: number) => ({ length, limit: 10 });
    expect(fittingTexts(big, [], [text(190), text(190), text(190), text(190), text(190)], 64)).toBe(4);
    expect(fittingTexts(big, [text(390)], [text(390), text(390)], 64)).toBe(1);
    expect(fittingTexts(big, [text(390)], [text(900)], 64)).toBe(0);
    expect(fittingTexts(big, [], [text(9000), text(9000)], 64)).toBe(1);
    expect(fittingTexts(big, [], [text(20), text(20), text(20)], 2)).toBe(2);
  });
});

describe("a long prompt", () => {
  it("is read between the steps of others, and its row is free at once when its caller leaves", async () => {
    const model = randomModel({ max_position_embeddings: 16384 });
    const generator = openGenerator(model, { pieceTokens: 16 });
    const stop = new AbortController();
    const request = { prompt: tokens(15_000), maxNewTokens: 3, stopIds: [], seed: 1 };
    const other = { prompt: tokens(5), maxNewTokens: 40, stopIds: [], seed: 2 };
    let steps = 0;
    let stepsBefore = 0;
    let left: Promise<unknown> | undefined;
    let long: Promise<Generation[]> | undefined;
    const [text] = await generator.submit([other], {
      onToken: () => {
        steps++;
        if (steps === 3) {
          const asked = generator.submit([{ ...request, prompt: tokens(16_000) }], { signal: stop.signal });
          left = asked.catch((error: unknown) => error);
        }
        if (steps === 4) {
          expect(generator.active).toBe(2);
          stop.abort();
          long = generator.submit([request], {
            onToken: () => {
              stepsBefore ||= steps;
            },
          });
        }
        // The one that left has made room for the other.
        if (steps > 5) expect(generator.active).toBeLessThanOrEqual(2);
      },
    });
    expect(await left).toMatchObject({ code: "interrupted" });
    const texts = await long!;
    expect(stepsBefore).toBeGreaterThan(4);
    expectSame([text!], await alone(model, [other]));
    expectSame(texts, await alone(model, [request]));
    await generator.close();
  });

  it("is interrupted while it is read", async () => {
    const generator = openGenerator(randomModel(), { pieceTokens: 16 });
    const stop = new AbortController();
    const reading = generator.submit([{ prompt: tokens(2000), maxNewTokens: 3 }], { signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: "interrupted" });
    expect(generator.active + generator.waiting).toBe(0);
    await generator.close();
  });
});
