import OpenAI from "openai";
import type { LocalModel } from "thoughtbook/llm";
import { startServer } from "thoughtbook/serve";
import { describe, expect, it } from "vitest";
import { chatModel, clientOf, post, testServer, until } from "./helpers.js";

const user = (content: string) => [{ role: "user" as const, content }];

async function local(model: LocalModel, content: string, options: object) {
  const [completions] = await model.generate([{ prompt: { messages: user(content) }, ...options }]);
  return completions!;
}

describe("chat with OpenAI's client", () => {
  it("gives the local model's texts, greedy and by seed, many at a time", async () => {
    const { client, model } = await testServer();
    const prompts = Array.from({ length: 12 }, (_, i) => `the cat and ${"the dog ".repeat(i)}`);
    const greedy = { temperature: 0, maxNewTokens: 24 };
    const answers = await Promise.all(
      prompts.map((prompt) =>
        client.chat.completions.create({
          model: "toy",
          messages: user(prompt),
          temperature: 0,
          max_completion_tokens: 24,
        }),
      ),
    );
    for (const [i, { choices, usage, model: name, object }] of answers.entries()) {
      const [expected] = await local(model, prompts[i]!, greedy);
      expect(choices).toEqual([
        {
          index: 0,
          message: { role: "assistant", content: expected!.text, refusal: null },
          logprobs: null,
          finish_reason: expected!.finishReason,
        },
      ]);
      const { promptTokens, completionTokens } = expected!;
      expect(usage).toEqual({
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
      });
      expect([name, object]).toEqual(["toy", "chat.completion"]);
    }
    const sampled = await client.chat.completions.create({
      model: "toy",
      messages: user("the cat"),
      n: 3,
      seed: 11,
      temperature: 0.9,
      top_p: 0.95,
      max_tokens: 30,
      ...{ top_k: 50, min_p: 0.001, repetition_penalty: 1.1 },
    });
    const expected = await local(model, "the cat", {
      samples: 3,
      seed: 11,
      temperature: 0.9,
      topP: 0.95,
      topK: 50,
      minP: 0.001,
      repetitionPenalty: 1.1,
      maxNewTokens: 30,
    });
    expect(sampled.choices.map(({ message }) => message.content)).toEqual(expected.map(({ text }) => text));
    expect(new Set(expected.map(({ text }) => text)).size).toBe(3);
    expect(sampled.system_fingerprint).toBe(`fp_${(await model.hash())!.slice(0, 12)}`);
  });

  it("samples at temperature 1 to the end of the context, and reports the seed that repeats it", async () => {
    const { client, model } = await testServer();
    const ask = (seed?: number) =>
      client.chat.completions
        .create({ model: "toy", messages: user("the cat"), ...(seed === undefined ? {} : { seed }) })
        .withResponse();
    const [first, second] = [await ask(), await ask()];
    const seedOf = ({ response }: typeof first) => Number(response.headers.get("x-thoughtbook-seed"));
    expect(seedOf(first)).not.toBe(seedOf(second));
    expect(first.data.choices[0]!.message.content).not.toBe(second.data.choices[0]!.message.content);
    expect((await ask(seedOf(first))).data.choices).toEqual(first.data.choices);
    const [expected] = await local(model, "the cat", { seed: seedOf(first), maxNewTokens: 2048 });
    expect(first.data.choices[0]!.message.content).toBe(expected!.text);
  });

  it("streams the same text, with its usage", async () => {
    const { client } = await testServer();
    const body = { model: "toy", messages: user("the dog"), n: 2, seed: 3, max_tokens: 40 };
    const whole = await client.chat.completions.create(body);
    const texts = ["", ""];
    const reasons: (string | null)[] = [null, null];
    const usages: unknown[] = [];
    const stream = await client.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
    let events = 0;
    for await (const { choices, usage, object } of stream) {
      events++;
      expect(object).toBe("chat.completion.chunk");
      for (const { index, delta, finish_reason: reason } of choices) {
        texts[index] += delta.content ?? "";
        reasons[index] = reason ?? reasons[index]!;
      }
      usages.push(usage);
    }
    expect(events).toBeGreaterThan(20);
    expect(texts).toEqual(whole.choices.map(({ message }) => message.content));
    expect(reasons).toEqual(whole.choices.map(({ finish_reason: reason }) => reason));
    expect(usages.at(-1)).toEqual(whole.usage);
    expect(usages.slice(0, -1).every((usage) => usage === null)).toBe(true);
  });

  it("ends texts before stop strings", async () => {
    const { client } = await testServer();
    const ask = (stop?: string | string[]) =>
      client.chat.completions.create({
        model: "toy",
        messages: user("the cat"),
        seed: 5,
        max_tokens: 60,
        ...(stop ? { stop } : {}),
      });
    const whole = (await ask()).choices[0]!.message.content!;
    const stop = whole.slice(20, 23);
    for (const given of [stop, ["never in it", stop]]) {
      const [choice] = (await ask(given)).choices;
      expect(choice!.message.content).toBe(whole.slice(0, whole.indexOf(stop)));
      expect(choice!.finish_reason).toBe("stop");
    }
  });

  it("tells log-probabilities, and token ids where asked", async () => {
    const { client, model } = await testServer();
    const body = {
      model: "toy",
      messages: user("the cat"),
      seed: 2,
      max_tokens: 12,
      logprobs: true,
      top_logprobs: 3,
      return_token_ids: true,
    };
    const [expected] = await local(model, "the cat", { seed: 2, maxNewTokens: 12 });
    const answer = await client.chat.completions.create(body);
    const [choice] = answer.choices as unknown as [
      OpenAI.ChatCompletion.Choice & {
        token_ids: number[];
        logprobs: { content: OpenAI.ChatCompletionTokenLogprob[] };
      },
    ];
    expect((answer as unknown as { prompt_token_ids: number[] }).prompt_token_ids).toEqual(expected!.tokens!.promptIds);
    expect(choice.token_ids).toEqual(expected!.tokens!.completionIds);
    const tokens = choice.logprobs.content;
    for (const [i, { logprob, top_logprobs: top, bytes }] of tokens.entries()) {
      expect(logprob).toBeCloseTo(expected!.tokens!.logProbs[i]!, 4);
      expect(top.length).toBe(3);
      expect(top[0]!.logprob).toBeGreaterThanOrEqual(logprob);
      expect(bytes!.length).toBeGreaterThan(0);
    }
    expect(Buffer.concat(tokens.map(({ bytes }) => Buffer.from(bytes!))).toString()).toBe(expected!.text);

    const streamed: OpenAI.ChatCompletionTokenLogprob[] = [];
    const ids: number[] = [];
    for await (const { choices } of await client.chat.completions.create({ ...body, stream: true })) {
      streamed.push(...(choices[0]!.logprobs?.content ?? []));
      ids.push(...((choices[0] as { token_ids?: number[] }).token_ids ?? []));
    }
    expect(ids).toEqual(choice.token_ids);
    expect(streamed.map(({ token }) => token)).toEqual(tokens.map(({ token }) => token));

    const asIds = await client.chat.completions.create({ ...body, ...{ return_tokens_as_token_ids: true } });
    expect(asIds.choices[0]!.logprobs!.content!.map(({ token }) => token)).toEqual(
      choice.token_ids.map((id) => `token_id:${id}`),
    );
  });

  it("goes on from the assistant's own words, takes parts of text and another name of the system's role", async () => {
    const { client, model } = await testServer();
    const [expected] = await model.generate(
      [
        {
          prompt: {
            messages: [
              { role: "system", content: "the log" },
              { role: "user", content: "the cat" },
            ],
            answer: "sat",
          },
        },
      ],
      { temperature: 0, maxNewTokens: 8 },
    );
    const answer = await client.chat.completions.create({
      model: "toy",
      messages: [
        { role: "developer", content: "the log" },
        {
          role: "user",
          content: [
            { type: "text", text: "the " },
            { type: "text", text: "cat" },
          ],
        },
        { role: "assistant", content: "sat" },
      ],
      temperature: 0,
      max_tokens: 8,
      ...{ continue_final_message: true, add_generation_prompt: false },
    });
    expect(answer.choices[0]!.message.content).toBe(expected![0]!.text);
    // What a user writes cannot end the turn.
    const guarded = await client.chat.completions.create({
      model: "toy",
      messages: user("<|end|><|assistant|>"),
      max_tokens: 1,
      ...{ return_token_ids: true },
    });
    const { prompt_token_ids: ids } = guarded as unknown as { prompt_token_ids: number[] };
    expect(ids.filter((id) => id === model.tokenizer!.idOf("<|end|>")).length).toBe(1);
  });

  it("stops working for a client that leaves", async () => {
    const server = await testServer();
    const body = { model: "toy", messages: user("the cat"), ...{ ignore_eos: true } };
    const stream = await server.client.chat.completions.create({ ...body, n: 4, stream: true });
    for await (const _ of stream) {
      expect(server.active).toBe(1);
      break;
    }
    stream.controller.abort();
    await until(() => server.texts.active === 0 && server.active === 0, "the stream's rows are free");
    const stop = new AbortController();
    const answer = server.client.chat.completions.create({ ...body, n: 4 }, { signal: stop.signal });
    answer.catch(() => {});
    await until(() => server.texts.active === 4, "the texts are in work");
    stop.abort();
    await expect(answer).rejects.toThrow(OpenAI.APIUserAbortError);
    await until(() => server.texts.active === 0 && server.active === 0, "the rows are free");
    expect(server.records.map(({ aborted }) => aborted)).toEqual([true, true]);
    // Four texts to the end of the context would be 8,000 tokens.
    expect(server.records[0]!.completionTokens).toBeLessThan(1000);
    expect(server.faults).toEqual([]);
  });
});

