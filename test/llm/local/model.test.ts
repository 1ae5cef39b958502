import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Completion,
  createLocalModel,
  type LanguageModel,
  type LocalModel,
  loadLocalModel,
  loadModel,
  type RequestPlace,
  requireCapability,
} from "thoughtbook/llm";
import {
  generate,
  hashCheckpoint,
  openCheckpoint,
  parameterCount,
  promptEmbeddings,
  readParameters,
} from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apart, CHECKPOINTS, writeChatModel } from "../../model/generate/helpers.js";

describe("a local model", () => {
  let folder: string;
  let model: LocalModel;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-llm-"));
    await writeChatModel(folder);
    model = await loadLocalModel(folder);
  });
  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it("says what it is and what it can do", async () => {
    const checkpoint = await openCheckpoint(folder);
    expect(model).toMatchObject({
      name: folder,
      contextLength: checkpoint.config.maxPositions,
      parameterCount: parameterCount(checkpoint.config),
    });
    expect(await model.hash()).toBe(await hashCheckpoint(checkpoint));
    expect([...model.capabilities].sort()).toEqual(
      [
        "attention",
        "chat",
        "countTokens",
        "gradients",
        "score",
        "softPrompts",
        "text",
        "tokenIds",
        "tokenLogProbs",
      ].sort(),
    );
    // The token that ends a text by config.json (1), which the tokenizer calls <|end|>.
    expect(model.endIds).toEqual([1]);
    expect(model.tokenizer!.tokenOf(1)).toBe("<|end|>");
  });

  it("generates samples of each request, and gives the ids a policy gradient needs", async () => {
    const finished: [Completion, RequestPlace][] = [];
    const requests = [{ prompt: "the cat" }, { prompt: { ids: [3, 9] }, samples: 3, maxNewTokens: 5 }];
    const results = await model.generate(requests, {
      maxNewTokens: 8,
      seed: 3,
      onFinish: (...each) => finished.push(each),
    });
    expect(results.map(({ length }) => length)).toEqual([1, 3]);
    const direct = await generate(
      await model.host(),
      [
        { prompt: model.encode("the cat"), maxNewTokens: 8 },
        { prompt: [3, 9], samples: 3, maxNewTokens: 5 },
      ],
      { seed: 3, tokenizer: model.tokenizer },
    );
    for (const [i, completion] of results.flat().entries()) {
      const { ids, logProbs, text, finishReason, request } = direct[i]!;
      const promptIds = [model.encode("the cat"), [3, 9]][request]!;
      expect(completion).toEqual({
        text,
        finishReason,
        promptTokens: promptIds.length,
        completionTokens: ids.length,
        tokens: { promptIds, completionIds: ids, logProbs: expect.any(Array) },
      });
      expect(apart(completion.tokens!.logProbs, logProbs)).toBeLessThan(1e-5);
    }
    expect(finished.length).toBe(4);
    for (const [completion, { request, sample }] of finished) expect(results[request]![sample]).toBe(completion);
  });

  it("streams text", async () => {
    let streamed = "";
    const [[completion]] = (await model.generate([{ prompt: "the dog", stopStrings: ["q"] }], {
      onText: (text) => {
        streamed += text;
      },
    })) as [[Completion]];
    expect(streamed).toBe(completion.text);
  });

  it("writes conversations by the template, from ids of each part", async () => {
    const messages = [{ role: "user", content: "the cat <|end|>" }];
    const end = model.tokenizer!.idOf("<|end|>")!;
    const ids = model.encode({ messages, answer: "sat" });
    // The user's text cannot end its turn.
    expect(ids.filter((id) => id === end).length).toBe(1);
    expect(ids).toEqual([
      ...model.encode({ messages }),
      ...model.tokenizer!.encode("sat", { addSpecialTokens: false, continues: true }),
    ]);
    expect(model.tokenizer!.decode(ids)).toBe("<|user|>the cat <|end|><|end|><|assistant|>sat");
    expect(await model.countTokens({ messages, answer: "sat" })).toBe(ids.length);
    const [[byChat], [byIds]] = (await model.generate([{ prompt: { messages, answer: "sat" } }, { prompt: { ids } }], {
      temperature: 0,
      maxNewTokens: 6,
    })) as [[Completion], [Completion]];
    expect(byChat).toEqual({ ...byIds, tokens: { ...byIds.tokens!, logProbs: expect.any(Array) } });
  });

  it("scores a continuation after a prompt, joined as ids", async () => {
    const [{ ids, logProbs }, byIds] = (await model.score([
      { prompt: "the cat", continuation: " sat" },
      {
        prompt: { ids: model.encode("the cat") },
        continuation: { ids: model.tokenizer!.encode(" sat", { continues: true, addSpecialTokens: false }) },
      },
    ])) as [Awaited<ReturnType<LanguageModel["score"]>>[0], Awaited<ReturnType<LanguageModel["score"]>>[0]];
    expect(model.tokenizer!.decode([...ids])).toBe(" sat");
    expect(logProbs.length).toBe(ids.length);
    expect(apart(logProbs, byIds!.logProbs)).toBeLessThan(1e-5);
    const generated = (await model.generate([{ prompt: "the cat", maxNewTokens: 5 }]))[0]![0]!.tokens!;
    const [again] = await model.score([{ prompt: "the cat", continuation: { ids: generated.completionIds } }]);
    expect(apart(again!.logProbs, generated.logProbs)).toBeLessThan(1e-4);
  });

  it("tells how much a continuation attends to its prompt, where asked", async () => {
    const request = { prompt: "the cat", continuation: " sat on the mat" };
    const [[plain], [attended]] = [await model.score([request]), await model.score([request], { attention: true })];
    expect(plain).not.toHaveProperty("attention");
    const { mass, heads } = attended!.attention!;
    expect([heads, mass.length]).toEqual([model.config.heads, model.encode("the cat").length]);
    const sum = mass.reduce((total, each) => total + each, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(heads * attended!.ids.length);
    expect(apart(attended!.logProbs, plain!.logProbs)).toBeLessThan(1e-5);
  });

  it("takes embeddings, but does not score after them", async () => {
    const host = await model.host();
    const ids = model.encode("the cat");
    const embeddings = promptEmbeddings(host, ids);
    const [[soft], [hard]] = (await model.generate([{ prompt: { embeddings } }, { prompt: { ids } }], {
      temperature: 0,
    })) as [[Completion], [Completion]];
    expect(soft.text).toBe(hard.text);
    expect(soft).toMatchObject({ promptTokens: ids.length, tokens: { promptIds: [] } });
    expect(await model.countTokens({ embeddings })).toBe(ids.length);
    await expect(model.score([{ prompt: { embeddings }, continuation: "x" }])).rejects.toThrow(/prompt of embeddings/);
  });

  it("reads the weights when they are needed, once", async () => {
    let reads = 0;
    const checkpoint = await openCheckpoint(folder);
    const lazy = createLocalModel({
      name: "lazy",
      config: checkpoint.config,
      host: async () => {
        reads++;
        return { config: checkpoint.config, weights: await readParameters(checkpoint) };
      },
    });
    await expect(lazy.generate([{ prompt: { ids: [999] } }])).rejects.toThrow(/the id 999/);
    await expect(lazy.score([{ prompt: { ids: [3] }, continuation: { ids: [999] } }])).rejects.toThrow(/the id 999/);
    expect(reads).toBe(0);
    await lazy.generate([{ prompt: { ids: [3] }, maxNewTokens: 1 }]);
    expect(reads).toBe(1);
    expect(await lazy.hash()).toBeUndefined();
    expect(await model.host()).toBe(await model.host());
  });
});

