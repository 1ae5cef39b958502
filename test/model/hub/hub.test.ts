import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { sha256, ThoughtbookError } from "thoughtbook/core";
import { openCheckpoint, resolveModel } from "thoughtbook/model";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { failure, temporaryFolder } from "../../core/helpers.js";
import {
  COMMIT,
  closedAddress,
  type FakeHubOptions,
  fakeHub,
  gitHash,
  isolateHub,
  listen,
  MODEL,
  sendRange,
} from "./hub-server.js";

const llama = join(import.meta.dirname, "../../fixtures/checkpoints/llama-gqa-tied");
const quick = { backoffMs: 5 };
const TOKEN = "hf_SecretSecretSecret";

let home: string;
let files: Record<string, Buffer>;
let weights: Buffer;
beforeEach(async () => {
  home = await temporaryFolder();
  isolateHub(home);
  weights = await readFile(join(llama, "model.safetensors"));
  files = {
    "config.json": await readFile(join(llama, "config.json")),
    "model.safetensors": weights,
    "tokenizer.json": Buffer.from("{}"),
  };
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A hub that HF_ENDPOINT names. */
async function serve(options: Partial<FakeHubOptions> = {}) {
  const hub = await fakeHub({ files, ...options });
  vi.stubEnv("HF_ENDPOINT", hub.url);
  return hub;
}

const root = () => join(home, "hub", "models--owner--tiny");
const snapshot = (commit = COMMIT) => join(root(), "snapshots", commit);
const part = (content: Buffer) => join(root(), "blobs", `${sha256(content)}.incomplete`);

/** A cut of the connection to the store after some bytes. */
const cutAfter = (bytes: number, times = 1): NonNullable<FakeHubOptions["store"]> => {
  let left = times;
  return (_, response, content) => {
    if (left-- <= 0) return false;
    response.writeHead(200, { "content-length": content.length });
    // What the client has not read yet when the connection ends is lost, hence the pause before.
    response.write(content.subarray(0, bytes), () => setTimeout(() => response.socket?.destroy(), 300));
    return true;
  };
};

describe("a local folder", () => {
  it("is used as it is", async () => {
    expect(await resolveModel(llama)).toBe(llama);
    vi.stubEnv("HOME", dirname(llama));
    expect(await resolveModel("~/llama-gqa-tied")).toBe(llama);
  });

  it.each(["./nothing", "../nothing", "/nothing/here", "~/nothing", "nothing/"])(
    "%s that is missing is an error",
    async (spec) => {
      const error = await failure(resolveModel(spec));
      expect(error).toMatchObject({ name: "ThoughtbookError", code: "not-found" });
      expect(error.message).toMatch(/there is no folder \/.*nothing/);
    },
  );

  it("is not a file", async () => {
    const error = await failure(resolveModel(join(llama, "config.json")));
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining("is a file") });
  });
});

describe("the name of a model", () => {
  it.each([
    "",
    "owner/../../etc",
    "owner/..",
    "a/b/c",
    "owner\\name",
    "..\\name",
    "owner/na me",
    "owner/-name",
    "owner/name.git",
    "owner/a--b",
    "https://huggingface.co/owner/name",
    `owner/${"a".repeat(100)}`,
    "owner/name@",
    "owner/name@../../main",
    "owner/name@a..b",
    "owner/name@/etc",
    "owner/name@a\\b",
    "owner/name@a//b",
  ])("%j is refused before any request", async (spec) => {
    const hub = await serve();
    const error = await failure(resolveModel(spec));
    expect(error).toMatchObject({ code: "bad-input" });
    expect(error.hint).toContain("owner/name");
    expect(hub.requests).toEqual([]);
  });
});

