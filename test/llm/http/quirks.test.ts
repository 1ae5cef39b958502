import { type Completion, createHttpModel, type HttpModelOptions } from "thoughtbook/llm";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DialectName } from "../../../lib/dist/llm/http/dialects.js";
import { QUICK } from "./fake-server.js";
import { type Asked, EVENTS, type Scripted, startScripted } from "./scripted.js";

type Answer = Scripted | ((asked: Asked, nth: number) => Scripted | undefined);

async function open(answer: Answer, dialect: DialectName = "other", more: Partial<HttpModelOptions> = {}) {
  const answerOf = typeof answer === "function" ? answer : () => answer;
  const server = await startScripted((call, nth) =>
    call.method === "GET" ? { body: '{"data":[{"id":"tiny"}]}' } : answerOf(call, nth),
  );
  const model = await createHttpModel({ ...QUICK, baseUrl: server.url, model: "tiny", dialect, ...more });
  onTestFinished(() => model.dispose());
  const asked = () => server.asked.filter(({ path }) => path.endsWith("completions"));
  return { model, asked, all: server.asked };
}

/** One text, streamed or not; it must take one request. */
async function complete(answer: Answer, { streamed = false, dialect = "other" as DialectName, attempts = 8 } = {}) {
  const { model, asked } = await open(answer, dialect, { attempts });
  const told: string[] = [];
  const request = { prompt: "one and one", maxNewTokens: 9, seed: 1 };
  const [[completion]] = (await model.generate([request], streamed ? { onText: (text) => told.push(text) } : {})) as [
    [Completion],
  ];
  expect(asked()).toHaveLength(1);
  if (streamed) expect(told.join("")).toBe(completion.text);
  return { completion, usage: model.usage() };
}

const json = (value: unknown): Scripted => ({ body: JSON.stringify(value) });
const whole = (choice: object, more: object = USAGE) =>
  json({ choices: [{ index: 0, text: " two", ...choice }], ...more });
const USAGE = { usage: { prompt_tokens: 3, completion_tokens: 2 } };
const data = (value: unknown): string => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const events = (...pieces: string[]): Scripted => ({ type: EVENTS, body: pieces });
const text = (piece: string, reason: unknown = null) => ({
  choices: [{ index: 0, text: piece, finish_reason: reason }],
});
const [ONE, TWO] = [data(text(" t")), data(text("wo", "stop"))];
const COUNT = data({ choices: [], ...USAGE });
const DONE = data("[DONE]");

describe("an answer without the number of its tokens", () => {
  it.each([
    ["no usage", {}],
    ["usage null", { usage: null }],
    ["an empty usage", { usage: {} }],
    ["counts that are null", { usage: { prompt_tokens: null, completion_tokens: null } }],
    ["counts of 0", { usage: { prompt_tokens: 0, completion_tokens: 0 } }],
    ["counts that are none", { usage: { prompt_tokens: -1, completion_tokens: "2" } }],
    ["usage that is a list", { usage: [] }],
  ])("%s: is estimated, and says so", async (_, more) => {
    const { completion, usage } = await complete(whole({ finish_reason: "stop" }, more));
    // 11 bytes and 4.
    const counts = { promptTokens: 3, completionTokens: 1 };
    expect(completion).toEqual({ text: " two", finishReason: "stop", ...counts, countedBy: "estimate" });
    expect(usage).toMatchObject({ requests: 1, estimated: 1, ...counts });
    const stream = await complete(events(ONE, TWO, data({ choices: [], ...more }), DONE), { streamed: true });
    expect(stream.completion).toEqual(completion);
  });

  it("is counted by the server's tokenizer, and says so", async () => {
    const answer = (body: string) => (call: Asked) =>
      call.path === "/tokenize"
        ? json({ tokens: call.body.content === " two" ? [7, 8] : [1, 2, 3, 4, 5] })
        : call.path === "/apply-template"
          ? json({ prompt: "rendered" })
          : { body };
    const text = JSON.stringify({ choices: [{ text: " two", finish_reason: "stop" }] });
    const { completion } = await complete(answer(text), { dialect: "llama.cpp" });
    const expected = {
      text: " two",
      finishReason: "stop",
      promptTokens: 5,
      completionTokens: 2,
      countedBy: "tokenizer",
    };
    expect(completion).toEqual(expected);
    const chat = JSON.stringify({ choices: [{ message: { content: " two" }, finish_reason: "stop" }] });
    const { model, all } = await open(answer(chat), "llama.cpp");
    expect(await model.generate([{ prompt: { messages: [{ role: "user", content: "hi" }] } }])).toEqual([[expected]]);
    expect(all.map(({ path }) => path)).toContain("/apply-template");
  });

  it("is estimated where the tokenizer fails", async () => {
    const answer = (call: Asked) =>
      call.path === "/tokenize" ? { status: 500, body: "{}" } : whole({ finish_reason: "stop" }, {});
    expect((await complete(answer, { dialect: "llama.cpp" })).completion.countedBy).toBe("estimate");
  });

  it("is counted by its ids where there are ids", async () => {
    const ids = { token_ids: [5, 6], prompt_token_ids: [1, 2, 3, 4], logprobs: { token_logprobs: [-1, -2] } };
    const { completion, usage } = await complete(whole({ finish_reason: "stop", ...ids }, {}), { dialect: "vllm" });
    expect(completion).toMatchObject({ promptTokens: 4, completionTokens: 2 });
    expect(completion).not.toHaveProperty("countedBy");
    expect(usage).toMatchObject({ promptTokens: 4, completionTokens: 2 });
  });

  it("says nothing where the server counts", async () => {
    const { completion } = await complete(whole({ finish_reason: "stop" }));
    expect(completion).toEqual({ text: " two", finishReason: "stop", promptTokens: 3, completionTokens: 2 });
  });
});

