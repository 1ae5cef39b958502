import { connect } from "node:net";
import { startServer } from "thoughtbook/serve";
import { describe, expect, it } from "vitest";
import { chatModel, post, type TestServer, testServer, until } from "./helpers.js";

const text = { model: "toy", prompt: "the cat", max_tokens: 2, temperature: 0 };

/** The head of an answer to a request that fetch would not send. */
async function raw({ url }: TestServer, request: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  socket.write(request);
  await new Promise((resolve) => socket.on("close", resolve));
  return answer;
}

describe("other methods and other bodies", () => {
  it("are told what a route takes", async () => {
    const server = await testServer();
    const routes = {
      "/v1/models": "GET, HEAD, OPTIONS",
      "/v1/models/toy": "GET, HEAD, OPTIONS",
      "/health": "GET, HEAD, OPTIONS",
      "/tokenizer_info": "GET, HEAD, OPTIONS",
      "/v1/chat/completions": "POST, OPTIONS",
      "/v1/completions": "POST, OPTIONS",
      "/tokenize": "POST, OPTIONS",
      "/detokenize": "POST, OPTIONS",
    };
    for (const [path, allow] of Object.entries(routes)) {
      for (const method of [
        "OPTIONS",
        "PUT",
        "DELETE",
        "PATCH",
        "PROPFIND",
        allow.startsWith("GET") ? "POST" : "GET",
      ]) {
        for (const body of method === "GET" ? [undefined] : [undefined, JSON.stringify(text)]) {
          const response = await fetch(`${server.url}${path}`, { method, ...(body ? { body } : {}) });
          expect([path, method, response.status]).toEqual([path, method, method === "OPTIONS" ? 204 : 405]);
          expect(response.headers.get("allow")).toBe(allow);
          expect(response.headers.get("access-control-allow-origin")).toBeNull();
          await response.text();
        }
      }
      const head = await fetch(`${server.url}${path}`, { method: "HEAD" });
      expect([path, head.status]).toEqual([path, allow.startsWith("GET") ? 200 : 405]);
    }
    for (const method of ["OPTIONS", "PUT", "DELETE"])
      expect((await fetch(`${server.url}/none`, { method })).status).toBe(404);
    expect(await raw(server, "OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 204 .*allow: GET/is,
    );
    expect(server.faults).toEqual([]);
  });

  it("are read where their length is not known before, and refused where they are no text or not there", async () => {
    const server = await testServer();
    const whole = (await post(server, "/v1/completions", text)).body.choices;
    const json = JSON.stringify(text);
    const parts = [json.slice(0, 9), json.slice(9)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    const head =
      "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
    const chunked = await raw(server, `${head}transfer-encoding: chunked\r\n\r\n${parts.join("")}0\r\n\r\n`);
    expect(chunked).toMatch(/^HTTP\/1.1 200/);
    expect(JSON.parse(chunked.slice(chunked.indexOf("{"))).choices).toEqual(whole);
    const bytes = (hex: string) =>
      Buffer.concat([Buffer.from(`${json.slice(0, -1)},"user":"`), Buffer.from(hex, "hex"), Buffer.from('"}')]);
    for (const hex of ["ff", "c3", "e282", "c0af", "eda080", "f8888080"]) {
      const response = await fetch(`${server.url}/v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: bytes(hex),
      });
      const { error } = (await response.json()) as { error: { code: string } };
      expect([hex, response.status, error.code]).toEqual([hex, 400, "invalid_utf8"]);
    }
    expect((await post(server, "/v1/completions", `\ufeff${json}`)).body.choices).toEqual(whole);
    expect((await post(server, "/v1/completions", "")).body.error.code).toBe("invalid_json");
    expect((await fetch(`${server.url}/v1/completions`, { method: "POST" })).status).toBe(415);
    expect(server.faults).toEqual([]);
  });
});

describe("other paths", () => {
  it("are told what they are", async () => {
    const server = await testServer();
    const { url } = server;
    const base = `base URL to ${url}/v1`;
    const paths: Record<string, string[]> = {
      "/chat/completions": ["/v1/chat/completions", base],
      "/completions": ["/v1/completions", base],
      "/models": ["/v1/models", base],
      "/v1/v1/chat/completions": ["it is /v1/chat/completions", base],
      "/v1/chat/completions/chat/completions": ["it is /v1/chat/completions", base],
      "/openai/deployments/toy/chat/completions": ["it is /v1/chat/completions", base],
      "/v1/chat/completions/": ["it is /v1/chat/completions", "without a slash at its end", base],
      "/v1/completions/": ["it is /v1/completions", "without a slash", base],
      "/v1/models/": ["it is /v1/models", "without a slash", base],
      "/v1/models/toy/": ["it is /v1/models/NAME", "without a slash"],
      "//v1/chat/completions": ["it is /v1/chat/completions", "two in a row"],
      "/tokenize/": ["it is /tokenize"],
      "/v1/tokenize": [`it is ${url}/tokenize`],
      "/v1/tokenizer_info": [`it is ${url}/tokenizer_info`],
      "/v1": [base],
      "/": [base],
      "/v1/embeddings": ["makes no embeddings", "/v1/chat/completions"],
      "/embeddings": ["makes no embeddings"],
      "/v1/responses": ["no Responses API", "/v1/chat/completions"],
      "/v1/responses/x/cancel": ["no Responses API"],
      "/v1/audio/transcriptions": ["neither hears nor speaks"],
      "/v1/images/generations": ["makes no images"],
      "/v1/moderations": ["does not moderate"],
      "/v1/files": ["stores no files"],
      "/v1/batches": ["takes no batches"],
      "/v1/fine_tuning/jobs": ["thoughtbook train"],
      "/v1/messages": ["Anthropic"],
      "/v1/rerank": ["does not rerank"],
      "/api/chat": ["Ollama", base],
      "/completion": ["llama.cpp", base],
      "/generate": ["Text Generation Inference", base],
      "/what": ["/v1/chat/completions", base],
    };
    for (const [path, parts] of Object.entries(paths)) {
      for (const method of ["GET", "POST"]) {
        if (path === "/v1/models/toy/" && method === "POST") continue;
        const response = await fetch(url + path, { method });
        const { error } = (await response.json()) as { error: { message: string; code: string } };
        expect([path, response.status]).toEqual([path, 404]);
        for (const part of parts) expect(error.message).toContain(part);
        expect(["not_found", "unsupported_endpoint"]).toContain(error.code);
      }
    }
    expect(server.faults).toEqual([]);
  });

  it("/tokenizer_info tells what a remote tokenizer needs, as vLLM does", async () => {
    const server = await testServer();
    const { tokenizer, chatTemplate } = server.model;
    const info = (await (await fetch(`${server.url}/tokenizer_info`)).json()) as Record<string, unknown>;
    expect(info).toMatchObject({
      tokenizer_class: "PreTrainedTokenizerFast",
      bos_token: "<s>",
      eos_token: "<|end|>",
      pad_token: null,
      model_max_length: 2048,
      chat_template: chatTemplate!.text,
    });
    const added = info.added_tokens_decoder as Record<string, { content: string }>;
    expect(Object.keys(added).map(Number)).toEqual([...tokenizer!.specialIds].sort((a, b) => a - b));
    // What EleutherAI's harness does with it.
    const { tokens } = (await post(server, "/tokenize", { prompt: info.eos_token, add_special_tokens: false })).body;
    expect(tokens).toEqual([tokenizer!.special.eos!.id]);
    expect(added[String(tokenizer!.special.eos!.id)]!.content).toBe("<|end|>");

    const [a, b] = [await chatModel(), await chatModel()];
    const two = await startServer({ a, b }, { port: 0 });
    expect((await fetch(`${two.url}/tokenizer_info`)).status).toBe(400);
    expect((await fetch(`${two.url}/tokenizer_info?model=b`)).status).toBe(200);
    expect((await fetch(`${two.url}/tokenizer_info?model=c`)).status).toBe(404);
    await two.close();
    await Promise.all([a.dispose(), b.dispose()]);
  });
});

describe("what is written down of a refusal", () => {
  it("is its code, the parameter and the path, but no key or text in their places", async () => {
    const server = await testServer({ apiKey: "sk-secret" });
    const headers = { authorization: "Bearer sk-secret" };
    const asked: [string, object, ...unknown[]][] = [
      ["/v1/completions", { ...text, suffix: "x" }, 400, "unsupported_parameter", "suffix"],
      ["/v1/completions", { ...text, nonsense: 1 }, 400, "unknown_parameter", "nonsense"],
      ["/v1/completions", { ...text, prompt: [] }, 400, "invalid_value", "prompt"],
      ["/v1/completions", { ...text, max_tokens: 0 }, 400, "invalid_value", "max_tokens"],
      ["/v1/completions", { ...text, model: "other" }, 404, "model_not_found", "model"],
      ["/v1/completions", { ...text, n: 128, prompt: Array(5).fill("x") }, 400, "invalid_value", "n"],
      [
        "/v1/chat/completions",
        { model: "toy", messages: [{ role: "user" }] },
        400,
        "invalid_value",
        "messages.0.content",
      ],
      ["/v1/completions", { ...text, "my hunter2": 1 }, 400, "unknown_parameter", "…"],
      ["/v1/completions", { ...text, "sk-hunter2": 1 }, 400, "unknown_parameter", "…"],
      ["/detokenize", { tokens: [999] }, 400, "invalid_value", undefined],
      ["/chat/completions", text, 404, "not_found", undefined],
      ["/v1/embeddings?key=hunter2", text, 404, "unsupported_endpoint", undefined],
      ["/v1/models/", text, 404, "not_found", undefined],
      ["/sk-hunter2/v1/my%20hunter2/", text, 404, "not_found", undefined],
    ];
    for (const [path, body] of asked) await post(server, path, body, headers);
    await post(server, "/v1/completions", text);
    await post(server, "/v1/completions", text, headers);
    await until(() => server.records.length === asked.length + 2, "all have been written down");
    const paths = asked.map(([path]) => path.replace(/\?.*/, ""));
    paths.splice(-1, 1, "/…/v1/…/");
    expect(server.records.map(({ path, status, code, param }) => [path, status, code, param])).toEqual([
      ...asked.map(([, , ...expected], i) => [paths[i], ...expected]),
      ["/v1/completions", 401, "invalid_api_key", undefined],
      ["/v1/completions", 200, undefined, undefined],
    ]);
    expect(JSON.stringify(server.records)).not.toMatch(/hunter2|sk-secret/);
    const slow = await testServer({ timeout: 100 });
    const stream = await post(slow, "/v1/completions", { ...text, max_tokens: 2000, ignore_eos: true });
    expect(stream.status).toBe(504);
    await until(() => slow.records.length === 1, "it has been written down");
    expect(slow.records[0]).toMatchObject({ status: 504, code: "timeout", path: "/v1/completions" });
  });
});