describe("a download", () => {
  it("fills the standard cache with the files that are needed, and opens", async () => {
    const hub = await serve({
      files: {
        ...files,
        "README.md": "x",
        "pytorch_model.bin": "x",
        "consolidated.safetensors": "x",
        "chat_template.jinja": "x",
        "thoughtbook.json": "x",
      },
    });
    const folder = await resolveModel(MODEL);
    expect(folder).toBe(snapshot());
    expect((await openCheckpoint(folder)).config.family).toBe("llama");
    expect(await readdir(folder)).toEqual([
      "chat_template.jinja",
      "config.json",
      "model.safetensors",
      "thoughtbook.json",
      "tokenizer.json",
    ]);
    expect(await readlink(join(folder, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(await readlink(join(folder, "config.json"))).toBe(`../../blobs/${gitHash(files["config.json"]!)}`);
    expect(await readFile(join(root(), "refs", "main"), "utf8")).toBe(COMMIT);
    expect((await readdir(join(root(), "blobs"))).every((name) => /^[0-9a-f]+$/.test(name))).toBe(true);
    const before = hub.requests.length;
    expect(await resolveModel(MODEL)).toBe(folder);
    expect(hub.requests.length).toBe(before);
  });

  it("of shards takes those that the index names", async () => {
    const index = {
      metadata: {},
      weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" },
    };
    const { "model.safetensors": _, ...rest } = files;
    const shards = { "model-00001-of-00002.safetensors": "1", "model-00002-of-00002.safetensors": "2" };
    const indexFile = { "model.safetensors.index.json": JSON.stringify(index) };
    await serve({ files: { ...rest, ...indexFile, ...shards, "other.safetensors": "3" } });
    expect(await readdir(await resolveModel(MODEL))).toEqual([
      "config.json",
      ...Object.keys(shards),
      "model.safetensors.index.json",
      "tokenizer.json",
    ]);
    await rm(home, { recursive: true });
    await serve({ files: { ...rest, ...indexFile, "model-00001-of-00002.safetensors": "1" } });
    const error = await failure(resolveModel(MODEL));
    expect(error).toMatchObject({
      code: "not-found",
      message: expect.stringContaining("model-00002-of-00002.safetensors"),
    });
  });

  it.each([
    ["v1.0", "refs/v1.0"],
    ["refs/pr/1", "refs/refs/pr/1"],
  ])("of the revision %s notes its commit", async (revision, ref) => {
    const hub = await serve();
    expect(await resolveModel(`${MODEL}@${revision}`)).toBe(snapshot());
    expect(hub.requests[0]).toBe(`GET /api/models/${MODEL}/revision/${revision}`);
    expect(hub.hubRequests[0]!.url).toContain(`/revision/${encodeURIComponent(revision)}?`);
    expect(await readFile(join(root(), ref), "utf8")).toBe(COMMIT);
  });

  it("of a commit needs no note", async () => {
    await serve();
    expect(await resolveModel(`${MODEL}@${COMMIT}`)).toBe(snapshot());
    expect(existsSync(join(root(), "refs"))).toBe(false);
  });

  it("shares what two revisions have in common", async () => {
    await serve();
    await resolveModel(MODEL);
    const commit = COMMIT.replaceAll("0", "a");
    const hub = await serve({ commit });
    expect(await resolveModel(`${MODEL}@next`)).toBe(snapshot(commit));
    expect(hub.requests.filter((request) => request.includes("resolve"))).toEqual([]);
    expect((await readFile(join(snapshot(commit), "model.safetensors"))).equals(weights)).toBe(true);
  });

  it("is done once by two at the same time", async () => {
    await serve();
    expect(await Promise.all([resolveModel(MODEL), resolveModel(MODEL)])).toEqual([snapshot(), snapshot()]);
    expect((await readFile(join(snapshot(), "model.safetensors"))).equals(weights)).toBe(true);
  });

  it("goes to HF_HUB_CACHE, where that is set", async () => {
    await serve();
    const cache = join(home, "elsewhere");
    vi.stubEnv("HF_HUB_CACHE", cache);
    expect(await resolveModel(MODEL)).toBe(join(cache, "models--owner--tiny", "snapshots", COMMIT));
  });

  it("goes through a proxy, where one is set", async () => {
    const hub = await serve();
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
    await resolveModel(MODEL);
    expect(tunnels).toContain(new URL(hub.url).host);
    expect(new Set(tunnels).size).toBe(2); // The hub and its store.
  });

  it("shows how far it is, and where it goes", async () => {
    const log = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    await serve();
    await resolveModel(MODEL);
    const shown = log.mock.calls.map(([text]) => String(text)).join("");
    log.mockRestore();
    expect(shown).toContain(`${MODEL}  0/${weights.length.toLocaleString("en-US")} bytes`);
    expect(shown).toContain(`${MODEL}: → ${snapshot()}`);
    expect(shown).toContain(`${MODEL} (configuration): → ${snapshot()}`);
  });

  it("can be interrupted", async () => {
    const stopped = new AbortController();
    await serve({
      store: (_, response, content) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 1000), () => setTimeout(() => stopped.abort(), 200));
        return true;
      },
    });
    const error = await failure(resolveModel(MODEL, { ...quick, signal: stopped.signal }));
    expect(error).toMatchObject({ code: "interrupted", message: expect.stringContaining(MODEL) });
    expect((await readFile(part(weights))).equals(weights.subarray(0, 1000))).toBe(true);
  });
});

