import { createHttpModel, type HttpModel, loadModel, type TextRequest } from "thoughtbook/llm";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DialectName } from "../../../lib/dist/llm/http/dialects.js";
import { type Fake, type FakeOptions, fakeIds, fakeLogProb, fakeText, QUICK, startFake } from "./fake-server.js";

async function open(options: FakeOptions = {}, more: Partial<Parameters<typeof createHttpModel>[0]> = {}) {
  const fake = await startFake(options);
  const model = await createHttpModel({ ...QUICK, baseUrl: fake.url, ...more });
  onTestFinished(() => model.dispose());
  return { fake, model };
}

const bodies = (fake: Fake) => fake.asked().map(({ body }) => body);

describe("a model on a vLLM server", () => {
  it("says what it is and what it can do", async () => {
    const { fake, model } = await open({ entry: { max_model_len: 200 } });
    expect(model).toMatchObject({
      name: `${fake.url}#tiny`,
      dialect: "vllm",
      contextLength: 200,
      engine: `vLLM, ${fake.url}`,
    });
    expect([...model.capabilities].sort()).toEqual(
      ["chat", "countTokens", "score", "text", "tokenIds", "tokenLogProbs"].sort(),
    );
    expect(await model.hash()).toBeUndefined();
    expect(fake.asked()).toEqual([]);
  });

  it("goes on from texts, ids and conversations", async () => {
    const { fake, model } = await open();
    const messages = [{ role: "user", content: "hi" }];
    const requests: TextRequest[] = [
      { prompt: "once" },
      { prompt: { ids: [5, 6] }, maxNewTokens: 4, samples: 2 },
      { prompt: { messages, answer: "I", variables: { enable_thinking: false } } },
    ];
    const finished: unknown[] = [];
    const results = await model.generate(requests, { seed: 3, onFinish: (...each) => finished.push(each) });
    const [text, ids, chat] = fake
      .asked()
      .sort((a, b) => (a.path + a.body.n).localeCompare(b.path + b.body.n))
      .reverse();
    expect(results.map(({ length }) => length)).toEqual([1, 2, 1]);
    const [once] = results[0]!;
    expect(once!.text).toBe(fakeText("once", text!.body.seed, 0));
    const completionIds = [...fakeIds(once!.text, false), 2];
    expect(once).toEqual({
      text: once!.text,
      finishReason: "stop",
      promptTokens: 5,
      completionTokens: completionIds.length,
      tokens: { promptIds: fakeIds("once"), completionIds, logProbs: completionIds.map(fakeLogProb) },
    });
    expect(ids!.body).toMatchObject({ prompt: [5, 6], n: 2, max_tokens: 4 });
    expect(results[1]!.map(({ finishReason, tokens }) => [finishReason, tokens!.promptIds])).toEqual([
      ["length", [5, 6]],
      ["length", [5, 6]],
    ]);
    expect(chat).toMatchObject({ path: "/v1/chat/completions" });
    expect(chat!.body).toMatchObject({
      messages: [...messages, { role: "assistant", content: "I" }],
      continue_final_message: true,
      add_generation_prompt: false,
      chat_template_kwargs: { enable_thinking: false },
    });
    expect(results[2]![0]!.tokens!.promptIds).toEqual(fakeIds("<user>hi<assistant>I"));
    expect(finished).toHaveLength(4);
    expect(model.usage()).toEqual({
      requests: 3,
      promptTokens: 5 + 2 + fakeIds("<user>hi<assistant>I").length,
      completionTokens: results.flat().reduce((sum, { completionTokens }) => sum + completionTokens, 0),
      cost: undefined,
    });
  });

  it("samples the model's own distribution unless told otherwise", async () => {
    const { fake, model } = await open();
    await model.generate([{ prompt: "a" }]);
    await model.generate([{ prompt: "a" }], {
      temperature: 0.5,
      topK: 7,
      topP: 0.9,
      minP: 0.1,
      repetitionPenalty: 1.2,
      stopStrings: ["x"],
      stopIds: [4],
    });
    const own = { temperature: 1, top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1 };
    expect(bodies(fake)[0]).toMatchObject({ ...own, max_tokens: 256, logprobs: 1, return_token_ids: true });
    expect(bodies(fake)[0]).not.toHaveProperty("stop");
    expect(bodies(fake)[1]).toMatchObject({
      temperature: 0.5,
      top_k: 7,
      top_p: 0.9,
      min_p: 0.1,
      repetition_penalty: 1.2,
      stop: ["x"],
      stop_token_ids: [4],
      ignore_eos: true,
    });
  });

  it("gives the seed of a request as it is, and makes others of the call's and the place", async () => {
    const { fake, model } = await open();
    const requests: TextRequest[] = [
      { prompt: "a", seed: 7 },
      { prompt: "a" },
      { prompt: "a" },
      { prompt: "a", seed: "s" },
    ];
    const first = await model.generate(requests, { seed: 1 });
    expect(await model.generate(requests, { seed: 1 })).toEqual(first);
    const seeds = bodies(fake)
      .slice(0, 4)
      .map(({ seed }) => seed);
    expect(seeds[0]).toBe(7);
    expect(new Set(seeds).size).toBe(4);
    for (const seed of seeds)
      expect(seed).toSatisfy((each: number) => Number.isInteger(each) && each >= 0 && each < 2 ** 31);
    fake.calls.length = 0;
    await model.generate([{ prompt: "a" }, { prompt: "a", seed: 7, temperature: 0 }]);
    // Without one the server draws; without drawing there is none.
    for (const body of bodies(fake)) expect(body).not.toHaveProperty("seed");
  });

  it("scores continuations, joined as ids", async () => {
    const { fake, model } = await open();
    const progress: number[] = [];
    const [texts, ids, chat] = await model.score(
      [
        { prompt: "the cat", continuation: " sat" },
        { prompt: { ids: [9, 8] }, continuation: { ids: [7] } },
        { prompt: { messages: [{ role: "user", content: "a" }], answer: "b" }, continuation: "c" },
      ],
      { onProgress: (done) => progress.push(done) },
    );
    const before = fakeIds("the cat").length;
    expect(texts!.ids).toEqual(fakeIds(" sat", false));
    const expected = texts!.ids.map((id, i) => fakeLogProb(id, before + i));
    expect([...texts!.logProbs]).toEqual([...Float32Array.from(expected)]);
    expect([...ids!.logProbs]).toEqual([fakeLogProb(7, 2)]);
    expect(chat!.ids).toEqual(fakeIds("c", false));
    expect(progress).toEqual([1, 2, 3]);
    expect(bodies(fake).every(({ max_tokens, echo }) => max_tokens === 0 && echo === true)).toBe(true);
    const request = { prompt: "a", continuation: "b" };
    await expect(model.score([request], { attention: true })).rejects.toThrow(/attention weights \(attention\)/);
    await expect(model.score([{ prompt: "a", continuation: "" }])).rejects.toThrow(/continuation has no tokens/);
    await expect(model.score([{ prompt: { ids: [] }, continuation: "a" }])).rejects.toThrow(/prompt of ids is empty/);
  });

  it("counts tokens", async () => {
    const { model } = await open();
    expect(await model.countTokens("the cat")).toBe(8);
    expect(await model.countTokens({ messages: [{ role: "user", content: "a" }] })).toBe(fakeIds("<user>a").length);
    expect(await model.countTokens({ ids: [1, 2] })).toBe(2);
  });

  it("works on so many requests at a time", async () => {
    const { fake, model } = await open({ delayMs: 10 }, { concurrency: 6 });
    const requests = Array.from({ length: 30 }, (_, i) => ({ prompt: `${i}` }));
    await Promise.all([model.generate(requests), model.generate(requests)]);
    expect(fake.peak()).toBe(6);
    const second = await open({ delayMs: 10 });
    await second.model.generate([{ prompt: "a", samples: 9 }, { prompt: "b" }], { batchSize: 4 });
    expect(bodies(second.fake).map(({ n }) => n)).toEqual([4, 4, undefined, undefined]);
    expect(second.fake.peak()).toBe(1);
  });

  it("refuses before any work what cannot be", async () => {
    const { fake, model } = await open({ entry: { max_model_len: 8 } });
    const cases: [TextRequest, RegExp][] = [
      [{ prompt: "a", topP: 2 }, /topP is 2/],
      [{ prompt: "a", maxNewTokens: 0 }, /maxNewTokens is 0/],
      [{ prompt: "a", samples: 1.5 }, /samples is 1.5/],
      [{ prompt: "a", stopStrings: [""] }, /stop string is empty/],
      [{ prompt: { ids: [1, -1] } }, /holds what is no id/],
      [{ prompt: { ids: Array<number>(8).fill(1) } }, /leaves no room in the model's context of 8/],
      [{ prompt: { messages: [] } }, /conversation has no message/],
      [{ prompt: "a", maxNewTokens: Number.NaN }, /maxNewTokens is NaN/],
      [
        { prompt: { embeddings: { dtype: "float32", shape: [1, 2], data: new Float32Array(2) } } },
        /does not give prompts of embeddings/,
      ],
    ];
    for (const [request, message] of cases) {
      await expect(model.generate([{ prompt: "fine" }, request])).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(message),
      });
    }
    await expect(model.generate([{ prompt: "a" }], { batchSize: 0 })).rejects.toThrow(/batchSize is 0/);
    await expect(model.score([], { batchSize: -1 })).rejects.toThrow(/batchSize is -1/);
    expect(fake.asked()).toEqual([]);
    await model.generate([{ prompt: { ids: [1, 2, 3, 4, 5, 6] } }]);
    expect(bodies(fake)[0]).toMatchObject({ max_tokens: 2 });
  });

  it("says so when a server without ids says that it is vLLM", async () => {
    const mishap: FakeOptions["mishap"] = ({ body }) => {
      delete body.return_token_ids;
      return undefined;
    };
    const { model } = await open({ mishap }, { attempts: 2 });
    await expect(model.generate([{ prompt: "a" }])).rejects.toThrow(/without the ids and log-probabilities/);
  });

  it("sends more fields on demand, as for guided output", async () => {
    const { fake, model } = await open({}, { body: { response_format: { type: "json_object" } } });
    await model.generate([{ prompt: "a" }]);
    expect(bodies(fake)[0]).toMatchObject({ response_format: { type: "json_object" } });
  });
});

