import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { post, type TestServer, testServer } from "./helpers.js";

const CHAT = "/v1/chat/completions";
const TEXT = "/v1/completions";
const common = { model: "toy", max_tokens: 4, temperature: 0 };
const bodies: Record<string, object> = {
  [CHAT]: { ...common, messages: [{ role: "user", content: "the cat" }] },
  [TEXT]: { ...common, prompt: "the cat" },
};
const tools = [{ type: "function", function: { name: "f", parameters: {} } }];

/** Values with which nothing is asked, as clients send them. */
const NEUTRAL = {
  ...{ n: 1, best_of: 1, echo: false, suffix: "", stop: [], seed: 7, logit_bias: {}, top_p: 1, logprobs: false },
  ...{
    frequency_penalty: 0,
    presence_penalty: 0.0,
    top_logprobs: 0,
    tools: [],
    functions: [],
    parallel_tool_calls: true,
  },
  ...{ tool_choice: "auto", function_call: "none", response_format: { type: "text" }, modalities: ["text"] },
  ...{
    user: "me",
    metadata: { a: "b" },
    store: false,
    service_tier: "auto",
    reasoning_effort: null,
    verbosity: "medium",
  },
  ...{ top_k: -1, min_p: 0, repetition_penalty: 1, min_tokens: 0, use_beam_search: false, length_penalty: 1 },
  ...{ bad_words: [], ignore_eos: false, skip_special_tokens: true, spaces_between_special_tokens: true },
  ...{
    include_stop_str_in_output: false,
    stop_token_ids: [],
    early_stopping: false,
    chat_template_content_format: "auto",
  },
  ...{
    repeat_penalty: 1,
    typical_p: 1,
    mirostat: 0,
    n_probs: 0,
    grammar: "",
    cache_prompt: true,
    no_repeat_ngram_size: 0,
  },
};
/** Each of them with another value asks for what this server has not. */
const ASKING: Record<string, unknown> = {
  ...{ best_of: 2, suffix: "x", logit_bias: { "5": 1 }, frequency_penalty: 0.1, presence_penalty: -1, tools },
  ...{ functions: [{ name: "f" }], tool_choice: "required", function_call: { name: "f" }, verbosity: "high" },
  ...{ response_format: { type: "json_object" }, modalities: ["text", "audio"], min_tokens: 2, use_beam_search: true },
  ...{ length_penalty: 0.5, bad_words: ["x"], spaces_between_special_tokens: false, include_stop_str_in_output: true },
  ...{ early_stopping: true, repeat_penalty: 1.1, typical_p: 0.9, mirostat: 2, grammar: "x", no_repeat_ngram_size: 3 },
};

async function texts(server: TestServer, path: string, more: object): Promise<unknown> {
  const { status, body } = await post(server, path, { ...bodies[path], ...more });
  return status === 200 ? body.choices : [more, body.error];
}