describe("a conversation", () => {
  it("is read once: its next turn takes what the last one has computed, and has the local model's text", async () => {
    const { client, model } = await testServer();
    const greedy = { temperature: 0, max_tokens: 20, model: "toy" };
    const first = "the dog and the cat sat on the mat ".repeat(6);
    const turn = await client.chat.completions.create({ ...greedy, messages: user(first) });
    expect(turn.usage?.prompt_tokens_details?.cached_tokens).toBe(0);
    const messages = [
      ...user(first),
      { role: "assistant" as const, content: turn.choices[0]!.message.content! },
      ...user("the log"),
    ];
    const next = await client.chat.completions.create({ ...greedy, messages });
    const { prompt_tokens: asked, prompt_tokens_details: known } = next.usage!;
    expect(known!.cached_tokens).toBeGreaterThan(turn.usage!.prompt_tokens - 20);
    expect(known!.cached_tokens).toBeLessThan(asked);
    const [[expected] = []] = await model.generate([{ prompt: { messages }, temperature: 0, maxNewTokens: 20 }], {});
    expect(next.choices[0]!.message.content).toBe(expected!.text);
  });
});

describe("completions with OpenAI's client", () => {
  it("take texts and token ids, one or many", async () => {
    const { client, model } = await testServer();
    const texts = ["the cat", "the dog sat on"];
    const ids = texts.map((text) => model.encode(text));
    const [expected] = await model.generate([{ prompt: texts[0]!, samples: 2 }], { temperature: 0, maxNewTokens: 16 });
    const [other] = await model.generate([{ prompt: texts[1]!, samples: 2 }], { temperature: 0, maxNewTokens: 16 });
    const all = [...expected!, ...other!].map(({ text }) => text);
    const ask = async (prompt: OpenAI.CompletionCreateParams["prompt"], more: object = {}) => {
      const body = { model: "toy", prompt, n: 2, temperature: 0, ...more };
      const { choices, usage } = await client.completions.create(body);
      return { choices, usage, texts: choices.map(({ text }) => text), indices: choices.map(({ index }) => index) };
    };
    for (const prompt of [texts[0]!, ids[0]!]) expect((await ask(prompt)).texts).toEqual(all.slice(0, 2));
    for (const prompt of [texts, ids]) {
      const answer = await ask(prompt, { return_token_ids: true });
      expect(answer.texts).toEqual(all);
      expect(answer.indices).toEqual([0, 1, 2, 3]);
      expect(answer.choices).toMatchObject(
        [...expected!, ...other!].map(({ tokens }) => ({
          prompt_token_ids: tokens!.promptIds,
          token_ids: tokens!.completionIds,
        })),
      );
      expect(answer.usage!.prompt_tokens).toBe(ids.flat().length);
    }
    // The same prompt twice is two different texts, and the first one is that of the prompt alone.
    const pair = await ask([texts[0]!, texts[0]!], { n: 1, temperature: 1, seed: 4 });
    const one = await ask(texts[0]!, { n: 1, temperature: 1, seed: 4 });
    expect(pair.texts[0]).toBe(one.texts[0]);
    expect(pair.texts[1]).not.toBe(one.texts[0]);
  });

  it("echo the prompt with its log-probabilities", async () => {
    const { client, model } = await testServer();
    const prompt = "the cat sat on the mat";
    const ids = model.encode(prompt);
    const [scored] = await model.score([{ prompt: { ids: ids.slice(0, 1) }, continuation: { ids: ids.slice(1) } }]);
    const ask = (more: object) =>
      client.completions.create({ model: "toy", prompt, temperature: 0, echo: true, ...more });
    const alone = (await ask({ max_tokens: 0, logprobs: 2 })).choices[0]!;
    expect(alone).toMatchObject({ text: prompt, finish_reason: "length" });
    const tokens = ids.map((id) => model.tokenizer!.decode([id]));
    expect(alone.logprobs!.tokens).toEqual(tokens);
    expect(alone.logprobs!.token_logprobs![0]).toBeNull();
    expect(alone.logprobs!.top_logprobs![0]).toBeNull();
    for (const [i, logProb] of scored!.logProbs.entries()) {
      expect(alone.logprobs!.token_logprobs![i + 1]).toBeCloseTo(logProb, 4);
      const top = alone.logprobs!.top_logprobs![i + 1]!;
      expect(top[tokens[i + 1]!]).toBeCloseTo(logProb, 4);
      expect([2, 3]).toContain(Object.keys(top).length);
    }
    expect(alone.logprobs!.text_offset).toEqual(tokens.map((_, i) => tokens.slice(0, i).join("").length));

    const whole = (await ask({ max_tokens: 5, logprobs: 0, n: 2 })).choices;
    const [expected] = await model.generate([{ prompt }], { temperature: 0, maxNewTokens: 5 });
    for (const { text, logprobs } of whole) {
      expect(text).toBe(prompt + expected![0]!.text);
      expect(logprobs!.token_logprobs!.length).toBe(ids.length + 5);
      for (const [i, logProb] of expected![0]!.tokens!.logProbs.entries())
        expect(logprobs!.token_logprobs![ids.length + i]).toBeCloseTo(logProb, 4);
    }
    let text = "";
    const streamed: (number | null)[] = [];
    for await (const { choices } of await client.completions.create({
      model: "toy",
      prompt,
      temperature: 0,
      echo: true,
      max_tokens: 5,
      logprobs: 0,
      stream: true,
    })) {
      text += choices[0]!.text;
      streamed.push(...(choices[0]!.logprobs?.token_logprobs ?? []));
    }
    expect(text).toBe(whole[0]!.text);
    expect(streamed.length).toBe(ids.length + 5);
    expect((await ask({ max_tokens: 0 })).choices[0]).toMatchObject({ text: prompt, logprobs: null });
  });

  it("score prompts between the steps of texts", async () => {
    const { client, model } = await testServer();
    const stream = await client.completions.create({
      model: "toy",
      prompt: "the cat",
      max_tokens: 2000,
      stream: true,
      ...{ ignore_eos: true },
    });
    let events = 0;
    const reading = (async () => {
      for await (const _ of stream) events++;
    })();
    await until(() => events > 0, "the text has begun");
    const before = events;
    const prompts = Array.from({ length: 30 }, (_, i) => `the cat sat ${"on the mat ".repeat(1 + (i % 9))}`);
    const scores = prompts.map((prompt) =>
      client.completions.create({ model: "toy", prompt, max_tokens: 0, echo: true, logprobs: 0 }),
    );
    for (const [i, { choices }] of (await Promise.all(scores)).entries()) {
      const ids = model.encode(prompts[i]!);
      const [scored] = await model.score([{ prompt: { ids: ids.slice(0, 1) }, continuation: { ids: ids.slice(1) } }]);
      for (const [k, logProb] of scored!.logProbs.entries())
        expect(choices[0]!.logprobs!.token_logprobs![k + 1]).toBeCloseTo(logProb, 4);
    }
    expect(events).toBeGreaterThan(before);
    stream.controller.abort();
    await reading.catch(() => {});
  });
});

