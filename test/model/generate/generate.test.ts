import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import {
  type Generation,
  type GenerationRequest,
  generate,
  type HostModel,
  initializeAdapter,
  mergeAdapter,
  promptEmbeddings,
  score,
  type Tokenizer,
} from "thoughtbook/model";
import { tensorData } from "thoughtbook/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apart, checkpoint, expectedOf, PARITY, parityIds, randomModel, tokenizerOf } from "./helpers.js";

const idsOf = (generations: readonly Generation[]) => generations.map(({ ids }) => ids);

/** Prompts of many lengths. */
function prompts(count: number, vocabulary: number, seed: number): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + random.integer(40) }, () => random.integer(vocabulary)),
  );
}

/** Each new id's log-probability, by computing the whole text at once. */
async function recompute(model: HostModel, requests: readonly GenerationRequest[], generations: readonly Generation[]) {
  const sequences = generations.map(({ request, ids }) => ({
    prompt: requests[request]!.prompt as readonly number[],
    continuation: ids,
  }));
  return score(model, sequences);
}

describe("generate against PyTorch", () => {
  it.each(PARITY)("greedy ids of %s", async (name) => {
    const model = await checkpoint(name);
    const { greedy_continuation_of_row_0: expected } = expectedOf<{ greedy_continuation_of_row_0: number[] }>(name);
    const prompt = await parityIds(name);
    const others = prompts(5, model.config.vocabularySize, 1).map((prompt) => ({ prompt }));
    const requests = [{ prompt }, ...others].map((request) => ({
      ...request,
      temperature: 0,
      maxNewTokens: expected.length,
    }));
    expect((await generate(model, requests.slice(0, 1)))[0]).toMatchObject({ ids: expected, text: undefined });
    // In a batch with others, whose prompts have other lengths, too.
    expect((await generate(model, requests))[0]!.ids).toEqual(expected);
  });

  it("the story of stories260k", async () => {
    const model = await checkpoint("stories260k");
    const { greedy_ids, greedy_text, prompt_ids, vocabulary } = expectedOf<{
      greedy_ids: number[];
      greedy_text: string;
      prompt_ids: number[];
      vocabulary: { piece: string }[];
    }>("stories260k");
    const maxNewTokens = greedy_ids.length - prompt_ids.length;
    const [story] = await generate(model, [{ prompt: prompt_ids, temperature: 0, maxNewTokens }]);
    expect([...prompt_ids, ...story!.ids]).toEqual(greedy_ids);
    expect(story!.ids.map((id) => vocabulary[id]!.piece).join("")).toBe(greedy_text);
    expect(story!.finishReason).toBe("length");
  });
});

