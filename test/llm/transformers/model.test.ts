import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Completion, type LocalModel, loadLocalModel, loadModel, type TextRequest } from "thoughtbook/llm";
import { type Checkpoint, exportOnnx, openCheckpoint } from "thoughtbook/model";
import type { OnnxModel } from "thoughtbook/tensor";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { gatherRows } from "../../../lib/dist/llm/transformers/cache.js";
import { loadTransformersModel, parseOnnxSpec } from "../../../lib/dist/llm/transformers/load.js";
import type { TransformersModel } from "../../../lib/dist/llm/transformers/model.js";
import { lastLogProbs } from "../../../lib/dist/llm/transformers/next-logits.js";
import { probeBatching } from "../../../lib/dist/llm/transformers/probe.js";
import { computePrompts } from "../../../lib/dist/llm/transformers/prompts.js";
import { openRuntime, type Runtime } from "../../../lib/dist/llm/transformers/runtime.js";
import { scoreTexts } from "../../../lib/dist/llm/transformers/score.js";
import { apart, CHECKPOINTS, PARITY, writeChatModel } from "../../model/generate/helpers.js";
import { inHalfPrecision, withCommonScale, withinPositions, withoutPositions, writeVariant } from "./onnx-variants.js";

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "thoughtbook-onnx-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const newFolder = () => join(mkdtempSync(join(scratch, "case-")), "out");
const fixture = (name: string): Promise<Checkpoint> => openCheckpoint(join(CHECKPOINTS, name));
const exported = async (name: string, options = {}): Promise<string> =>
  (await exportOnnx(await fixture(name), newFolder(), { dtypes: ["fp32"], ...options })).folder;

/** Prompts of many lengths, some with several samples. */
const requestsOf = (vocabulary: number): TextRequest[] =>
  Array.from({ length: 10 }, (_, i) => ({
    prompt: { ids: Array.from({ length: 1 + ((i * 5) % 11) }, (_, j) => (j * 37 + i * 11 + 3) % vocabulary) },
    samples: 1 + (i % 3),
    maxNewTokens: 4 + ((i * 7) % 17),
  }));
const pairsOf = (vocabulary: number) =>
  Array.from({ length: 9 }, (_, i) => ({
    prompt: { ids: Array.from({ length: 1 + ((i * 3) % 5) }, (_, j) => (j * 31 + i * 7 + 3) % vocabulary) },
    continuation: { ids: Array.from({ length: 1 + ((i * 5) % 9) }, (_, j) => (j * 17 + i * 13 + 3) % vocabulary) },
  }));

const idsOf = (completions: Completion[][]) =>
  completions.map((samples) => samples.map(({ tokens }) => tokens!.completionIds));
const logProbsOf = (completions: Completion[][]) => completions.flat().flatMap(({ tokens }) => [...tokens!.logProbs]);