describe("the dialect of a server", () => {
  const LLAMA_CPP = { "GET /props": () => ({ default_generation_settings: { n_ctx: 512 } }) };

  it.each<[DialectName, FakeOptions, number | undefined]>([
    ["vllm", { entry: { max_model_len: 77 } }, 77],
    ["thoughtbook", { owner: "thoughtbook", entry: { max_model_len: 99 } }, 99],
    ["llama.cpp", { owner: "llamacpp", more: LLAMA_CPP, entry: { meta: { n_params: 1234 } } }, 512],
    ["llama.cpp", { owner: "me", more: LLAMA_CPP }, 512],
    [
      "ollama",
      { owner: "library", model: "tiny:latest", more: { "GET /api/version": () => ({ version: "0.12.11" }) } },
      undefined,
    ],
    [
      "lm-studio",
      {
        owner: "organization_owner",
        more: { "GET /api/v0/models": () => ({ data: [{ id: "tiny", loaded_context_length: 64 }] }) },
      },
      64,
    ],
    ["other", { owner: "somebody" }, undefined],
  ])("%s is recognised", async (dialect, options, contextLength) => {
    const { model } = await open(options, { model: "tiny" });
    expect(model).toMatchObject({ dialect, contextLength });
    if (options.entry?.meta) expect(model.parameterCount).toBe(1234);
    const { model: told } = await open(options, { model: "tiny", dialect: "openai" });
    expect(told.dialect).toBe("openai");
  });

  it("says so when a server lacks what its kind has", async () => {
    const fake = await startFake();
    const model = await createHttpModel({ ...QUICK, baseUrl: `${fake.url}/deeper`, model: "tiny", dialect: "vllm" });
    onTestFinished(() => model.dispose());
    await expect(model.countTokens("a")).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringMatching(/\(vLLM\) has no \/tokenize$/),
    });
  });

  it("gives the weights' hash where our own server tells it", async () => {
    const hash = "ab".repeat(32);
    expect(await (await open({ owner: "thoughtbook", entry: { hash } })).model.hash()).toBe(hash);
    expect(await (await open({ owner: "vllm", entry: { hash } })).model.hash()).toBeUndefined();
  });

  it.each<[DialectName, TextRequest, RegExp]>([
    ["openai", { prompt: "a", topK: 3 }, /\(OpenAI\) does not take topK/],
    ["openai", { prompt: "a", minP: 0.1 }, /does not take minP/],
    ["openai", { prompt: "a", repetitionPenalty: 1.1 }, /does not take repetitionPenalty/],
    ["openai", { prompt: "a", stopStrings: ["a", "b", "c", "d", "e"] }, /does not take more than 4 stop strings/],
    ["openai", { prompt: { ids: [1] } }, /does not give prompts and completions as token ids \(tokenIds\)/],
    ["ollama", { prompt: "a", topK: 3 }, /does not take topK/],
    ["lm-studio", { prompt: "a", minP: 0.1 }, /does not take minP/],
    ["llama.cpp", { prompt: "a", stopIds: [1] }, /does not take stopIds/],
    [
      "llama.cpp",
      { prompt: { messages: [{ role: "user", content: "a" }], answer: "b" } },
      /the beginning of an answer/,
    ],
    [
      "ollama",
      { prompt: { messages: [{ role: "user", content: "a" }], variables: { a: 1 } } },
      /variables of the chat/,
    ],
    ["other", { prompt: "a", topK: 3 }, /does not take topK/],
  ])("%s refuses %j", async (dialect, request, message) => {
    const { fake, model } = await open({}, { dialect });
    await expect(model.generate([request])).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(message),
    });
    expect(fake.asked()).toEqual([]);
    await expect(model.score([{ prompt: "a", continuation: "b" }])).rejects.toThrow(/does not give/);
    if (dialect !== "llama.cpp") await expect(model.countTokens("a")).rejects.toThrow(/does not give/);
  });

  it("decides where a text goes and how options are called", async () => {
    const request = { prompt: "a", temperature: 0.5, maxNewTokens: 9 };
    const wire = async (dialect: DialectName, more: object = {}) => {
      const { fake, model } = await open({ refused: ["return_token_ids", "n"] }, { dialect, ...more });
      await model.generate([{ ...request, samples: dialect === "openai" ? 1 : 2, seed: 5 }]);
      return fake.asked();
    };
    const [openai, ...rest] = await wire("openai");
    expect(rest).toEqual([]);
    expect(openai).toMatchObject({ path: "/v1/chat/completions" });
    expect(openai!.body).toEqual({
      model: "tiny",
      messages: [{ role: "user", content: "a" }],
      temperature: 0.5,
      max_completion_tokens: 9,
      seed: 5,
    });
    // No `n`: two requests with two seeds.
    const llama = await wire("llama.cpp");
    expect(llama.map(({ path }) => path)).toEqual(["/v1/completions", "/v1/completions"]);
    expect(llama[0]!.body).toMatchObject({ top_k: 0, min_p: 0, repeat_penalty: 1, max_tokens: 9 });
    expect(llama[0]!.body.seed).toBe(5);
    expect(llama[1]!.body.seed).not.toBe(5);
    const second = await open({}, { dialect: "llama.cpp" });
    await second.model.generate([{ ...request, firstSample: 1, seed: 5 }]);
    expect(second.fake.asked().map(({ body }) => body.seed)).toEqual([llama[1]!.body.seed]);
    // Current versions refuse a number below 0 in every request; the penalty looks at all of the context.
    expect(llama[0]!.body.repeat_last_n).toBe(2 ** 16);
    const known = await open({ owner: "llamacpp", more: LLAMA_CPP });
    await known.model.generate([{ prompt: "a", repetitionPenalty: 1.1 }]);
    expect(bodies(known.fake)[0]).toMatchObject({ repeat_last_n: 512, repeat_penalty: 1.1 });
    const [chat] = await wire("other", { textPrompts: "chat" });
    expect(chat).toMatchObject({ path: "/v1/chat/completions", body: { max_tokens: 9 } });
  });

  it("knows the models of OpenAI that go on from a text", async () => {
    const { fake, model } = await open({ model: "davinci-002" }, { dialect: "openai" });
    expect(model.capabilities.has("chat")).toBe(false);
    await model.generate([{ prompt: "a" }, { prompt: { ids: [3] } }]);
    expect(fake.asked().map(({ path, body }) => [path, body.prompt])).toEqual([
      ["/v1/completions", "a"],
      ["/v1/completions", [3]],
    ]);
    await expect(model.generate([{ prompt: { messages: [] } }])).rejects.toThrow(/conversations/);
  });

  it("llama.cpp counts tokens with its own words", async () => {
    const more = {
      "POST /tokenize": ({ content, add_special }: Record<string, unknown>) => ({
        tokens: fakeIds(content as string, add_special as boolean),
      }),
      "POST /apply-template": () => ({ prompt: "rendered" }),
    };
    const { model } = await open({ owner: "llamacpp", more });
    expect(await model.countTokens("abc")).toBe(4);
    expect(await model.countTokens({ messages: [{ role: "user", content: "a" }] })).toBe(9);
  });

  it("gives texts their share of the tokens where a server tells the sum only", async () => {
    const { model } = await open({ more: {} }, { dialect: "openai" });
    const [samples] = await model.generate([{ prompt: "a", samples: 3, seed: 1 }]);
    expect(samples!.reduce((sum, { completionTokens }) => sum + completionTokens, 0)).toBe(60);
    expect(samples!.every((each) => !("tokens" in each))).toBe(true);
  });
});