describe("a broken download", () => {
  it("goes on where the connection was cut", async () => {
    const hub = await serve({ store: cutAfter(50_000, 2) });
    await resolveModel(MODEL, quick);
    expect(hub.storeRequests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=50000-", "bytes=50000-"]);
    expect((await readFile(join(snapshot(), "model.safetensors"))).equals(weights)).toBe(true);
    expect(existsSync(part(weights))).toBe(false);
  });

  it("goes on where the server ended too early", async () => {
    let short = true;
    const hub = await serve({
      store: (_, response, content) => {
        if (short) response.writeHead(200, { "content-length": 1000 }).end(content.subarray(0, 1000));
        [short] = [false, short];
        return response.writableEnded;
      },
    });
    await resolveModel(MODEL, quick);
    expect(hub.storeRequests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=1000-"]);
  });

  it("goes on where the server fell silent", async () => {
    let [asked, sent] = [0, 0];
    const hub = await serve({
      hub: () => asked++ === 0,
      store: (_, response, content) => {
        if (sent++ > 0) return false;
        response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 1000));
        return true;
      },
    });
    await resolveModel(MODEL, { ...quick, idleTimeoutMs: 500 });
    expect(hub.storeRequests.map(({ headers }) => headers.range)).toEqual([undefined, "bytes=1000-"]);
    expect(hub.requests.filter((request) => request.includes("/revision/"))).toHaveLength(2);
  });

  it("goes on in a later process", async () => {
    await serve({ store: cutAfter(50_000, 99) });
    const error = await failure(resolveModel(MODEL, { ...quick, attempts: 1 }));
    expect(error).toMatchObject({ code: "network", message: expect.stringContaining("connection lost") });
    expect(existsSync(join(root(), "refs"))).toBe(false);
    const hub = await serve();
    await resolveModel(MODEL);
    expect(hub.storeRequests.map(({ headers }) => headers.range)).toEqual(["bytes=50000-"]);
    expect((await readFile(join(snapshot(), "model.safetensors"))).equals(weights)).toBe(true);
  });

  it.each([
    ["shorter, and damaged", Buffer.alloc(1000), ["bytes=1000-", undefined]],
    ["as long, but wrong", () => Buffer.alloc(weights.length), [undefined]],
    ["longer", () => Buffer.alloc(weights.length + 1), [undefined]],
  ])("of which a part is left that is %s, is started again", async (_, left, ranges) => {
    const hub = await serve();
    await mkdir(join(root(), "blobs"), { recursive: true });
    await writeFile(part(weights), typeof left === "function" ? left() : left);
    await resolveModel(MODEL);
    expect(hub.storeRequests.map(({ headers }) => headers.range)).toEqual(ranges);
    expect((await readFile(join(snapshot(), "model.safetensors"))).equals(weights)).toBe(true);
  });

  it("is started again if the server does not know ranges", async () => {
    let cut = true;
    await serve({
      store: (request, response, content) => {
        if (cut) {
          cut = false;
          return cutAfter(50_000)(request, response, content);
        }
        response.writeHead(200, { "content-length": content.length }).end(content);
        return true;
      },
    });
    await resolveModel(MODEL, quick);
    expect((await readFile(join(snapshot(), "model.safetensors"))).equals(weights)).toBe(true);
  });

  it("is tried again while the server is busy", async () => {
    let busy = 2;
    const hub = await serve({
      hub: (_, response) => {
        if (busy-- <= 0) return false;
        response.writeHead(busy === 1 ? 503 : 429).end();
        return true;
      },
    });
    await resolveModel(MODEL, quick);
    expect(hub.requests.filter((request) => request.includes("/revision/"))).toHaveLength(3);
  });

  it("gives up after some attempts", async () => {
    const hub = await serve({
      hub: (_, response) => {
        response.writeHead(500).end();
        return true;
      },
    });
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({ code: "network", message: expect.stringContaining("answers 500") });
    expect(hub.requests).toHaveLength(4);
  });
});