describe("a checkpoint without a tokenizer", () => {
  it("works with ids, and names models that can do what it cannot", async () => {
    const model = await loadModel(join(CHECKPOINTS, "qwen3-qknorm"));
    const [[completion]] = (await model.generate([{ prompt: { ids: [3] }, maxNewTokens: 2 }])) as [[Completion]];
    expect(completion.text).toBe("");
    expect(completion.tokens!.completionIds.length).toBe(2);
    const asked = [
      model.generate([{ prompt: "hello" }]),
      model.generate([{ prompt: { ids: [3] }, stopStrings: ["x"] }]),
      model.countTokens("hello"),
      model.score([{ prompt: { ids: [3] }, continuation: "hello" }]),
    ];
    for (const each of asked)
      await expect(each).rejects.toThrow(/does not give prompts and completions as text \(text\)/);
    await expect(model.generate([{ prompt: { messages: [] } }])).rejects.toThrow(
      /does not give conversations \(chat\)/,
    );
    expect(() => requireCapability(model, "chat", "Atom of Thoughts")).toThrow(
      /\(chat\), which Atom of Thoughts needs/,
    );
    try {
      requireCapability(model, "chat");
      expect.fail("it has no chat template");
    } catch (error) {
      expect((error as { hint: string }).hint).toMatch(/SmolLM2-135M-Instruct/);
    }
    expect(() => requireCapability(model, "score")).not.toThrow();
    await model.dispose();
  });

  it("is not there", async () => {
    await expect(loadModel("./no-such-folder")).rejects.toMatchObject({ code: "not-found" });
  });
});
