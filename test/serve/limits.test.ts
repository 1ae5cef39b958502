import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startServer } from "thoughtbook/serve";
import { describe, expect, it, vi } from "vitest";
import { clientOf, post, type TestServer, testServer, until } from "./helpers.js";

const messages = [{ role: "user" as const, content: "the cat" }];
/** To the end of the context. */
const long = { model: "toy", messages, ignore_eos: true, stream: true };

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes in use, garbage left out. */
async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const MEBIBYTE = 2 ** 20;

function socketTo({ url }: TestServer): Socket {
  return connect(Number(new URL(url).port), "127.0.0.1");
}

/** What comes back over a socket until it is closed. */
function everything(socket: Socket): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

const rawPost = (path: string, body: string, headers = ""): string =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe("who may ask", () => {
  it("is only this machine, unless there is a key", async () => {
    const { model } = await testServer();
    for (const host of ["0.0.0.0", "::", "192.168.1.4", "example.org"]) {
      await expect(startServer(model, { host, port: 0 })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringContaining(`others can reach ${host}`),
        hint: expect.stringContaining("THOUGHTBOOK_API_KEY"),
      });
    }
    for (const apiKey of ["", " ", "a b", "a\n"])
      await expect(startServer(model, { apiKey, port: 0 })).rejects.toThrow(/the API key is empty, or has characters/);
    const open = await startServer({ toy: model }, { host: "0.0.0.0", port: 0, apiKey: "k" });
    const other = { url: open.url.replace("0.0.0.0", "127.0.0.1") };
    expect((await clientOf({ ...open, ...other }, "k").models.list()).data.length).toBe(1);
    // Names do not matter where a key does.
    const rebound = await fetch(`${other.url}/v1/models`, { headers: { authorization: "Bearer k" } });
    expect(rebound.status).toBe(200);
    await open.close();
    await expect(startServer(model, { port: -1 })).rejects.toThrow(/port is -1/);
  });

  it("is nobody by another name of this machine", async () => {
    const server = await testServer();
    const { port } = new URL(server.url);
    const ask = (host: string) =>
      new Promise<number>((resolve, reject) => {
        const request = httpRequest({ port, path: "/v1/models", headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        request.on("error", reject).end();
      });
    for (const host of ["localhost", `localhost:${port}`, "127.0.0.1", "127.1.2.3:1", "[::1]:80"])
      expect([host, await ask(host)]).toEqual([host, 200]);
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "localhost.evil.example",
      "127.0.0.1.nip.io",
      "1.1.1.1",
    ])
      expect([host, await ask(host)]).toEqual([host, 403]);
    // Two names, or none.
    const both = socketTo(server);
    both.write("GET /v1/models HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    expect(await everything(both)).not.toMatch(/"toy"/);
    const none = socketTo(server);
    none.write("GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n");
    expect(await everything(none)).toMatch(/^HTTP\/1.1 400/);
    // A whole address in the request line outranks the header.
    const absolute = socketTo(server);
    absolute.write("GET http://evil.example/v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    expect(await everything(absolute)).not.toMatch(/"toy"/);
  });

  it("gets no file by a model's name", async () => {
    const server = await testServer();
    const names = ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "toy/../toy2", "__proto__", "\0"];
    for (const model of names) {
      expect((await post(server, "/v1/completions", { model, prompt: "x" })).body.error.code).toBe("model_not_found");
      for (const path of [model.replace("\0", "%00"), encodeURIComponent(model)]) {
        const socket = socketTo(server);
        socket.write(`GET /v1/models/${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
        const answer = await everything(socket);
        expect(answer).toMatch(/^HTTP\/1.1 404/);
        expect(answer).not.toMatch(/root:/);
      }
    }
    expect(server.faults).toEqual([]);
  });
});

describe("large and slow requests", () => {
  it("of 1 GB are refused, not read into memory", async () => {
    const server = await testServer();
    const chunk = Buffer.alloc(MEBIBYTE, " ");
    const before = await memory();
    for (const headers of [{ "content-length": String(2 ** 30) }, { "transfer-encoding": "chunked" }]) {
      let sent = 0;
      let most = 0;
      const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
        const request = httpRequest(`${server.url}/v1/completions`, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
        });
        let response: IncomingMessage | undefined;
        const write = () => {
          while (sent < 1024 && !request.destroyed) {
            sent++;
            const { heapUsed, external } = process.memoryUsage();
            most = Math.max(most, heapUsed + external);
            if (!request.write(chunk)) return void request.once("drain", write);
          }
        };
        request.on("response", (message) => {
          response = message.resume();
        });
        // The server breaks the connection off in the end.
        request.on("error", () => {});
        request.on("close", () => resolve(response));
        write();
      });
      expect(answer?.statusCode).toBe(413);
      expect(sent).toBeLessThan(256);
      expect(most - before).toBeLessThan(100 * MEBIBYTE);
    }
    const text = JSON.stringify({ model: "toy", prompt: "x".repeat(5 * MEBIBYTE) });
    expect((await post(server, "/v1/completions", text)).body.error.code).toBe("request_too_large");
    // Within the limit, but longer than any prompt: its tokens are not looked for.
    const start = performance.now();
    const answer = await post(server, "/v1/completions", { model: "toy", prompt: "the cat ".repeat(500_000) });
    expect(answer.body.error.code).toBe("context_length_exceeded");
    expect(performance.now() - start).toBeLessThan(2000);
    expect((await post(server, "/v1/completions", { model: "toy", prompt: "x" })).status).toBe(200);
    expect(server.faults).toEqual([]);
  });

  it("that do not come in in time are given up", async () => {
    const server = await testServer({ receiveTimeout: 300 });
    const body = JSON.stringify({ model: "toy", prompt: "x" });
    const parts = ["POST /v1/completions HTTP/1.1\r\nhost: local", rawPost("/v1/completions", body).slice(0, -5), ""];
    const start = performance.now();
    const answers = await Promise.all(
      parts.map((part) => {
        const socket = socketTo(server);
        socket.write(part);
        return everything(socket);
      }),
    );
    expect(performance.now() - start).toBeLessThan(10_000);
    for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1.1 408|HTTP\/1.1 400|$)/);
    expect(server.active).toBe(0);
    expect(server.faults).toEqual([]);
  });

  it("nested without end, or no text at all, are refused", async () => {
    const server = await testServer();
    for (const body of [
      `${"[".repeat(1e6)}`,
      `{"model":"toy","prompt":${"[".repeat(5e5)}${"]".repeat(5e5)}}`,
      "\xff\xfe",
    ])
      expect((await post(server, "/v1/completions", body)).status).toBe(400);
    expect(server.faults).toEqual([]);
  });
});

describe("slow and leaving readers", () => {
  it.each([
    ["too much waits for them", { streamLimit: MEBIBYTE }],
    ["they read nothing for a while", { streamLimit: 2 ** 30, stallTimeout: 200 }],
  ])("are given up when %s", { timeout: 60_000 }, async (_, options) => {
    const server = await testServer(options);
    const socket = socketTo(server).pause();
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {});
    // Some 20 MB, more than the system takes for a connection.
    socket.write(rawPost("/v1/chat/completions", JSON.stringify({ ...long, n: 8, logprobs: true, top_logprobs: 20 })));
    await until(() => server.texts.active === 8, "the texts have begun");
    await until(() => server.records.length === 1, "the server has given up");
    expect(server.records[0]).toMatchObject({ aborted: true, status: 200 });
    expect(server.records[0]!.completionTokens).toBeLessThan(8 * 2000);
    await until(() => server.active === 0 && server.texts.active === 0, "the rows are free");
    socket.resume();
    await closed;
    expect(server.faults).toEqual([]);
  });

  it("leave nothing behind, a thousand of them", { timeout: 120_000 }, async () => {
    const server = await testServer({ batchSize: 16 });
    const body = JSON.stringify(long);
    const abortOne = () =>
      new Promise<void>((resolve) => {
        const socket = socketTo(server);
        socket.on("error", () => {});
        socket.once("data", () => socket.destroy());
        socket.once("close", () => resolve());
        socket.write(rawPost("/v1/chat/completions", body));
      });
    const abortMany = async (count: number) => {
      for (let i = 0; i < count; i += 25) await Promise.all(Array.from({ length: 25 }, abortOne));
      await until(() => server.active === 0, "all requests have ended");
      await until(() => server.texts.active === 0 && server.texts.waiting === 0, "all rows are free");
    };
    await abortMany(100);
    const before = await memory();
    await abortMany(1000);
    expect((await memory()) - before).toBeLessThan(16 * MEBIBYTE);
    expect(server.records.length).toBe(1100);
    expect(server.faults).toEqual([]);
    expect((await post(server, "/v1/completions", { model: "toy", prompt: "x" })).status).toBe(200);
  });
});

describe("more than can be done", () => {
  it("is refused when the queue is full", async () => {
    const server = await testServer({ maxTexts: 3, batchSize: 1 });
    const streams = await Promise.all(
      [1, 2].map((n) => server.client.chat.completions.create({ ...long, n, stream: true })),
    );
    const more = await post(server, "/v1/completions", { model: "toy", prompt: "x" });
    expect(more).toMatchObject({ status: 429, body: { error: { type: "rate_limit_error", code: "queue_full" } } });
    expect(Number(more.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await post(server, "/v1/completions", { model: "toy", prompt: "x", n: 4 })).status).toBe(400);
    for (const { controller } of streams) controller.abort();
    await until(() => server.active === 0, "the queue is empty");
    expect((await post(server, "/v1/completions", { model: "toy", prompt: "x", n: 3 })).status).toBe(200);
  });

  it("is ended when it takes too long", async () => {
    const server = await testServer({ timeout: 150 });
    const answer = await post(server, "/v1/chat/completions", { ...long, stream: false });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: "timeout" } } });
    const stream = await server.client.chat.completions.create({ ...long, stream: true });
    const reading = async () => {
      for await (const _ of stream);
    };
    await expect(reading()).rejects.toMatchObject({ code: "timeout" });
    expect(server.texts.active).toBe(0);
    expect(server.faults).toEqual([]);
  });

  it("ends when the server is closed, which lets short answers end before", async () => {
    const server = await testServer();
    const keepAlive = socketTo(server);
    keepAlive.write("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await new Promise((resolve) => keepAlive.once("data", resolve));
    const ask = (more: object) => post(server, "/v1/chat/completions", { ...long, stream: false, ...more });
    const short = ask({ max_tokens: 20 });
    const whole = ask({});
    const stream = await server.client.chat.completions.create({ ...long, stream: true });
    const reading = async () => {
      for await (const _ of stream);
    };
    const read = reading().catch((error: unknown) => error);
    await until(() => server.active === 3, "all are in work");
    const closed = server.close({ grace: 60_000 });
    expect((await short).status).toBe(200);
    // Called again, it waits less.
    void server.close({ grace: 0 });
    expect(await whole).toMatchObject({ status: 503, body: { error: { code: "shutting_down" } } });
    expect(await read).toMatchObject({ code: "shutting_down" });
    await closed;
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    keepAlive.destroy();
  });
});

describe("what is written down", () => {
  it("of requests are routes and numbers, no prompt, answer or key", async () => {
    const written: string[] = [];
    const spies = (["log", "info", "warn", "error", "debug"] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation((...words) => void written.push(words.join(" "))),
    );
    const server = await testServer({ apiKey: "sk-secret" });
    const [prompt, key] = ["my password is hunter2", "sk-mistyped"];
    await server.client.completions.create({ model: "toy", prompt, max_tokens: 3 });
    const wrong = { authorization: `Bearer ${key}` };
    await post(server, "/v1/completions", { model: "toy", prompt }, wrong);
    const right = { authorization: "Bearer sk-secret" };
    await post(server, "/v1/completions", `{"model":"toy","prompt":"${prompt}`, right);
    await post(server, "/v1/completions", { model: prompt, prompt, user: prompt }, right);
    await post(server, "/v1/completions", { model: "toy", prompt, [prompt]: 1 }, right);
    await post(server, `/${prompt}?api_key=${key}`, {}, right);
    await until(() => server.records.length === 6, "all have been written down");
    for (const spy of spies) spy.mockRestore();
    const all = JSON.stringify([server.records, server.faults, written]);
    for (const secret of ["hunter2", "sk-secret", "sk-mistyped"]) expect(all).not.toContain(secret);
    expect(server.records.map(({ route, status }) => [route, status])).toEqual([
      ["/v1/completions", 200],
      ["/v1/completions", 401],
      ["/v1/completions", 400],
      ["/v1/completions", 404],
      ["/v1/completions", 400],
      ["no such route", 404],
    ]);
    expect(server.records[0]).toMatchObject({ model: "toy", completionTokens: 3, aborted: false });
    expect(written).toEqual([]);
  });

  it("of faults is said to the operator, not to the client", async () => {
    const server = await testServer();
    const host = await server.model.host();
    host.weights["model.norm.weight"]!.data.fill(Number.NaN);
    const answer = await post(server, "/v1/completions", { model: "toy", prompt: "x" });
    expect(answer).toMatchObject({ status: 500, body: { error: { code: "internal_error" } } });
    expect(JSON.stringify(answer.body)).not.toMatch(/NaN/);
    expect(server.faults).toMatchObject([{ code: "execution" }]);
  });
});