describe.each([...PARITY, "stories260k"])("%s, exported and run by transformers.js", (name) => {
  let local: LocalModel;
  let model: TransformersModel;
  let vocabulary: number;
  beforeAll(async () => {
    local = await loadLocalModel(join(CHECKPOINTS, name));
    model = await loadTransformersModel(await exported(name));
    vocabulary = local.config.vocabularySize;
  });
  afterAll(() => Promise.all([local.dispose(), model.dispose()]));

  it.each([
    ["greedily", { temperature: 0 }],
    ["with a seed", { seed: 4 }],
    ["with filters", { seed: "x", temperature: 0.8, topK: 20, topP: 0.9, minP: 0.02, repetitionPenalty: 1.2 }],
  ])("goes on %s as the local engine does", async (_, options) => {
    const requests = requestsOf(vocabulary);
    const expected = await local.generate(requests, options);
    const found = await model.generate(requests, { ...options, batchSize: 7 });
    expect(idsOf(found)).toEqual(idsOf(expected));
    expect(apart(logProbsOf(found), logProbsOf(expected))).toBeLessThan(1e-4);
    expect(found.flat().map(({ finishReason }) => finishReason)).toEqual(
      expected.flat().map(({ finishReason }) => finishReason),
    );
  });

  it("scores as the local engine does", async () => {
    const pairs = pairsOf(vocabulary);
    const expected = await local.score(pairs);
    for (const batchSize of [1, 4, undefined]) {
      const found = await model.score(pairs, { batchSize });
      expect(found.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
      for (const [i, { logProbs }] of found.entries())
        expect(apart(logProbs, expected[i]!.logProbs)).toBeLessThan(1e-4);
    }
  });

  it("says the same of itself", () => {
    const { contextLength, parameterCount, endIds } = local;
    expect(model).toMatchObject({ contextLength, parameterCount, endIds, device: "cpu" });
    expect(model.engine).toMatch(/transformers\.js.*cpu, fp32 \(onnx\/model\.onnx\)/);
    expect([...model.capabilities].sort()).toEqual(["score", "tokenIds", "tokenLogProbs"]);
  });
});

describe("an exported model with a tokenizer", () => {
  let local: LocalModel;
  let model: TransformersModel;
  let folder: string;
  beforeAll(async () => {
    const source = newFolder();
    await writeChatModel(source);
    local = await loadLocalModel(source);
    folder = (await exportOnnx(await openCheckpoint(source), newFolder())).folder;
    model = (await loadModel(folder)) as TransformersModel;
  });
  afterAll(() => Promise.all([local.dispose(), model.dispose()]));

  it("opens by itself where there is only ONNX", async () => {
    expect(model.files.graph).toBe("onnx/model.onnx");
    expect([...model.capabilities].sort()).toEqual(
      ["chat", "countTokens", "score", "text", "tokenIds", "tokenLogProbs"].sort(),
    );
  });

  it("reads prompts and conversations as the same ids", async () => {
    const messages = [{ role: "user", content: "the cat <|end|>" }];
    for (const prompt of ["the cat sat", { messages }, { messages, answer: "on" }, { ids: [3, 4] }]) {
      expect(model.encode(prompt)).toEqual(local.encode(prompt));
      expect(await model.countTokens(prompt)).toBe(await local.countTokens(prompt));
    }
  });

  it("gives the same texts: conversations, stop strings, streams", async () => {
    const requests: TextRequest[] = [
      { prompt: { messages: [{ role: "user", content: "the cat" }] }, samples: 3 },
      { prompt: "the dog sat", stopStrings: ["s"], maxNewTokens: 60 },
      { prompt: "one", temperature: 0 },
    ];
    const streamed: Record<string, string> = {};
    const finished: Completion[] = [];
    const found = await model.generate(requests, {
      maxNewTokens: 24,
      seed: 5,
      onText: (text, { request, sample }) => {
        streamed[`${request} ${sample}`] = (streamed[`${request} ${sample}`] ?? "") + text;
      },
      onFinish: (completion) => finished.push(completion),
    });
    const expected = await local.generate(requests, { maxNewTokens: 24, seed: 5 });
    expect(found.map((each) => each.map(({ text }) => text))).toEqual(
      expected.map((each) => each.map(({ text }) => text)),
    );
    expect(found.flat().map(({ text }) => text)).toContain(Object.values(streamed)[0]);
    for (const [request, samples] of found.entries()) {
      for (const [sample, { text }] of samples.entries()) expect(streamed[`${request} ${sample}`] ?? "").toBe(text);
    }
    expect(new Set(finished)).toEqual(new Set(found.flat()));
    expect(found[1]![0]!.finishReason).toBe("stop");
  });

  it("scores texts as the local engine does", async () => {
    const pairs = [
      { prompt: "the cat", continuation: " sat on the mat" },
      { prompt: { messages: [{ role: "user", content: "the" }] }, continuation: "dog" },
    ];
    const [found, expected] = [await model.score(pairs), await local.score(pairs)];
    for (const [i, { ids, logProbs }] of found.entries()) {
      expect(ids).toEqual(expected[i]!.ids);
      expect(apart(logProbs, expected[i]!.logProbs)).toBeLessThan(1e-3);
    }
  });

  it("stops at once when it is told to, and keeps what was finished", async () => {
    const stop = new AbortController();
    const finished: Completion[] = [];
    const requests = [{ prompt: "the", maxNewTokens: 2 }, ...Array(3).fill({ prompt: "the cat", maxNewTokens: 1500 })];
    const work = model.generate(requests, {
      stopIds: [],
      signal: stop.signal,
      onFinish: (completion) => {
        finished.push(completion);
        stop.abort(new Error("enough"));
      },
    });
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
    expect(finished.length).toBe(1);
    await expect(model.score(pairsOf(300), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "interrupted",
    });
  });

  it.each(["q8", "q4"])(
    "opens with weights of the type %s, one text at a time unless told otherwise",
    async (dtype) => {
      const small = await loadModel(`onnx:${folder}#${dtype}`);
      const requests = requestsOf(300);
      const first = await small.generate(requests, { seed: 1 });
      const texts = idsOf(first);
      // To the last digit, as nothing else is in the same call.
      expect(logProbsOf(await small.generate(requests, { seed: 1, batchSize: 1 }))).toEqual(logProbsOf(first));
      expect(texts).not.toEqual(idsOf(await model.generate(requests, { seed: 1 })));
      expect((await small.generate(requests, { seed: 1, batchSize: 8 })).flat().length).toBe(texts.flat().length);
      expect(await small.hash()).not.toBe(await model.hash());
      await small.dispose();
    },
  );

  it("has a hash of its configuration and files", async () => {
    const copy = newFolder();
    cpSync(folder, copy, { recursive: true });
    const again = await loadModel(copy);
    expect(await again.hash()).toMatch(/^[0-9a-f]{64}$/);
    expect(await again.hash()).toBe(await model.hash());
    const config = JSON.parse(readFileSync(join(copy, "config.json"), "utf8")) as object;
    writeFileSync(join(copy, "config.json"), JSON.stringify({ ...config, rope_theta: 500 }));
    expect(await (await loadModel(copy)).hash()).not.toBe(await model.hash());
  });

  it("works again after its memory was given back", async () => {
    const before = await model.generate([{ prompt: "the cat", temperature: 0 }]);
    await model.dispose();
    await model.dispose();
    const after = await model.generate([{ prompt: "the cat", temperature: 0 }]);
    expect(idsOf(after)).toEqual(idsOf(before));
  });

  it("gives nothing for no requests", async () => {
    expect(await model.generate([])).toEqual([]);
    expect(await model.score([])).toEqual([]);
  });

  it("refuses what it cannot do before any work", async () => {
    const embeddings = { shape: [1, 32], dtype: "float32" as const, data: new Float32Array(32) };
    const cases: [() => Promise<unknown>, RegExp][] = [
      [() => model.generate([{ prompt: { embeddings } }]), /\(softPrompts\)/],
      [() => model.countTokens({ embeddings }), /\(softPrompts\)/],
      [() => model.score([{ prompt: { embeddings }, continuation: "x" }]), /embeddings/],
      [() => model.generate([{ prompt: { ids: Array(2048).fill(3) } }]), /2048 tokens, which leaves no room .* 2048/],
      [
        () => model.score([{ prompt: { ids: Array(2048).fill(3) }, continuation: { ids: [1] } }]),
        /2049 tokens, more than/,
      ],
      [() => model.generate([{ prompt: { ids: [300] } }]), /the id 300/],
      [() => model.generate([{ prompt: "x", topP: 2 }]), /topP is 2/],
      [() => model.generate([{ prompt: "x" }], { batchSize: 0 }), /batchSize is 0/],
      [() => model.score([{ prompt: "x", continuation: "y" }], { batchSize: 0 }), /batchSize is 0/],
      [() => model.score([{ prompt: "x", continuation: "y" }], { attention: true }), /\(attention\)/],
    ];
    for (const [work, message] of cases) {
      await expect(work()).rejects.toMatchObject({ code: "bad-input", message: expect.stringMatching(message) });
    }
  });
});

describe("an ONNX folder of another kind", () => {
  const opened: { dispose(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.dispose();
  });
  const open = async (folder: string): Promise<TransformersModel> => {
    const model = await loadTransformersModel(folder);
    opened.push(model);
    return model;
  };
  const runtimeOf = async ({ folder, files }: TransformersModel): Promise<Runtime> => {
    const runtime = await openRuntime(folder, files, { device: "cpu" });
    opened.push(runtime);
    return runtime;
  };
  const batchingOf = async (model: TransformersModel, checkpoint: Checkpoint, tolerance = 1e-3) =>
    probeBatching(await runtimeOf(model), checkpoint.config, tolerance);

  it.each([
    ["the usual one", (model: OnnxModel) => model, "padded"],
    ["without positions", withoutPositions, "equal"],
    ["with a scale for all rows", withCommonScale, "alone"],
  ] as const)("computes together what does not change by it: %s", async (_, change, batching) => {
    const checkpoint = await fixture("gpt2");
    const model = await open(await writeVariant(checkpoint, newFolder(), change));
    expect(await batchingOf(model, checkpoint)).toBe(batching);
    const requests = requestsOf(checkpoint.config.vocabularySize);
    const alone = await model.generate(requests, { seed: 2, batchSize: 1 });
    for (const [options, order] of [
      [{ seed: 2 }, requests],
      [{ batchSize: 4 }, requests.map((request, i) => ({ seed: `${i}`, ...request })).reverse()],
    ] as const) {
      const found = await model.generate(order, options);
      const expected = order === requests ? alone : await model.generate(order, { batchSize: 1 });
      expect(idsOf(found)).toEqual(idsOf(expected));
      expect(apart(logProbsOf(found), logProbsOf(expected))).toBeLessThan(1e-4);
    }
    const pairs = pairsOf(checkpoint.config.vocabularySize);
    const scores = await model.score(pairs);
    for (const [i, { logProbs }] of (await model.score(pairs, { batchSize: 1 })).entries()) {
      expect(apart(logProbs, scores[i]!.logProbs)).toBeLessThan(1e-4);
    }
  });

  it("in half precision, gives nearly the same scores", async () => {
    const checkpoint = await fixture("llama-gqa-tied");
    const model = await open(await writeVariant(checkpoint, newFolder(), inHalfPrecision, "onnx/model_fp16.onnx"));
    expect(model.files.dtype).toBe("fp16");
    expect(await batchingOf(model, checkpoint, 0.05)).toBe("padded");
    const local = await loadLocalModel(join(CHECKPOINTS, "llama-gqa-tied"));
    const pairs = pairsOf(131);
    const expected = await local.score(pairs);
    for (const [i, { logProbs }] of (await model.score(pairs)).entries()) {
      expect(apart(logProbs, expected[i]!.logProbs)).toBeLessThan(0.02);
    }
    const requests = requestsOf(131);
    const texts = await model.generate(requests, { temperature: 0, batchSize: 5 });
    expect(texts.flat().length).toBe(requests.reduce((sum, { samples }) => sum + samples!, 0));
    const again = await model.score(
      texts.map(([first]) => ({
        prompt: { ids: [...first!.tokens!.promptIds] },
        continuation: { ids: [...first!.tokens!.completionIds] },
      })),
    );
    for (const [i, { logProbs }] of again.entries()) {
      expect(apart(logProbs, texts[i]![0]!.tokens!.logProbs)).toBeLessThan(0.02);
    }
  });

  it("in half precision, joins texts that were in a call before with others", async () => {
    const checkpoint = await fixture("llama-gqa-tied");
    const model = await open(await writeVariant(checkpoint, newFolder(), inHalfPrecision, "onnx/model_fp16.onnx"));
    const runtime = await runtimeOf(model);
    const [first, second] = [
      [3, 5, 7],
      [11, 13, 17, 19],
    ].map((ids) => ({ ids, tokens: [ids.length], logits: 1 }));
    const prompts = [
      await runtime.forward({ ...first!, ids: [first!.ids] }),
      await runtime.forward({ ...second!, ids: [second!.ids] }),
    ];
    const next = { ids: [[23]], logits: 1 };
    const once = await runtime.forward({ ...next, tokens: [4], cache: prompts[0]!.cache });
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const joined = await gatherRows(
        runtime,
        order.map((i) => ({ cache: prompts[i]!.cache, row: 0, tokens: 3 + i })),
      );
      const both = await runtime.forward({
        ids: [[23], [23]],
        tokens: order.map((i) => 4 + i),
        cache: joined,
        logits: 1,
      });
      expect(apart(lastLogProbs(both, order.indexOf(0)), lastLogProbs(once, 0))).toBeLessThan(0.02);
    }
  });

  it.each([
    ["at the top of the folder", "model.onnx"],
    ["under the older name", "onnx/decoder_model_merged.onnx"],
  ])("with its graph %s, opens", async (_, file) => {
    const folder = await writeVariant(await fixture("qwen2-bias"), newFolder(), (model) => model, file);
    const model = await open(folder);
    expect(model.files.graph).toBe(file);
    const local = await loadLocalModel(join(CHECKPOINTS, "qwen2-bias"));
    const requests = requestsOf(local.config.vocabularySize);
    expect(idsOf(await model.generate(requests, { seed: 1 }))).toEqual(
      idsOf(await local.generate(requests, { seed: 1 })),
    );
    await local.dispose();
  });

  it.each([{ numLogitsToKeep: true }, { externalData: true }])("exported with %o, gives the same", async (options) => {
    const model = await open(await exported("qwen3-qknorm", options));
    const local = await loadLocalModel(join(CHECKPOINTS, "qwen3-qknorm"));
    const vocabulary = local.config.vocabularySize;
    const [requests, pairs] = [requestsOf(vocabulary), pairsOf(vocabulary)];
    expect(idsOf(await model.generate(requests, { seed: 1 }))).toEqual(
      idsOf(await local.generate(requests, { seed: 1 })),
    );
    const expected = await local.score(pairs);
    for (const [i, { logProbs }] of (await model.score(pairs)).entries()) {
      expect(apart(logProbs, expected[i]!.logProbs)).toBeLessThan(1e-4);
    }
    await local.dispose();
  });

  it("of an architecture that the engine does not know, opens by the sizes it names", async () => {
    const checkpoint = await fixture("llama-gqa-tied");
    const folder = await writeVariant(checkpoint, newFolder(), (model) => model);
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as object;
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, model_type: "olmo2" }));
    const model = await open(folder);
    expect(model).toMatchObject({ parameterCount: undefined, contextLength: checkpoint.config.maxPositions });
    const local = await loadLocalModel(checkpoint.folder);
    const requests = requestsOf(131);
    expect(idsOf(await model.generate(requests, { seed: 1 }))).toEqual(
      idsOf(await local.generate(requests, { seed: 1 })),
    );
    await local.dispose();
  });

  it.each([false, true])("computes a long text in pieces, as whole (last logits only: %s)", async (numLogitsToKeep) => {
    const model = await open(await exported("llama-gqa-tied", { numLogitsToKeep }));
    const runtime = await runtimeOf(model);
    const ids = Array.from({ length: 40 }, (_, i) => (i * 31 + 3) % 131);
    // So large a vocabulary leaves room for the logits of four tokens.
    const large = 2 ** 23;
    const whole = await runtime.forward({ ids: [ids], tokens: [40], logits: 1 });
    const calls = vi.spyOn(runtime, "forward");
    const [{ place, scores }] = (await computePrompts(runtime, [ids], large)) as [
      Awaited<ReturnType<typeof computePrompts>>[0],
    ];
    expect(calls.mock.calls.length).toBe(numLogitsToKeep ? 1 : 10);
    expect(place.cache.length).toBe(40);
    expect(apart(scores.logProbs.data, lastLogProbs(whole, 0))).toBeLessThan(1e-5);

    const pairs = [{ prompt: ids.slice(0, 25), continuation: ids.slice(25) }];
    const options = { batching: async () => "padded" as const };
    const [expected] = await scoreTexts(runtime, pairs, { ...options, vocabularySize: 131 });
    calls.mockClear();
    const [found] = await scoreTexts(runtime, pairs, { ...options, vocabularySize: large });
    expect(calls.mock.calls.length).toBe(numLogitsToKeep ? 4 : 10);
    expect(apart(found!, expected!)).toBeLessThan(1e-5);
  });

  it("goes on to the end of the context, beside texts that began earlier", async () => {
    const checkpoint = await fixture("gpt2");
    const { maxPositions, vocabularySize } = checkpoint.config;
    const change = (model: OnnxModel) => withinPositions(model, maxPositions);
    const model = await open(await writeVariant(checkpoint, newFolder(), change));
    const local = await loadLocalModel(checkpoint.folder);
    const requests: TextRequest[] = [maxPositions - 3, 2, 5, maxPositions - 1, 1, 1, 2, 4, 3].map((length) => ({
      prompt: { ids: Array.from({ length }, (_, j) => (j * 37 + length) % vocabularySize) },
      maxNewTokens: maxPositions,
    }));
    const options = { temperature: 0, stopIds: [], batchSize: 9 };
    const found = await model.generate(requests, options);
    expect(idsOf(found)).toEqual(idsOf(await local.generate(requests, options)));
    expect(found.flat().map(({ promptTokens, completionTokens }) => promptTokens + completionTokens)).toEqual(
      Array(9).fill(maxPositions),
    );
    await local.dispose();
  });
});