describe("cached generation", () => {
  it.each([...PARITY, "stories260k"])("equals recomputation: %s", async (name) => {
    const model = await checkpoint(name);
    const all = prompts(80, model.config.vocabularySize, 2).map((prompt, i) => ({
      prompt,
      maxNewTokens: 3 + ((5 * i) % 17),
      stopIds: [],
    }));
    for (const batchSize of [1, 3, 64]) {
      const requests = all.slice(0, batchSize === 64 ? 80 : 7);
      const generations = await generate(model, requests, { batchSize, seed: 5 });
      expect(generations.map(({ ids }) => ids.length)).toEqual(requests.map(({ maxNewTokens }) => maxNewTokens));
      const scores = await recompute(model, requests, generations);
      for (const [i, { logProbs }] of generations.entries()) expect(apart(logProbs, scores[i]!)).toBeLessThan(1e-4);
    }
  });

  it("gives each request its own text, whatever the batch, the others and their order", async () => {
    const model = await checkpoint("stories260k");
    const requests = prompts(11, 512, 3).map((prompt, i) => ({
      prompt,
      seed: i,
      maxNewTokens: 4 + ((7 * i) % 23),
      ...[{}, { temperature: 0.7 }, { topP: 0.8 }, { topK: 5, repetitionPenalty: 1.3 }, { temperature: 0 }][i % 5],
    }));
    const alone = await generate(model, requests, { batchSize: 1 });
    for (const batchSize of [2, 5, 16]) {
      expect(idsOf(await generate(model, requests, { batchSize }))).toEqual(idsOf(alone));
      const reversed = await generate(model, requests.toReversed(), { batchSize });
      expect(idsOf(reversed).toReversed()).toEqual(idsOf(alone));
    }
    const other = await generate(model, requests, { batchSize: 4 });
    for (const [i, { logProbs }] of other.entries()) expect(apart(logProbs, alone[i]!.logProbs)).toBeLessThan(1e-4);
  });

  it("shares a prompt among samples, more of them than rows too", async () => {
    const model = await checkpoint("stories260k");
    const request = { prompt: [1, 403, 407], samples: 7, maxNewTokens: 9, temperature: 2 };
    const [first, again, other] = await Promise.all([
      generate(model, [request, request], { seed: 1, batchSize: 3 }),
      generate(model, [request, request], { seed: 1 }),
      generate(model, [request, request], { seed: 2 }),
    ]);
    expect(first.map(({ request, sample }) => [request, sample])).toEqual(
      [0, 1].flatMap((request) => Array.from({ length: 7 }, (_, sample) => [request, sample])),
    );
    expect(idsOf(first)).toEqual(idsOf(again));
    expect(new Set(first.map(({ ids }) => ids.join())).size).toBeGreaterThan(10);
    expect(idsOf(first)).not.toEqual(idsOf(other));
    const last = await generate(model, [{ ...request, samples: 2, firstSample: 5 }, request], { seed: 1 });
    expect(last.slice(0, 2).map(({ sample }) => sample)).toEqual([0, 1]);
    expect(idsOf(last.slice(0, 2))).toEqual(idsOf(again.slice(5, 7)));
  });

  it("outgrows its first cache, and shrinks when rows end for good", async () => {
    const model = randomModel({ num_hidden_layers: 1 });
    const requests = [600, 20, 20, 20, 300].map((maxNewTokens, i) => ({
      prompt: [i + 2, 9],
      maxNewTokens,
      stopIds: [],
    }));
    const generations = await generate(model, requests, { seed: 8 });
    expect(generations.map(({ ids }) => ids.length)).toEqual([600, 20, 20, 20, 300]);
    const scores = await recompute(model, requests, generations);
    for (const [i, { logProbs }] of generations.entries()) expect(apart(logProbs, scores[i]!)).toBeLessThan(1e-4);
  });

  it("fills the context to its end", async () => {
    const model = await checkpoint("gpt2");
    const prompt = Array.from({ length: 60 }, (_, i) => i);
    const requests = [{ prompt, stopIds: [] }];
    const [full] = await generate(model, requests);
    expect(full).toMatchObject({ finishReason: "length" });
    expect(full!.ids.length).toBe(4);
    expect(apart(full!.logProbs, (await recompute(model, requests, [full!]))[0]!)).toBeLessThan(1e-4);
  });
});

describe("what ends a text", () => {
  it("a stop id, which is its last id", async () => {
    const model = await checkpoint("stories260k");
    const [whole] = await generate(model, [{ prompt: [1], temperature: 0, maxNewTokens: 12 }]);
    const stopId = whole!.ids[5]!;
    const [cut] = await generate(model, [{ prompt: [1], temperature: 0, stopIds: [stopId] }]);
    expect(cut).toMatchObject({ ids: whole!.ids.slice(0, 6), finishReason: "stop" });
    // The first new token already.
    expect(await generate(model, [{ prompt: [1], temperature: 0, stopIds: [whole!.ids[0]!] }])).toMatchObject([
      { ids: [whole!.ids[0]], finishReason: "stop" },
    ]);
  });

  it("the ids of the configuration, unless told otherwise", async () => {
    const model = randomModel({ eos_token_id: [7, 9] });
    const requests = Array.from({ length: 40 }, () => ({ prompt: [3], maxNewTokens: 200 }));
    const stopped = (await generate(model, requests)).filter(({ finishReason }) => finishReason === "stop");
    expect(stopped.length).toBeGreaterThan(3);
    for (const { ids } of stopped) {
      expect([7, 9]).toContain(ids.at(-1));
      expect(ids.slice(0, -1)).not.toContain(7);
    }
    const free = await generate(model, requests, { stopIds: [] });
    expect(free.every(({ ids, finishReason }) => ids.length === 200 && finishReason === "length")).toBe(true);
  });
});