describe("content that is not what the hub promised", () => {
  const damaged = (content: Buffer) => Buffer.concat([content.subarray(0, -1), Buffer.from([1])]);

  it("is refused, with the SHA-256 of a large file", async () => {
    await serve({
      store: (request, response, content) => {
        sendRange(request, response, damaged(content));
        return true;
      },
    });
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({ code: "corrupt-data", message: expect.stringContaining(sha256(weights)) });
    expect(existsSync(join(snapshot(), "model.safetensors"))).toBe(false);
    expect(await readdir(join(root(), "blobs"))).toHaveLength(2); // Configuration and tokenizer.
  });

  it("is refused, with git's SHA-1 of a small one", async () => {
    await serve({
      hub: (request, response) => {
        if (!request.url!.endsWith("config.json")) return false;
        sendRange(request, response, damaged(files["config.json"]!));
        return true;
      },
    });
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining(gitHash(files["config.json"]!)),
    });
    expect(existsSync(snapshot())).toBe(false);
  });

  it("is refused if it is longer", async () => {
    await serve({
      store: (request, response, content) => {
        sendRange(request, response, Buffer.concat([content, content]));
        return true;
      },
    });
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({ code: "corrupt-data", message: expect.stringContaining("longer") });
    expect(existsSync(part(weights))).toBe(false);
  });
});