describe("a specification with onnx:", () => {
  it.each([
    ["onnx:owner/name", { model: "owner/name" }],
    ["onnx:owner/name@v1#q4", { model: "owner/name@v1", dtype: "q4" }],
    ["onnx:./some/folder#cpu", { model: "./some/folder", device: "cpu" }],
    ["onnx:/a/b#fp16,cpu", { model: "/a/b", dtype: "fp16", device: "cpu" }],
    ["onnx:/a#1/b", { model: "/a#1/b" }],
    ["owner/name", undefined],
    ["http://host/v1#name", undefined],
  ])("%s", (spec, parsed) => {
    expect(parseOnnxSpec(spec)).toEqual(parsed);
  });

  it("names the choices where there is none", () => {
    expect(() => parseOnnxSpec("onnx:owner/name#q5")).toThrow(
      /"q5" is neither a dtype \(fp32, fp16, q8, .*\) nor a device/,
    );
  });
});

describe("what cannot be opened", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await exported("gpt2", { dtypes: ["fp32", "q4"] });
  });
  const failing = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason as { code: string; message: string; hint: string },
    );
    expect(error).toBeDefined();
    return error!;
  };
  const changed = (change: (copy: string) => void): string => {
    const copy = newFolder();
    cpSync(folder, copy, { recursive: true });
    change(copy);
    return copy;
  };

  it("is a type that is not there", async () => {
    for (const work of [() => loadModel(`onnx:${folder}#q8`), () => loadModel(folder, { dtype: "q8" })]) {
      const { code, message, hint } = await failing(work());
      expect({ code, hint }).toEqual({ code: "not-found", hint: "Its types are fp32, q4." });
      expect(message).toContain("onnx/model_quantized.onnx");
    }
  });

  it("is a type or a device that does not exist", async () => {
    expect(await failing(loadModel(folder, { dtype: "q5" }))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining('"q5"'),
      hint: expect.stringContaining("q4"),
    });
    expect(await failing(loadModel(folder, { device: "tpu" }))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining('"tpu"'),
      hint: expect.stringContaining("cpu"),
    });
  });

  it("is a folder without ONNX", async () => {
    const checkpoint = join(CHECKPOINTS, "gpt2");
    expect(await failing(loadModel(`onnx:${checkpoint}`))).toMatchObject({
      code: "not-found",
      message: expect.stringContaining("no onnx/model.onnx"),
      hint: expect.stringContaining("thoughtbook export onnx"),
    });
    expect(await failing(loadLocalModel(folder))).toMatchObject({
      code: "not-found",
      hint: expect.stringContaining(`onnx:${folder}`),
    });
    expect(await failing(loadModel("onnx:./no-such-folder"))).toMatchObject({ code: "not-found" });
  });

  it("is a model in parts", async () => {
    const parts = changed((copy) => {
      rmSync(join(copy, "onnx", "model_q4.onnx"));
      renameSync(join(copy, "onnx", "model.onnx"), join(copy, "onnx", "decoder_model_merged.onnx"));
      writeFileSync(join(copy, "onnx", "embed_tokens.onnx"), "");
    });
    expect(await failing(loadModel(`onnx:${parts}`))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("onnx/decoder_model_merged.onnx, onnx/embed_tokens.onnx"),
    });
  });

  it("is a folder that lacks weights outside of the graph", async () => {
    const outside = await exported("gpt2", { externalData: true });
    rmSync(join(outside, "onnx", "model.onnx_data"));
    expect(await failing(loadModel(outside))).toMatchObject({
      code: "not-found",
      message: expect.stringContaining("onnx/model.onnx_data"),
    });
  });

  it("is a damaged graph, which is tried again once it is mended", async () => {
    const damaged = changed((copy) => truncateSync(join(copy, "onnx", "model.onnx"), 1000));
    const model = await loadModel(damaged);
    const ask = () => model.generate([{ prompt: { ids: [3] }, maxNewTokens: 1 }]);
    expect(await failing(ask())).toMatchObject({
      code: "execution",
      message: expect.stringContaining(`cannot open onnx/model.onnx of ${damaged}`),
    });
    cpSync(join(folder, "onnx", "model.onnx"), join(damaged, "onnx", "model.onnx"));
    expect((await ask())[0]![0]!.completionTokens).toBe(1);
    await model.dispose();
  });

  it.each<[string, object | string, RegExp]>([
    [
      "of a type that transformers.js does not know",
      { model_type: "mystery" },
      /no language model of the type mystery/,
    ],
    ["without a vocabulary", { model_type: "mystery", vocab_size: undefined }, /names no vocab_size/],
    ["whose vocabulary is no number", { model_type: "mystery", vocab_size: "many" }, /vocab_size/],
    ["that is no JSON", "{", /is not JSON/],
  ])("has a configuration %s", async (_, change, message) => {
    const copy = changed((place) => {
      const file = join(place, "config.json");
      const config = JSON.parse(readFileSync(file, "utf8")) as object;
      writeFileSync(file, typeof change === "string" ? change : JSON.stringify({ ...config, ...change }));
    });
    const work = loadModel(copy).then((model) => model.generate([{ prompt: { ids: [3] } }]));
    expect((await failing(work)).message).toMatch(message);
  });

  it("lacks a configuration", async () => {
    const copy = changed((place) => rmSync(join(place, "config.json")));
    expect(await failing(loadModel(copy))).toMatchObject({
      code: "not-found",
      message: expect.stringContaining("config.json"),
    });
  });
});