describe("an odd stream", () => {
  const RIGHT = { text: " two", finishReason: "stop", promptTokens: 3, completionTokens: 2 };

  it.each<[string, Scripted]>([
    ["choices null", events(data({ choices: null }), ONE, data({ choices: null, ...USAGE }), TWO, DONE)],
    ["no choices", events(data({ id: "x" }), ONE, TWO, data(USAGE), DONE)],
    ["a choice that is null", events(data({ choices: [null] }), ONE, TWO, COUNT, DONE)],
    ["data null", events(data("null"), ONE, data("null"), TWO, COUNT, data("null"), DONE)],
    ["no data", events("data:\n\n", ONE, "data: \n\n", TWO, COUNT, "data\n\n", DONE)],
    ["comments", events(": ping\n\n", ONE, ":\n\n", ": OPENROUTER PROCESSING\n", TWO, ":keep-alive\n\n", COUNT, DONE)],
    [
      "pings",
      events("event: ping\n\n", ONE, 'event: ping\ndata: {"type": "ping"}\n\n', TWO, data("ping"), COUNT, DONE),
    ],
    ["ids and times of retry", events("retry: 100\n\n", `id: 1\nevent: message\n${ONE}`, TWO, COUNT, DONE)],
    ["a delta that is null", events(ONE, data({ choices: [{ delta: null }] }), TWO, COUNT, DONE)],
    [
      "content that is null",
      events(data({ choices: [{ delta: { role: "assistant", content: null } }] }), ONE, TWO, COUNT, DONE),
    ],
    ["log-probabilities that are null", events(data({ choices: [{ text: " t", logprobs: null }] }), TWO, COUNT, DONE)],
    ["log-probabilities of another form", events(data({ choices: [{ text: " t", logprobs: [1] }] }), TWO, COUNT, DONE)],
    ["an error that is null", events(data({ ...text(" t"), error: null }), TWO, COUNT, DONE)],
    ["an empty reason in all pieces but one", events(data(text(" t", "")), TWO, data(text("", "")), COUNT, DONE)],
    ["no mark of the end", events(ONE, TWO, COUNT)],
    ["no empty line at its end", events(ONE, TWO, COUNT.trimEnd())],
    [
      "counts in each piece",
      events(
        data({ ...text(" t"), usage: { prompt_tokens: 3, completion_tokens: 1 } }),
        data({ ...text("wo", "stop"), ...USAGE }),
        DONE,
      ),
    ],
    ["counts before its end", events(ONE, COUNT, TWO, data({ choices: [], usage: null }), DONE)],
    ["CRLF", events(...[ONE, TWO, COUNT, DONE].map((each) => each.replaceAll("\n", "\r\n")))],
    ["CR", events(...[ONE, TWO, COUNT, DONE].map((each) => each.replaceAll("\n", "\r")))],
    [
      "CRLF cut in the middle",
      events(...[ONE, TWO, COUNT, DONE].flatMap((each) => each.replaceAll("\n", "\r\n").split(/(?<=\r)/))),
    ],
    [
      "data of several lines",
      events(
        ...[text(" t"), text("wo", "stop"), USAGE].map(
          (each) => `${JSON.stringify(each, null, 1).replace(/^/gm, "data: ")}\n\n`,
        ),
        DONE,
      ),
    ],
    ["no empty lines", events(...[ONE, TWO, COUNT, DONE].map((each) => `${each.trimEnd()}\n`))],
    ["no space after the colon", events(...[ONE, TWO, COUNT, DONE].map((each) => each.replace(": ", ":")))],
    ["bytes one at a time", events(...[ONE, TWO, COUNT, DONE].join("").split(""))],
    ["a byte order mark", events("\uFEFF", ONE, TWO, COUNT, DONE)],
    ["an open end", { ...events(ONE, TWO, COUNT, DONE), stays: true }],
    ["a break after its end", { ...events(ONE, TWO, COUNT, DONE), breaks: true }],
    ["another type", { ...events(ONE, TWO, COUNT, DONE), type: "text/plain" }],
    ["no stream, but a whole answer", whole({ finish_reason: "stop" })],
    [
      "a whole answer as an event",
      events(data({ choices: [{ message: { content: " two" }, finish_reason: "stop" }], ...USAGE }), DONE),
    ],
  ])("with %s is one answer", async (_, answer) => {
    const { completion, usage } = await complete(answer, { streamed: true });
    expect(completion).toEqual(RIGHT);
    expect(usage).toMatchObject({ requests: 1, promptTokens: 3, completionTokens: 2 });
    expect(usage).not.toHaveProperty("estimated");
  });

  it("with characters cut in their bytes", async () => {
    const whole = Buffer.from(data(text("½ é 思考", "stop")) + COUNT);
    const server = await import("node:http").then(({ createServer }) =>
      createServer((request, response) => {
        if (request.method === "GET") return void response.end('{"data":[{"id":"tiny"}]}');
        response.writeHead(200, { "content-type": EVENTS });
        let at = 0;
        const next = () => (at < whole.length ? response.write(whole.subarray(at, ++at), next) : response.end());
        next();
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as import("node:net").AddressInfo;
    const model = await createHttpModel({ ...QUICK, baseUrl: `http://127.0.0.1:${port}/v1`, dialect: "other" });
    onTestFinished(() => model.dispose());
    const told: string[] = [];
    await model.generate([{ prompt: "a" }], { onText: (piece) => told.push(piece) });
    expect(told.join("")).toBe("½ é 思考");
  });

  it("whose signs of life go on is no stall", async () => {
    const pings = Array.from({ length: 250 }, () => ": ping\n\n");
    const { model, asked } = await open(events(...pings, ONE, TWO, COUNT, DONE), "other", { timeoutMs: 300 });
    const [[completion]] = (await model.generate([{ prompt: "a" }], { onText() {} })) as [[Completion]];
    expect(completion.text).toBe(" two");
    expect(asked()).toHaveLength(1);
  });

  it("is asked for without counts from a server that refuses to be asked for them", async () => {
    const { model, asked } = await open(({ body }) =>
      "stream_options" in body
        ? { status: 422, body: '{"detail":"Extra inputs are not permitted: stream_options"}' }
        : events(ONE, TWO, DONE),
    );
    for (let i = 0; i < 2; i++) {
      const [[completion]] = (await model.generate([{ prompt: "a" }], { onText() {} })) as [[Completion]];
      expect(completion).toMatchObject({ text: " two", countedBy: "estimate" });
    }
    expect(asked().map(({ body }) => "stream_options" in body)).toEqual([true, false, false]);
  });
});

describe("an odd list of models", () => {
  it.each<[string, Scripted]>([
    ["alone", json([{ id: "tiny" }])],
    [
      "with fields of other forms",
      json({ data: [{ id: "tiny", created: "today", max_model_len: 0, meta: [], hash: 1 }] }),
    ],
    ["that does not say that it is JSON", { ...json({ data: [{ id: "tiny" }] }), type: "text/plain" }],
    ["that is null", json({ data: null })],
  ])("%s opens a model", async (_, list) => {
    const server = await startScripted((call) =>
      call.path === "/v1/models" ? list : call.method === "GET" ? undefined : whole({ finish_reason: "stop" }),
    );
    const model = await createHttpModel({ ...QUICK, baseUrl: server.url, model: "tiny" });
    onTestFinished(() => model.dispose());
    expect(model.dialect).toBe("other");
    expect((await model.generate([{ prompt: "a" }]))[0]![0]!.text).toBe(" two");
  });
});

describe("the end of a text", () => {
  it.each([
    ["stop", "stop"],
    ["eos_token", "stop"],
    ["STOP", "stop"],
    ["stop_sequence", "stop"],
    ["end_turn", "stop"],
    ["length", "length"],
    ["MAX_TOKENS", "length"],
    ["content_filter", "content_filter"],
    ["content-filter", "content_filter"],
    ["SAFETY", "content_filter"],
    ["tool_calls", "tool_calls"],
    ["function_call", "tool_calls"],
    ["tool_use", "tool_calls"],
  ])("%s is %s", async (word, finishReason) => {
    const { completion } = await complete(whole({ finish_reason: word }));
    expect(completion.finishReason).toBe(finishReason);
    expect(completion).not.toHaveProperty("serverReason");
    const stream = await complete(events(ONE, data(text("wo", word)), COUNT, DONE), { streamed: true });
    expect(stream.completion).toEqual(completion);
  });

  it.each<[unknown, string]>([
    ["insufficient_system_resource", "insufficient_system_resource"],
    ["constructor", "constructor"],
    [3, "3"],
    ["", ""],
    [null, ""],
    [undefined, ""],
  ])("%j is told apart", async (reason, serverReason) => {
    const { completion } = await complete(whole({ finish_reason: reason }));
    expect(completion).toMatchObject({ text: " two", finishReason: "other", serverReason });
    const stream = await complete(events(ONE, data(text("wo", reason)), COUNT, DONE), { streamed: true });
    expect(stream.completion).toEqual(completion);
  });

  it("is the length without a word for it, where the text is as long as it may be", async () => {
    const long = { usage: { prompt_tokens: 3, completion_tokens: 9 } };
    expect((await complete(whole({}, long))).completion.finishReason).toBe("length");
  });

  it.each([
    [
      "a call of a tool",
      { message: { content: null, tool_calls: [{ id: "a" }] }, finish_reason: "tool_calls" },
      "tool_calls",
    ],
    ["a call of a function", { message: { role: "assistant" }, finish_reason: "function_call" }, "tool_calls"],
    ["what a filter withheld", { finish_reason: "content_filter" }, "content_filter"],
    ["nothing", { message: null, finish_reason: "stop" }, "stop"],
  ])("comes without a text for %s", async (_, choice, finishReason) => {
    const { completion } = await complete(json({ choices: [choice], ...USAGE }));
    expect(completion).toMatchObject({ text: "", finishReason });
  });

  it("reads a text of parts", async () => {
    const content = [
      { type: "thinking", thinking: [{ text: "hm" }] },
      { type: "text", text: " two" },
    ];
    const { completion } = await complete(
      json({ choices: [{ message: { content }, finish_reason: "stop" }], ...USAGE }),
    );
    expect(completion.text).toBe(" two");
  });

  it("is kept in the cache", async () => {
    const { mkdtempSync } = await import("node:fs");
    const cache = mkdtempSync("/tmp/http-quirks-");
    const { model, asked } = await open(whole({ finish_reason: "odd" }, {}), "other", { cache });
    const request = { prompt: "a", seed: 1 };
    const first = await model.generate([request]);
    expect(first[0]![0]).toMatchObject({ finishReason: "other", serverReason: "odd", countedBy: "estimate" });
    expect(await model.generate([request])).toEqual(first);
    expect(asked()).toHaveLength(1);
  });
});

describe("an error inside an answer of status 200", () => {
  const ways: [string, boolean, (error: unknown) => Scripted][] = [
    ["in a whole answer", false, (error) => json({ error })],
    ["in a stream", true, (error) => events(": hello\n\n", data({ error }))],
    ["in a choice", true, (error) => events(data({ choices: [{ index: 0, error, finish_reason: "error" }] }))],
    ["in place of a stream", true, (error) => json({ error })],
  ];

  describe.each(ways)("%s", (_, streamed, answer) => {
    it.each<[unknown, string, number]>([
      [{ message: "too long", code: 400 }, "bad-input", 1],
      [{ message: "too long", code: "context_length_exceeded", type: "invalid_request_error" }, "bad-input", 1],
      [{ message: "too long", type: "BadRequestError" }, "bad-input", 1],
      [{ message: "no credit", code: 402 }, "network", 1],
      [{ message: "no credit", code: "insufficient_quota" }, "network", 1],
      [{ message: "no such model", code: "404" }, "not-found", 1],
      [{ message: "who are you", type: "authentication_error" }, "bad-input", 1],
      [{ message: "wait", code: 429 }, "network", 3],
      [{ message: "upstream", code: 502 }, "network", 3],
      [{ message: "overloaded", type: "overloaded_error" }, "network", 3],
      [{ message: "something broke" }, "network", 3],
      ["something broke", "network", 3],
    ])("%j: %s after %i", async (error, code, times) => {
      const { model, asked } = await open(answer(error), "other", { attempts: 3 });
      const work = model.generate([{ prompt: "a", seed: 1 }], streamed ? { onText() {} } : {});
      const message = typeof error === "string" ? error : (error as { message: string }).message;
      await expect(work).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
      expect(asked()).toHaveLength(times);
    });
  });

  it.each<[string, Scripted]>([
    ["by its name", events(ONE, 'event: error\ndata: {"message": "broke"}\n\n')],
    ["by its name, in words", events(ONE, "event: error\ndata: it broke\n\n")],
    ["as vLLM once had it", events(ONE, data({ object: "error", message: "broke", code: 500 }))],
    ["as TGI has it", events(ONE, data({ error: "it broke", error_type: "generation" }))],
  ])("%s, goes by when the next answer is right", async (_, answer) => {
    const { model, asked } = await open((_call, nth) => (nth === 0 ? answer : events(ONE, TWO, COUNT, DONE)));
    const told: string[] = [];
    const [[completion]] = (await model.generate([{ prompt: "a", seed: 1 }], {
      onText: (each) => told.push(each),
    })) as [[Completion]];
    expect(completion.text).toBe(" two");
    expect(told.join("")).toBe(" two");
    expect(asked()).toHaveLength(2);
  });

  it("of TGI's validation is a refusal", async () => {
    const { model, asked } = await open(json({ error: "Input validation error: too long", error_type: "validation" }));
    await expect(model.generate([{ prompt: "a" }])).rejects.toMatchObject({ code: "bad-input" });
    expect(asked()).toHaveLength(1);
  });

  it("tells no prompt", async () => {
    const prompt = "the secret words of a prompt";
    const { model } = await open(json({ error: { message: `cannot read ${prompt}`, code: 400 } }));
    await expect(model.generate([{ prompt }])).rejects.toThrow(/repeat what it was sent/);
  });
});

describe("an answer of the wrong form", () => {
  it.each<[string, Scripted, DialectName]>([
    ["choices that are no list", json({ choices: { text: "a" }, ...USAGE }), "other"],
    ["a text that is a number", whole({ text: 3, finish_reason: "stop" }), "other"],
    ["no text", json({ choices: [{ generated_text: "a", finish_reason: "stop" }], ...USAGE }), "other"],
    ["ids that are missing", whole({ finish_reason: "stop" }), "vllm"],
    [
      "log-probabilities that are null",
      whole({ finish_reason: "stop", token_ids: [1], prompt_token_ids: [1], logprobs: null }),
      "vllm",
    ],
  ])("%s: is asked for twice, not eight times", async (_, answer, dialect) => {
    const { model, asked } = await open(answer, dialect);
    await expect(model.generate([{ prompt: "a" }])).rejects.toMatchObject({ code: "corrupt-data" });
    expect(asked()).toHaveLength(2);
  });
});