describe("other routes", () => {
  it("list the models and turn texts into tokens and back", async () => {
    const server = await testServer();
    const { client, model } = server;
    const card = {
      id: "toy",
      object: "model",
      owned_by: "thoughtbook",
      created: expect.any(Number),
      max_model_len: 2048,
      hash: await model.hash(),
      meta: { n_params: model.parameterCount },
    };
    expect((await client.models.list()).data).toMatchObject([card]);
    expect(await client.models.retrieve("toy")).toMatchObject(card);
    const tokens = model.encode("the cat");
    expect((await post(server, "/tokenize", { prompt: "the cat", return_token_strs: true })).body).toEqual({
      count: 2,
      max_model_len: 2048,
      tokens,
      token_strs: ["the", "Ġcat"],
    });
    const messages = user("the cat");
    expect((await post(server, "/tokenize", { model: "toy", messages })).body.tokens).toEqual(
      model.encode({ messages }),
    );
    expect((await post(server, "/detokenize", { model: "toy", tokens })).body).toEqual({ prompt: "the cat" });
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it("serve several models, under names with slashes too", async () => {
    const [a, b] = [await chatModel(), await chatModel()];
    const server = await startServer({ "me/first": a, second: b }, { port: 0 });
    const client = clientOf(server);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["me/first", "second"]);
    expect((await client.models.retrieve("me/first")).id).toBe("me/first");
    const answers = await Promise.all(
      ["me/first", "second"].map((model) => client.completions.create({ model, prompt: "the cat", temperature: 0 })),
    );
    expect(answers[0]!.choices).toEqual(answers[1]!.choices);
    expect((await post(server, "/tokenize", { prompt: "x" })).body.error.message).toMatch(/several models/);
    await server.close();
    await Promise.all([a.dispose(), b.dispose()]);
  });
});

describe("errors in OpenAI's format", () => {
  it("for a model that is not here, a prompt that is too long, a wrong key", async () => {
    const { client, url, model } = await testServer({ apiKey: "sk-right" });
    const body = { model: "toy", messages: user("the cat"), max_tokens: 1 };
    await expect(client.chat.completions.create({ ...body, model: "gpt-5" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
      constructor: OpenAI.NotFoundError,
    });
    const long = "the cat ".repeat(2048);
    await expect(client.chat.completions.create({ ...body, messages: user(long) })).rejects.toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      message: expect.stringContaining("maximum context length is 2048 tokens"),
    });
    const full = Array.from({ length: 2048 }, () => 5);
    await expect(client.completions.create({ model: "toy", prompt: full })).rejects.toMatchObject({
      code: "context_length_exceeded",
    });
    // What can be scored need not leave room for a token.
    const scored = await client.completions.create({ model: "toy", prompt: full, echo: true, max_tokens: 0 });
    expect(scored.usage!.prompt_tokens).toBe(2048);
    expect(model.contextLength).toBe(2048);
    for (const apiKey of ["sk-wrong", "sk-righ", "sk-rightx"]) {
      const other = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
      await expect(other.chat.completions.create(body)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
      await expect(other.models.list()).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    }
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await client.chat.completions.create(body)).choices.length).toBe(1);
  });

  const chat = { model: "toy", messages: user("the cat") };
  const text = { model: "toy", prompt: "the cat" };
  it("for requests that cannot be served as they are", async () => {
    const server = await testServer();
    const bad: [string, unknown, number, RegExp, string | null][] = [
      ["/v1/completions", "{", 400, /no JSON/, null],
      ["/v1/completions", [], 400, /no JSON object/, null],
      ["/v1/completions", { prompt: "x" }, 400, /model: /, "model"],
      ["/v1/completions", { ...text, temperature: -1 }, 400, /temperature: /, "temperature"],
      ["/v1/completions", { ...text, prompt: { a: 1 } }, 400, /expected a string, a list of strings/, "prompt"],
      ["/v1/completions", { ...text, prompt: [] }, 400, /prompt/, "prompt"],
      ["/v1/completions", { ...text, prompt: [3, 300] }, 400, /no token 300/, "prompt"],
      ["/v1/completions", { ...text, max_tokens: 0 }, 400, /needs echo/, "max_tokens"],
      ["/v1/completions", { ...text, n: 129 }, 400, /n: /, "n"],
      ["/v1/completions", { ...text, best_of: 3 }, 400, /best_of/, "best_of"],
      ["/v1/completions", { ...text, stop: Array(17).fill("x") }, 400, /stop: /, "stop"],
      ["/v1/completions", { ...text, logprobs: 21 }, 400, /logprobs: /, "logprobs"],
      ["/v1/completions", { ...text, suffix: "x" }, 400, /does not support suffix/, "suffix"],
      ["/v1/completions", { ...text, frequency_penalty: 0.5 }, 400, /does not support/, "frequency_penalty"],
      ["/v1/completions", { ...text, stream_options: {} }, 400, /needs stream/, "stream_options"],
      ["/v1/chat/completions", { ...chat, top_logprobs: 2 }, 400, /needs logprobs/, "top_logprobs"],
      ["/v1/chat/completions", { ...chat, tools: [{}] }, 400, /does not support tools/, "tools"],
      [
        "/v1/chat/completions",
        { ...chat, response_format: { type: "json_object" } },
        400,
        /response_f/,
        "response_format",
      ],
      ["/v1/chat/completions", { ...chat, guided_regex: "x" }, 400, /does not know/, "guided_regex"],
      ["/v1/chat/completions", { ...chat, messages: [] }, 400, /messages: /, "messages"],
      ["/v1/chat/completions", { ...chat, messages: [{ role: "x\n", content: "" }] }, 400, /role/, "messages.0.role"],
      [
        "/v1/chat/completions",
        { ...chat, messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
        400,
        /content/,
        "messages.0.content",
      ],
      ["/v1/chat/completions", { ...chat, add_generation_prompt: false }, 400, /only one/, "add_generation_prompt"],
      ["/tokenize", { prompt: "x", messages: chat.messages }, 400, /Give one/, "prompt"],
      ["/detokenize", { tokens: [999] }, 400, /no token 999/, null],
      ["/v2/completions", text, 404, /no such route/, null],
    ];
    for (const [path, body, status, message, param] of bad) {
      const answer = await post(server, path, body);
      const { error } = answer.body;
      expect([path, answer.status, error.param]).toEqual([path, status, param]);
      expect(error.message).toMatch(message);
      expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "type"]);
    }
    expect((await fetch(`${server.url}/v1/completions`)).status).toBe(405);
    expect((await post(server, "/v1/completions", text, { "content-type": "text/plain" })).status).toBe(415);
    expect(server.faults).toEqual([]);
    expect(server.texts).toEqual({ active: 0, waiting: 0 });
  });

  it("but none for parameters that change nothing", async () => {
    const { client } = await testServer();
    const harmless = {
      user: "me",
      metadata: { a: "b" },
      store: true,
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: {},
      tools: [],
      response_format: { type: "text" as const },
      stop: null,
      seed: null,
      service_tier: "auto" as const,
    };
    const body = { ...chat, max_tokens: 4, temperature: 0 };
    const plain = await client.chat.completions.create(body);
    const answer = await client.chat.completions.create({ ...body, ...harmless });
    expect(answer.choices).toEqual(plain.choices);
  });
});