describe("a local ONNX folder", () => {
  it("is opened, run and given back without a request to any network", async () => {
    const requests: string[] = [];
    const server = createServer(({ url }, response) => {
      requests.push(url ?? "");
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetched = vi.spyOn(globalThis, "fetch");
    vi.stubEnv("HF_ENDPOINT", address);
    const folder = await exported("gpt2", { dtypes: ["fp32"] });
    rmSync(join(folder, "generation_config.json")); // Which transformers.js looks for, and would ask the hub for.
    const model = await loadModel(`onnx:${folder}`);
    await model.generate([{ prompt: { ids: [3, 4] }, maxNewTokens: 3 }]);
    await model.dispose();
    vi.unstubAllEnvs();
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
    server.close();
    expect(requests).toEqual([]);
  });

  it("loads transformers.js when it is first used, not with the library", async () => {
    const folder = await exported("gpt2");
    const program = `
      import { Session } from "node:inspector";
      const scripts = [];
      const session = new Session();
      session.connect();
      session.on("Debugger.scriptParsed", ({ params }) => scripts.push(params.url));
      session.post("Debugger.enable");
      const loaded = () => scripts.some((url) => url.includes("@huggingface/transformers/"));
      const { loadModel } = await import("thoughtbook/llm");
      const seen = [loaded()];
      const model = await loadModel(process.argv[1]);
      seen.push(loaded());
      await model.generate([{ prompt: { ids: [3] }, maxNewTokens: 1 }]);
      seen.push(loaded());
      console.log(JSON.stringify(seen));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program, folder], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([false, false, true]);
  });

  it("prints no ids when a call fails", async () => {
    const model = await loadTransformersModel(await exported("gpt2"));
    const { openRuntime: open } = await import("../../../lib/dist/llm/transformers/runtime.js");
    const runtime = await open(model.folder, model.files, { device: "cpu" });
    const printed = [vi.spyOn(console, "error"), vi.spyOn(console, "warn"), vi.spyOn(console, "log")];
    await expect(runtime.forward({ ids: [[9_876_543]], tokens: [1], logits: 1 })).rejects.toMatchObject({
      code: "execution",
    });
    for (const each of printed) {
      expect(each).not.toHaveBeenCalled();
      each.mockRestore();
    }
    await runtime.dispose();
  });
});
