import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { download, sha256 } from "thoughtbook/core";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { DownloadProgress } from "../../lib/dist/core/download.js";
import { failure, temporaryFolder } from "./helpers.js";

const content = randomBytes(300_000);
const digest = sha256(content);
const quick = { backoffMs: 10, idleTimeoutMs: 5000 };

let file: string;
beforeEach(async () => {
  file = join(await temporaryFolder(), "cache/model.bin");
  vi.stubEnv("NO_PROXY", "127.0.0.1");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A server whose n-th request gets the n-th answer, and the last answer from then on. */
async function serve(...answers: RequestListener[]): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answers[Math.min(requests.length, answers.length) - 1]!(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.bin`, requests };
}

/** A well-behaved server: the whole content, or the range asked for. */
const whole: RequestListener = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const resumed = start > 0 && request.headers["if-range"] === '"v1"';
  const body = resumed ? content.subarray(start) : content;
  if (resumed) response.setHeader("content-range", `bytes ${start}-${content.length - 1}/${content.length}`);
  response.writeHead(resumed ? 206 : 200, { etag: '"v1"', "content-length": body.length }).end(body);
};

/** Sends `bytes` bytes of a whole file, then `end`s the connection in its way. */
const partial =
  (bytes: number, etag: string, end: (response: ServerResponse) => void): RequestListener =>
  (_, response) => {
    response.writeHead(200, { etag, "content-length": content.length });
    response.write(content.subarray(0, bytes), () => setTimeout(() => end(response), 300));
  };
// What the client has not read yet when the connection ends is lost, hence the pause before.
const cut = (bytes: number, etag = '"v1"') => partial(bytes, etag, (response) => response.socket?.end());
const stall = (bytes: number) => partial(bytes, '"v1"', () => {});

const answer =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end("no");
  };

async function expectComplete(): Promise<void> {
  expect((await readFile(file)).equals(content)).toBe(true);
  expect(await readdir(join(file, ".."))).toEqual(["model.bin"]);
}

describe("a good server", () => {
  it("gives the file, with progress", async () => {
    const { url } = await serve(whole);
    const seen: DownloadProgress[] = [];
    await download(url, file, { sha256: digest.toUpperCase(), onProgress: (progress) => seen.push(progress) });
    await expectComplete();
    expect(seen.at(-1)).toEqual({ receivedBytes: content.length, totalBytes: content.length });
    const received = seen.map(({ receivedBytes }) => receivedBytes);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it("may leave the length open", async () => {
    const { url } = await serve((_, response) => {
      response.write(content.subarray(0, 1000));
      response.end(content.subarray(1000));
    });
    let last: DownloadProgress | undefined;
    await download(url, file, {
      onProgress: (progress) => {
        last = progress;
      },
    });
    await expectComplete();
    expect(last).toEqual({ receivedBytes: content.length });
  });

  it("may redirect", async () => {
    const target = await serve(whole);
    const { url } = await serve(answer(302, { location: target.url }));
    await download(url, file);
    await expectComplete();
  });

  it("is not asked for a file that is there", async () => {
    await mkdir(join(file, ".."));
    await writeFile(file, content);
    await download("http://127.0.0.1:1/", file);
    await download("http://127.0.0.1:1/", file, { sha256: digest });
  });

  it("replaces a file with the wrong checksum", async () => {
    await mkdir(join(file, ".."));
    await writeFile(file, "old");
    const { url } = await serve(whole);
    await download(url, file, { sha256: digest });
    await expectComplete();
  });

  it("is reached through a proxy", async () => {
    const { url } = await serve(whole);
    const tunnels: string[] = [];
    const proxy = createServer().on("connect", ({ url: target }: IncomingMessage, socket) => {
      tunnels.push(target ?? "");
      const upstream = connect(Number(target?.split(":")[1]), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void proxy.close());
    vi.stubEnv("NO_PROXY", "");
    vi.stubEnv("HTTP_PROXY", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    await download(url, file);
    await expectComplete();
    expect(tunnels).toEqual([new URL(url).host]);
    vi.stubEnv("HTTP_PROXY", "proxy:3128");
    expect(await failure(download(url, `${file}2`))).toMatchObject({ code: "bad-input" });
  });
});

describe("resuming", () => {
  it("goes on after a cut with a Range request", async () => {
    const { url, requests } = await serve(cut(100_000), whole);
    const seen: number[] = [];
    await download(url, file, {
      ...quick,
      sha256: digest,
      onProgress: ({ receivedBytes, totalBytes }) => {
        seen.push(receivedBytes);
        expect(totalBytes).toBe(content.length);
      },
    });
    await expectComplete();
    expect(requests.map(({ headers }) => [headers.range, headers["if-range"]])).toEqual([
      [undefined, undefined],
      ["bytes=100000-", '"v1"'],
    ]);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("goes on in a later call", async () => {
    const { url, requests } = await serve(cut(100_000), whole);
    expect(await failure(download(url, file, { ...quick, attempts: 1 }))).toMatchObject({ code: "network" });
    expect(existsSync(file)).toBe(false);
    await download(url, file);
    await expectComplete();
    expect(requests[1]!.headers.range).toBe("bytes=100000-");
  });

  it("does not go on with the part of another URL", async () => {
    const { url, requests } = await serve(cut(100_000), whole);
    await failure(download(url, file, { ...quick, attempts: 1 }));
    await download(`${url}?v=2`, file);
    await expectComplete();
    expect(requests[1]!.headers.range).toBeUndefined();
  });

  it("starts again when the ETag has changed: status 200", async () => {
    const { url, requests } = await serve(cut(100_000, '"v0"'), whole);
    await download(url, file, { ...quick, sha256: digest });
    await expectComplete();
    expect(requests[1]!.headers["if-range"]).toBe('"v0"');
  });

  it.each([
    ["206 with a changed ETag", answer(206, { etag: '"v2"', "content-range": "bytes 100000-100001/100002" })],
    ["206 with another range", answer(206, { etag: '"v1"', "content-range": "bytes 5-6/100002" })],
    ["416", answer(416)],
  ])("starts again when the server answers %s", async (_, reply) => {
    const { url, requests } = await serve(cut(100_000), reply, whole);
    await download(url, file, { ...quick, attempts: 2, sha256: digest });
    await expectComplete();
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=100000-", undefined]);
  });

  it("starts again when the ETag is weak", async () => {
    const { url, requests } = await serve(cut(100_000, 'W/"v1"'), whole);
    await download(url, file, quick);
    await expectComplete();
    expect(requests[1]!.headers.range).toBeUndefined();
  });
});

describe("faults", () => {
  it("a wrong checksum: names both and removes the part", async () => {
    const { url } = await serve(whole);
    const expected = "0".repeat(64);
    const error = await failure(download(url, file, { sha256: expected }));
    expect(error.code).toBe("corrupt-data");
    expect(error.message).toContain(expected);
    expect(error.message).toContain(digest);
    expect(await readdir(join(file, ".."))).toEqual([]);
  });

  it.each([
    [404, "not-found"],
    [403, "network"],
    [400, "network"],
  ])("status %i fails at once as %s", async (status, code) => {
    const { url, requests } = await serve(answer(status));
    const error = await failure(download(url, file, quick));
    expect(error).toMatchObject({ code, message: `cannot download ${url}: the server answers ${status}` });
    expect(error.hint).toBeTruthy();
    expect(requests.length).toBe(1);
  });

  it("status 503 is tried again, as often as told", async () => {
    const good = await serve(answer(503), answer(502), whole);
    await download(good.url, file, quick);
    await expectComplete();
    const bad = await serve(answer(503));
    expect(await failure(download(bad.url, `${file}2`, { ...quick, attempts: 3 }))).toMatchObject({ code: "network" });
    expect(bad.requests.length).toBe(3);
  });

  it("status 429 is tried again after the time the server asks for", async () => {
    const { url } = await serve(answer(429, { "retry-after": "1" }), whole);
    const started = performance.now();
    await download(url, file, quick);
    expect(performance.now() - started).toBeGreaterThan(950);
    await expectComplete();
  });

  it("status 429 gives up when the server asks for too much", async () => {
    const { url, requests } = await serve(answer(429, { "retry-after": "Fri, 01 Jan 2100 00:00:00 GMT" }));
    expect(await failure(download(url, file, quick))).toMatchObject({ code: "network" });
    expect(requests.length).toBe(1);
  });

  it("a refused connection: one line", async () => {
    const error = await failure(download("http://127.0.0.1:1/x", file, quick));
    expect(error).toMatchObject({
      code: "network",
      message: "cannot download http://127.0.0.1:1/x: connection refused",
      hint: "Check the network (and HTTPS_PROXY, if you need a proxy), then run it again.",
    });
  });

  it("an unknown host", async () => {
    const error = await failure(download("http://nowhere.invalid/x", file, quick));
    expect(error).toMatchObject({ code: "network", message: expect.stringContaining("host not found") });
  });

  it("a stall, in the body or before it", async () => {
    const { url, requests } = await serve(stall(1000), () => {}, whole);
    await download(url, file, { ...quick, idleTimeoutMs: 200 });
    await expectComplete();
    expect(requests.length).toBe(3);
  });

  it("an abort: keeps the part and goes on later", async () => {
    const { url, requests } = await serve(stall(100_000), whole);
    const controller = new AbortController();
    const work = download(url, file, {
      signal: controller.signal,
      onProgress: ({ receivedBytes }) => receivedBytes === 100_000 && controller.abort(),
    });
    expect(await failure(work)).toMatchObject({
      code: "interrupted",
      hint: "Run it again: it goes on where it stopped.",
    });
    await download(url, file);
    await expectComplete();
    expect(requests[1]!.headers.range).toBe("bytes=100000-");
  });

  it("an abort during a pause or before the start", async () => {
    const { url } = await serve(answer(503));
    const signal = AbortSignal.timeout(100);
    expect(await failure(download(url, file, { backoffMs: 60_000, signal }))).toMatchObject({ code: "interrupted" });
    expect(await failure(download(url, file, { signal }))).toMatchObject({ code: "interrupted" });
  });

  it("a folder that cannot be written is found before any request", async () => {
    const { url, requests } = await serve(whole);
    const blocker = join(await temporaryFolder(), "file");
    await writeFile(blocker, "");
    expect(await failure(download(url, join(blocker, "model.bin")))).toMatchObject({ code: "file-system" });
    expect(requests.length).toBe(0);
  });

  it("a part that cannot be written", async () => {
    const { url, requests } = await serve(whole);
    await mkdir(`${file}.part`, { recursive: true });
    expect(await failure(download(url, file, quick))).toMatchObject({ code: "file-system" });
    expect(requests.length).toBe(1);
    await expect(readdir(join(file, ".."))).resolves.toEqual(["model.bin.part"]);
  });

  it("an error of the caller's onProgress is passed on", async () => {
    const { url, requests } = await serve(whole);
    const onProgress = () => {
      throw new RangeError("mine");
    };
    expect(await failure(download(url, file, { ...quick, onProgress }))).toBeInstanceOf(RangeError);
    expect(requests.length).toBe(1);
  });

  it("an address that is none", async () => {
    for (const url of ["model.bin", "file:///etc/passwd", "http://"]) {
      expect(await failure(download(url, file))).toMatchObject({ code: "bad-input" });
    }
  });
});

describe("several at once", () => {
  const slow: RequestListener = (request, response) => void setTimeout(() => whole(request, response), 200);

  it("in one process: one request", async () => {
    const { url, requests } = await serve(slow);
    await Promise.all([1, 2, 3].map(() => download(url, file, { sha256: digest })));
    await expectComplete();
    expect(requests.length).toBe(1);
  });

  it("in several processes: one request", async () => {
    const { url, requests } = await serve(slow);
    const program = `
      import { download } from "thoughtbook/core";
      await download(${JSON.stringify(url)}, ${JSON.stringify(file)});`;
    const node = () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { cwd: import.meta.dirname });
    await Promise.all([node(), node()]);
    await expectComplete();
    expect(requests.length).toBe(1);
  });

  it.each([
    ["whose process has ended", `${hostname()} 4194305 x`, new Date()],
    ["that has been silent for long", `elsewhere 1 x`, new Date(Date.now() - 120_000)],
  ])("takes over a lock %s", async (_, owner, modified) => {
    const { url, requests } = await serve(whole);
    await mkdir(join(file, ".."));
    await writeFile(`${file}.lock`, owner);
    await utimes(`${file}.lock`, modified, modified);
    await Promise.all([1, 2, 3].map(() => download(url, file)));
    await expectComplete();
    expect(requests.length).toBe(1);
  });

  it("waits for a lock that is held, until aborted", async () => {
    await mkdir(join(file, ".."));
    await writeFile(`${file}.lock`, `elsewhere 1 x`);
    const work = download("http://127.0.0.1:1/", file, { signal: AbortSignal.timeout(250) });
    expect(await failure(work)).toMatchObject({ code: "interrupted" });
    expect(existsSync(`${file}.lock`)).toBe(true);
  });
});