describe("a model's address", () => {
  it("opens by specification", async () => {
    const fake = await startFake();
    const spec = `${fake.url}#tiny`;
    const model = (await loadModel(spec, { http: QUICK })) as HttpModel;
    expect(model.name).toBe(spec);
    await model.dispose();
    const several = (await loadModel(`${fake.url}/,${fake.url.replace("127.0.0.1", "localhost")}#tiny`, {
      http: QUICK,
    })) as HttpModel;
    expect((await several.generate([{ prompt: "a" }]))[0]).toHaveLength(1);
    await several.dispose();
    // The path /v1 and the only model need not be said.
    const short = await loadModel(fake.url.replace("/v1", ""), { http: QUICK });
    await short.dispose();
  });

  it.each([
    ["http://user:secret-word@127.0.0.1/v1#m", /has a name, password, query/],
    ["http://127.0.0.1/v1?key=secret-word#m", /has a name, password, query/],
    ["http://#secret-word", /is no URL/],
  ])("refuses %s", async (spec, message) => {
    const error = await loadModel(spec, { http: QUICK }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringMatching(message) });
    expect(`${(error as Error).message}${(error as Error).stack}`).not.toContain("secret-word");
  });

  it("must have the model", async () => {
    const fake = await startFake();
    await expect(loadModel(`${fake.url}#huge`, { http: QUICK })).rejects.toMatchObject({
      code: "not-found",
      message: `${fake.url} has no model huge`,
      hint: "It has tiny.",
    });
    const other = await startFake({ model: "big" });
    await expect(loadModel(`${fake.url},${other.url}#tiny`, { http: QUICK })).rejects.toThrow(/has no model tiny/);
    await expect(createHttpModel({ ...QUICK, baseUrl: [fake.url, other.url] })).rejects.toThrow(
      /have different models: tiny \(vllm\) and big/,
    );
  });

  it.each([
    [{ concurrency: 0 }, /concurrency is 0/],
    [{ attempts: 1.5 }, /attempts is 1.5/],
    [{ timeoutMs: -1 }, /timeoutMs is -1/],
    [{ baseUrl: [] }, /no address/],
    [{ budget: { cost: 1 } }, /needs prices/],
    [{ budget: { tokens: Number.NaN } }, /tokens is NaN/],
  ])("refuses the options %j", async (options, message) => {
    await expect(createHttpModel({ ...QUICK, baseUrl: "http://127.0.0.1:9", ...options })).rejects.toThrow(message);
  });
});