describe("permission", () => {
  /** Answers as the hub does if the token is not the right one. */
  const guarded =
    (status: number, code?: string): NonNullable<FakeHubOptions["hub"]> =>
    ({ headers }, response) => {
      if (headers.authorization === `Bearer ${TOKEN}`) return false;
      response.writeHead(status, code === undefined ? {} : { "x-error-code": code }).end();
      return true;
    };

  it("comes with HF_TOKEN, which only the hub is told", async () => {
    vi.stubEnv("HF_TOKEN", ` ${TOKEN}\n`);
    const hub = await serve({ hub: guarded(401, "RepoNotFound") });
    await resolveModel(MODEL);
    expect(hub.hubRequests.every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(hub.storeRequests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("is not given away to another host that a list goes on at", async () => {
    vi.stubEnv("HF_TOKEN", TOKEN);
    const seen: unknown[] = [];
    const other = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.end("[]");
    });
    await serve({
      hub: (request, response) => {
        if (request.url!.includes("/tree/")) response.setHeader("link", `<${other}/more>; rel="next"`);
        return false;
      },
    });
    await resolveModel(MODEL);
    expect(seen).toEqual([undefined]);
  });

  it("need not look like a token of huggingface.co", async () => {
    vi.stubEnv("HF_TOKEN", "other-hub-token");
    const hub = await serve();
    await resolveModel(MODEL);
    expect(hub.hubRequests[0]!.headers.authorization).toBe("Bearer other-hub-token");
  });

  it.each([
    ["no model, or a private one", 401, "RepoNotFound", undefined, "not-found", /no folder and no model/, /HF_TOKEN/],
    ["no model", 404, "RepoNotFound", "hf_other", "not-found", /no folder and no model/, /Check the name\.$/],
    ["a gated model", 403, "GatedRepo", undefined, "bad-input", /may not be read/, /set HF_TOKEN/],
    ["a gated model", 401, "GatedRepo", "hf_other", "bad-input", /may not be read/, /Accept its conditions/],
    ["a wrong token", 401, undefined, "hf_other", "bad-input", /HF_TOKEN is not accepted/, /valid token/],
    ["no revision", 404, "RevisionNotFound", undefined, "not-found", /no such revision/, /after the @/],
    ["no file", 404, "EntryNotFound", undefined, "not-found", /a file of owner\/tiny has gone/, /Try again/],
  ] as const)("%s is an error (%s, %s)", async (_, status, reason, token, code, message, hint) => {
    vi.stubEnv("HF_TOKEN", token);
    const hub = await serve({ hub: guarded(status, reason) });
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toBeInstanceOf(ThoughtbookError);
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(hub.requests).toHaveLength(1);
  });

  it("may be needed for the files only", async () => {
    await serve({
      hub: (request, response) => request.url!.includes("/resolve/") && guarded(403, "GatedRepo")(request, response),
    });
    expect(await failure(resolveModel(MODEL, quick))).toMatchObject({ code: "bad-input" });
  });
});

describe("secrets", () => {
  const attempt = async () => inspect(await failure(resolveModel(MODEL, { ...quick, attempts: 1 })), { depth: 20 });

  it("of HF_TOKEN stand in no error", async () => {
    vi.stubEnv("HF_TOKEN", TOKEN);
    for (const status of [401, 403, 404, 500]) {
      await serve({
        hub: (_, response) => {
          response.writeHead(status).end(`no, ${TOKEN}`);
          return true;
        },
      });
      expect(await attempt()).not.toContain(TOKEN);
    }
    await serve({ store: cutAfter(10, 99) });
    expect(await attempt()).not.toContain(TOKEN);
    vi.stubEnv("HF_ENDPOINT", await closedAddress());
    expect(await attempt()).not.toContain(TOKEN);
    vi.stubEnv("HF_TOKEN", `${TOKEN}\nx`);
    const shown = await attempt();
    expect(shown).toContain("HF_TOKEN holds characters");
    expect(shown).not.toContain(TOKEN);
  });

  it("in HF_ENDPOINT are refused, and not shown", async () => {
    for (const endpoint of ["http://me:password@127.0.0.1", "password", "file:///password"]) {
      vi.stubEnv("HF_ENDPOINT", endpoint);
      const shown = await attempt();
      expect(shown).toContain("HF_ENDPOINT");
      expect(shown).not.toContain("password@");
      expect(shown).not.toMatch(/: password|\/password/);
    }
  });

  it("in the address of a proxy are not shown", async () => {
    await serve();
    vi.stubEnv("NO_PROXY", "");
    vi.stubEnv("HTTP_PROXY", "me:password@proxy");
    const shown = await attempt();
    expect(shown).toContain("HTTP_PROXY");
    expect(shown).not.toContain("password");
  });
});

describe("without a network", () => {
  it("what is not in the cache is an error that says so", async () => {
    const unreachable = await closedAddress();
    vi.stubEnv("HF_ENDPOINT", `${unreachable}/`);
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({ code: "network", message: `cannot reach ${unreachable}: connection refused` });
    expect(error.hint).toContain("local folder");
  });

  it("HF_HUB_OFFLINE forbids requests", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    const hub = await serve();
    const error = await failure(resolveModel(MODEL));
    expect(error).toMatchObject({ code: "network", message: expect.stringContaining("HF_HUB_OFFLINE") });
    expect(hub.requests).toEqual([]);
  });

  it("what another program has cached is found", async () => {
    vi.stubEnv("HF_ENDPOINT", await closedAddress());
    await mkdir(snapshot(), { recursive: true });
    await mkdir(join(root(), "refs"));
    await writeFile(join(root(), "refs", "main"), `${COMMIT}\n`);
    await cp(join(llama, "config.json"), join(snapshot(), "config.json"));
    expect(await failure(resolveModel(MODEL, quick))).toMatchObject({ code: "network" });

    await mkdir(join(root(), "blobs"));
    await symlink("../../blobs/missing", join(snapshot(), "model.safetensors"));
    expect(await failure(resolveModel(MODEL, quick))).toMatchObject({ code: "network" });

    await writeFile(join(root(), "blobs", "missing"), weights);
    expect(await resolveModel(MODEL, quick)).toBe(snapshot()); // Weights without a tokenizer will do.
    expect(await resolveModel(`${MODEL}@${COMMIT}`, quick)).toBe(snapshot());
    expect(await failure(resolveModel(`${MODEL}@other`, quick))).toMatchObject({ code: "network" });
  });
});

describe("a cached model without a tokenizer", () => {
  it("is completed from the hub", async () => {
    const { "tokenizer.json": _, ...rest } = files;
    await mkdir(join(root(), "refs"), { recursive: true });
    await writeFile(join(root(), "refs", "main"), COMMIT);
    await mkdir(snapshot(), { recursive: true });
    for (const [name, content] of Object.entries(rest)) await writeFile(join(snapshot(), name), content);
    await serve();
    expect(await readdir(await resolveModel(MODEL))).toContain("tokenizer.json");
  });

  it("is not asked for again if the hub has none", async () => {
    const { "tokenizer.json": _, ...rest } = files;
    const hub = await serve({ files: rest });
    await resolveModel(MODEL);
    const before = hub.requests.length;
    await resolveModel(MODEL);
    expect(hub.requests.length).toBe(before);
  });
});

describe("a model that cannot be used", () => {
  it.each([
    ["pytorch_model.bin", "bad-input", /pickle/],
    ["adapter_model.safetensors", "bad-input", /adapter/],
    ["model.gguf", "not-found", /only in GGUF files: model\.gguf/],
    ["README.md", "not-found", /neither model\.safetensors nor/],
  ])("with weights only in %s is refused before any file is downloaded", async (name, code, message) => {
    const hub = await serve({ files: { "config.json": files["config.json"]!, [name]: "x" } });
    const error = await failure(resolveModel(MODEL));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(MODEL);
    expect(hub.requests.filter((request) => request.includes("resolve"))).toEqual([]);
  });

  it("has no config.json", async () => {
    await serve({ files: { "model.safetensors": weights } });
    const error = await failure(resolveModel(MODEL));
    expect(error).toMatchObject({ code: "not-found", message: `${MODEL}@main has no config.json` });
  });
});

describe("a hostile or broken hub", () => {
  it("cannot name files outside the cache", async () => {
    await serve({
      listing: (entries) => [
        ...entries,
        ...["../evil.json", "/evil.json", "a/config.json", "tokenizer/../../evil.json", "tokenizer\\..\\evil.json"].map(
          (path) => ({
            ...entries[0],
            path,
          }),
        ),
      ],
    });
    expect(await readdir(await resolveModel(MODEL))).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  });

  it.each([
    ["a commit", { commit: "../../../evil" }],
    [
      "a hash",
      {
        listing: (entries: Record<string, unknown>[]) =>
          entries.map((entry) => ({ ...entry, oid: "../evil", lfs: undefined })),
      },
    ],
    [
      "a size",
      {
        listing: (entries: Record<string, unknown>[]) =>
          entries.map((entry) => ({ ...entry, size: -0.5, lfs: undefined })),
      },
    ],
    ["a listing", { listing: () => 5 }],
  ])("that gives %s that is none is an error", async (_, options) => {
    await serve(options);
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({
      code: "network",
      message: expect.stringContaining("does not answer as a Hugging Face hub"),
    });
    expect(existsSync(home) && (await readdir(home)).length > 0).toBe(false);
  });

  it("that is none at all is an error", async () => {
    vi.stubEnv("HF_ENDPOINT", await listen((_, response) => void response.end("<html>Please log in</html>")));
    const error = await failure(resolveModel(MODEL, quick));
    expect(error).toMatchObject({
      code: "network",
      message: expect.stringContaining("does not answer as a Hugging Face hub"),
    });
  });

  it("cannot write where it may not", async () => {
    await serve();
    vi.stubEnv("HF_HUB_CACHE", join(llama, "config.json"));
    expect(await failure(resolveModel(MODEL, quick))).toMatchObject({ code: "file-system" });
  });
});