describe("text", () => {
  let folder: string;
  let tokenizer: Tokenizer;
  const model = randomModel();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-generate-"));
    tokenizer = await tokenizerOf(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const requests = () =>
    Array.from({ length: 12 }, (_, seed) => ({
      prompt: tokenizer.encode("the cat"),
      seed,
      maxNewTokens: 40,
      stopIds: [],
    }));

  it("is what the ids add to the prompt's, streamed or not", async () => {
    const plain = await generate(model, requests(), { tokenizer, batchSize: 4 });
    const pieces = plain.map(() => "");
    const streamed = await generate(model, requests(), {
      tokenizer,
      onText: ({ request, text }) => {
        pieces[request] += text;
      },
    });
    expect(streamed).toEqual(plain.map((each) => ({ ...each, logProbs: expect.any(Array) })));
    for (const [i, { text, ids }] of plain.entries()) {
      expect(text).toBe(tokenizer.decode(ids, { skipSpecialTokens: true }));
      expect(pieces[i]).toBe(text);
    }
  });

  it("is cut before a stop string, which may span tokens and is never streamed", async () => {
    const plain = await generate(model, requests(), { tokenizer });
    for (const [i, { text, ids }] of plain.entries()) {
      for (const length of [1, 3, 6]) {
        const at = text!.length >> 1;
        const stop = text!.slice(at, at + length);
        let streamed = "";
        const [cut] = await generate(model, [{ ...requests()[i]!, stopStrings: ["never in it", stop] }], {
          tokenizer,
          onText: ({ text }) => {
            streamed += text;
          },
        });
        expect(cut!.text).toBe(text!.slice(0, text!.indexOf(stop)));
        expect(streamed).toBe(cut!.text);
        expect(cut!.finishReason).toBe("stop");
        expect(ids.slice(0, cut!.ids.length)).toEqual(cut!.ids);
        expect(cut!.logProbs.length).toBe(cut!.ids.length);
      }
    }
  });

  it("does not hold the id that ended it", async () => {
    const [whole] = await generate(model, requests().slice(0, 1), { tokenizer });
    const stopId = whole!.ids.at(-1)!;
    const [cut] = await generate(model, [{ ...requests()[0]!, stopIds: [stopId] }], { tokenizer });
    expect(cut!.text).toBe(tokenizer.decode(cut!.ids.slice(0, -1), { skipSpecialTokens: true }));
  });

  it("has nothing for ids that the model has and the tokenizer lacks", async () => {
    const large = randomModel({ vocab_size: 600 });
    let streamed = "";
    const [text] = await generate(large, requests().slice(0, 1), {
      tokenizer,
      onText: (piece) => {
        streamed += piece.text;
      },
    });
    const known = text!.ids.filter((id) => id < tokenizer.vocabularySize);
    expect(known.length).toBeLessThan(text!.ids.length);
    expect(text!.text).toBe(tokenizer.decode(known, { skipSpecialTokens: true }));
    expect(streamed).toBe(text!.text);
    const [again] = await generate(large, requests().slice(0, 1), { tokenizer });
    expect(again).toEqual(text);
  });
});

describe("prompts of embeddings", () => {
  it.each(PARITY)("are the same as their ids: %s", async (name) => {
    const model = await checkpoint(name);
    const ids = await parityIds(name);
    const options = { temperature: 0, maxNewTokens: 8 };
    const [byIds, byEmbeddings] = await generate(
      model,
      [{ prompt: ids }, { prompt: promptEmbeddings(model, ids) }],
      options,
    );
    expect(byEmbeddings!.ids).toEqual(byIds!.ids);
    expect(apart(byEmbeddings!.logProbs, byIds!.logProbs)).toBeLessThan(1e-5);
    const soft = tensorData(
      Float32Array.from({ length: 2 * model.config.hiddenSize }, (_, i) => Math.sin(i)),
      [2, model.config.hiddenSize],
    );
    const [steered] = await generate(model, [{ prompt: promptEmbeddings(model, ids, soft) }], options);
    expect(apart(steered!.logProbs.slice(0, 1), byIds!.logProbs.slice(0, 1))).toBeGreaterThan(1e-3);
  });
});

describe("adapters", () => {
  it("generate as the merged weights do", async () => {
    const { config, weights } = randomModel();
    const adapter = initializeAdapter(config, { rank: 2, seed: 1 });
    const random = createRandom("b");
    for (const { data } of Object.values(adapter.parameters)) {
      for (let i = 0; i < data.length; i++) data[i] = 0.2 * random.normal();
    }
    const requests = [{ prompt: [3, 4, 5], maxNewTokens: 20, stopIds: [] }];
    const [plain] = await generate({ config, weights }, requests);
    const [adapted] = await generate({ config, weights, adapter }, requests);
    const [merged] = await generate({ config, weights: mergeAdapter(config, weights, adapter) }, requests);
    expect(adapted!.ids).toEqual(merged!.ids);
    expect(apart(adapted!.logProbs, merged!.logProbs)).toBeLessThan(1e-4);
    expect(adapted!.ids).not.toEqual(plain!.ids);
  });
});

describe("errors before any work", () => {
  const model = randomModel();
  const bad: [string, GenerationRequest, RegExp][] = [
    [
      "an id outside the vocabulary",
      { prompt: [3, 300] },
      /prompt of request 0 has the id 300 at place 1, expected a whole number from 0 to 299/,
    ],
    ["an id that is no whole number", { prompt: [0.5] }, /has the id 0.5/],
    ["an empty prompt", { prompt: [] }, /prompt of request 0 is empty/],
    [
      "a prompt as long as the context",
      { prompt: Array(2048).fill(3) },
      /2048 tokens, which leaves no room in the model's context of 2048/,
    ],
    [
      "embeddings of another width",
      { prompt: tensorData([1, 2, 3], [1, 3]) },
      /float32 \[1, 3\], expected float32 \[time, 32\]/,
    ],
    ["no new tokens", { prompt: [3], maxNewTokens: 0 }, /maxNewTokens is 0/],
    ["half a sample", { prompt: [3], samples: 0.5 }, /samples is 0.5/],
    ["stop strings without a tokenizer", { prompt: [3], stopStrings: ["x"] }, /a stop string needs a tokenizer/],
    ["an empty stop string", { prompt: [3], stopStrings: [""] }, /a stop string is empty/],
    ["a temperature below 0", { prompt: [3], temperature: -1 }, /temperature is -1/],
  ];
  it.each(bad)("%s", async (_, request, message) => {
    await expect(generate(model, [request])).rejects.toThrow(message);
  });

  it("weights that are no numbers", async () => {
    const weights = { ...model.weights };
    const gain = weights["model.norm.weight"]!;
    weights["model.norm.weight"] = { ...gain, data: new Float32Array(gain.data.length).fill(Number.NaN) };
    await expect(generate({ ...model, weights }, [{ prompt: [3] }])).rejects.toThrow(
      /scores of request 0 are no numbers \(NaN\): its weight model\.norm\.weight/,
    );
  });
});

it("can be interrupted, and what was finished is kept", async () => {
  const model = randomModel();
  const stop = new AbortController();
  const kept: Generation[] = [];
  const requests = Array.from({ length: 9 }, (_, i) => ({ prompt: [i], maxNewTokens: 5 * (i + 1), stopIds: [] }));
  const work = generate(model, requests, {
    signal: stop.signal,
    batchSize: 2,
    onFinish: (generation) => {
      kept.push(generation);
      if (kept.length === 3) stop.abort();
    },
  });
  await expect(work).rejects.toMatchObject({ code: "interrupted" });
  expect(kept.length).toBe(3);
});

it("lets the event loop run between tokens", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await generate(randomModel(), [{ prompt: [3], maxNewTokens: 100, stopIds: [] }]);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(3);
});