describe("parameters that ask for nothing", () => {
  it("change nothing, each alone, all together and as null", async () => {
    const server = await testServer();
    for (const path of [CHAT, TEXT]) {
      const plain = await texts(server, path, {});
      const given = Object.entries(NEUTRAL).filter(([name]) => path === CHAT || name !== "reasoning_effort");
      for (const [name, value] of given) {
        expect(await texts(server, path, { [name]: value })).toEqual(plain);
        expect(await texts(server, path, { [name]: null })).toEqual(plain);
      }
      expect(await texts(server, path, Object.fromEntries(given))).toEqual(plain);
      expect(await texts(server, path, { logit_bias: { "5": 0 }, stream_options: null, max_tokens: 4 })).toEqual(plain);
    }
    expect(await texts(server, CHAT, { logprobs: 0, reasoning_effort: "medium", max_completion_tokens: 4 })).toEqual(
      await texts(server, CHAT, {}),
    );
    expect(await texts(server, CHAT, { tools, tool_choice: "none" })).toEqual(await texts(server, CHAT, {}));
    expect(await texts(server, CHAT, { functions: [{ name: "f" }], function_call: "none" })).toEqual(
      await texts(server, CHAT, {}),
    );
    const zero = (await texts(server, TEXT, { logprobs: 0 })) as [{ logprobs: { tokens: string[] } }];
    expect(zero[0].logprobs.tokens.length).toBe(4);
  });

  it("are refused by name when they do ask", async () => {
    const server = await testServer();
    for (const path of [CHAT, TEXT]) {
      for (const [name, value] of Object.entries(ASKING)) {
        const { status, body } = await post(server, path, { ...bodies[path], [name]: value });
        expect([path, status, body.error.param, body.error.code]).toEqual([path, 400, name, "unsupported_parameter"]);
        expect(body.error.message).toContain(name);
      }
    }
    const refused = async (more: object) => (await post(server, CHAT, { ...bodies[CHAT], ...more })).body.error;
    expect(await refused({ echo: true })).toMatchObject({ param: "echo" });
    expect(await refused({ reasoning_effort: "high" })).toMatchObject({ param: "reasoning_effort" });
    expect(await refused({ tools, tool_choice: "auto" })).toMatchObject({ param: "tools" });
    expect(await refused({ tools: "x", tool_choice: "none" })).toMatchObject({ param: "tools" });
    expect(await refused({ stream: true, stream_options: { usage: true } })).toMatchObject({
      param: "stream_options.usage",
      code: "unknown_parameter",
    });
    expect(await refused({ stream: true, stream_options: { include_usage: 1 } })).toMatchObject({
      param: "stream_options.include_usage",
    });
  });
});

describe("options of streams", () => {
  const events = async (server: TestServer, path: string, options: object) => {
    const response = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...bodies[path], n: 2, seed: 3, temperature: 1, stream: true, stream_options: options }),
    });
    const lines = (await response.text()).split("\n\n").filter((line) => line.startsWith("data: {"));
    return lines.map((line) => line.slice("data: ".length));
  };
  type Event = { usage?: OpenAI.CompletionUsage | null; choices: unknown[]; obfuscation?: string };

  it("tell the numbers of tokens so far, where asked", async () => {
    const server = await testServer();
    for (const path of [CHAT, TEXT]) {
      const whole = (await post(server, path, { ...bodies[path], n: 2, seed: 3, temperature: 1 })).body;
      const asked = { include_usage: true, continuous_usage_stats: true };
      const parsed = (await events(server, path, asked)).map((line) => JSON.parse(line) as Event);
      const usages = parsed.map(({ usage }) => usage!);
      // How much was known of the prompt may differ from answer to answer.
      const { prompt_tokens_details: known, ...last } = usages.at(-1)!;
      expect(known?.cached_tokens).toBeGreaterThanOrEqual(0);
      expect(whole.usage).toMatchObject(last);
      expect(parsed.at(-1)!.choices).toEqual([]);
      const counts = usages.map(({ completion_tokens: count }) => count);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
      expect(new Set(counts).size).toBeGreaterThan(6);
      for (const usage of usages)
        expect(usage).toMatchObject({
          prompt_tokens: usages.at(-1)!.prompt_tokens,
          total_tokens: usage.prompt_tokens + usage.completion_tokens,
        });
      // As with vLLM, not without any usage.
      for (const options of [{ continuous_usage_stats: true }, { include_usage: null }, {}])
        for (const line of await events(server, path, options)) expect(line).not.toContain('"usage"');
      for (const line of (await events(server, path, { include_usage: true, continuous_usage_stats: null })).slice(
        0,
        -1,
      ))
        expect(line).toContain('"usage":null');
    }
  });

  it("hide the lengths of texts, where asked", async () => {
    const server = await testServer();
    for (const path of [CHAT, TEXT]) {
      const plain = await events(server, path, { include_obfuscation: false });
      const hidden = await events(server, path, { include_obfuscation: true });
      expect(new Set(plain.map((line) => line.length)).size).toBeGreaterThan(2);
      for (const line of hidden) expect(line.length % 128).toBe(0);
      const choices = (lines: string[]) => lines.map((line) => (JSON.parse(line) as Event).choices);
      expect(choices(hidden)).toEqual(choices(plain));
      const random = hidden.map((line) => (JSON.parse(line) as Event).obfuscation);
      expect(new Set(random).size).toBe(hidden.length);
    }
  });
});
