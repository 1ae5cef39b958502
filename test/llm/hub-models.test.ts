import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "thoughtbook/core";
import { type LanguageModel, loadLocalModel, loadModel } from "thoughtbook/llm";
import { exportOnnx, openCheckpoint } from "thoughtbook/model";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { TransformersModel } from "../../lib/dist/llm/transformers/model.js";
import { failure, temporaryFolder } from "../core/helpers.js";
import { CHECKPOINTS } from "../model/generate/helpers.js";
import {
  COMMIT,
  closedAddress,
  type FakeHubOptions,
  fakeHub,
  isolateHub,
  MODEL,
  sendRange,
} from "../model/hub/hub-server.js";
import { root } from "../notebook/helpers.js";

const CHECKPOINT = join(CHECKPOINTS, "llama-gqa-tied");
const IDS = [3, 14, 15];
const TOKEN = "hf_SecretSecretSecret";

type Files = Record<string, Buffer>;
let scratch: string;
/** The files of a model in safetensors, and exported as ONNX with weights inside and outside. */
let safetensors: Files;
let onnx: Files;
let outside: Files;
let greedy: readonly number[];
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "thoughtbook-hub-models-"));
  const read = async (folder: string): Promise<Files> => {
    const names = (await readdir(folder, { recursive: true })).filter((name) =>
      /\.(json|safetensors|onnx|onnx_data)$/.test(name),
    );
    const wanted = names.filter((name) => !name.startsWith("expected"));
    return Object.fromEntries(
      await Promise.all(wanted.map(async (name) => [name, await readFile(join(folder, name))])),
    );
  };
  const checkpoint = await openCheckpoint(CHECKPOINT);
  safetensors = await read(CHECKPOINT);
  onnx = await read((await exportOnnx(checkpoint, join(scratch, "onnx"))).folder);
  const external = { dtypes: ["fp32"], externalData: true } as const;
  outside = await read((await exportOnnx(checkpoint, join(scratch, "outside"), external)).folder);
  const local = await loadLocalModel(CHECKPOINT);
  greedy = await continuation(local);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

let home: string;
const opened: LanguageModel[] = [];
beforeEach(async () => {
  home = await temporaryFolder();
  isolateHub(home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const model of opened.splice(0)) await model.dispose();
});

async function serve(files: Files, options: Partial<FakeHubOptions> = {}) {
  const hub = await fakeHub({ files, ...options });
  vi.stubEnv("HF_ENDPOINT", hub.url);
  return hub;
}

async function open(spec: string, options = {}): Promise<LanguageModel> {
  const model = await loadModel(spec, options);
  opened.push(model);
  return model;
}

/** What a model says after a prompt; it proves that the weights are there, and right. */
async function continuation(model: LanguageModel): Promise<readonly number[]> {
  const request = { prompt: { ids: IDS }, temperature: 0, maxNewTokens: 8, stopIds: [] };
  return (await model.generate([request]))[0]![0]!.tokens!.completionIds;
}

const cached = () => join(home, "hub", "models--owner--tiny");
const snapshot = (commit = COMMIT) => join(cached(), "snapshots", commit);
/** Files that were asked for, without listings. */
const files = ({ requests }: { requests: string[] }) =>
  requests.filter((request) => request.includes("/resolve/")).map((request) => request.split(/\/resolve\/[^/]+\//)[1]);

/** Run a command as a user does, in a process of its own. */
function command(...args: string[]): {
  child: ChildProcess;
  ended: Promise<{ code: number | null; out: string; err: string }>;
} {
  const child = spawn(process.execPath, [join(root, "lib", "bin.mjs"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout!.on("data", (piece: Buffer) => out.push(String(piece)));
  child.stderr!.on("data", (piece: Buffer) => err.push(String(piece)));
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }));
  });
  return { child, ended };
}
const generate = (spec: string) =>
  command("generate", "--model", spec, "--ids", IDS.join(), "--greedy", "--max-new-tokens", "4", "--json");
const idsIn = (out: string): number[] => (JSON.parse(out) as [{ ids: number[] }])[0].ids;

/** Both kinds of weights: a model of the hub, how it is asked for, and the large file of it. */
const KINDS = [
  { kind: "safetensors", spec: MODEL, all: () => safetensors, large: "model.safetensors" },
  { kind: "only ONNX", spec: MODEL, all: () => onnx, large: "onnx/model.onnx" },
  {
    kind: "ONNX beside safetensors",
    spec: `onnx:${MODEL}`,
    all: () => ({ ...safetensors, ...onnx }),
    large: "onnx/model.onnx",
  },
];

describe.each(KINDS)("a model of the hub with $kind", ({ spec, all, large }) => {
  const weights = () => all()[large]!;

  it("comes from where the hub redirects to, which is not told the token, and needs no hub afterwards", async () => {
    vi.stubEnv("HF_TOKEN", TOKEN);
    const fetched = vi.spyOn(globalThis, "fetch");
    const hub = await serve(all());
    const model = await open(spec);
    expect(await continuation(model)).toEqual(greedy);
    expect(model.name).toBe(spec);
    expect(files(hub).filter((file) => /model.*\.(onnx|safetensors)/.test(file!))).toEqual([large]);
    expect(hub.requests).toContain(`GET store/${sha256(weights())}?signature=secret`);
    expect(hub.hubRequests.every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(hub.storeRequests.every(({ headers }) => headers.authorization === undefined)).toBe(true);

    vi.stubEnv("HF_ENDPOINT", await closedAddress());
    expect(await continuation(await open(spec))).toEqual(greedy);
    // Our client has a fetch of its own; transformers.js would have used this one.
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
  });

  it("is kept by its ETag: what another revision has too is not downloaded again", async () => {
    const hub = await serve(all());
    await open(spec);
    const answer = await fetch(`${hub.url}/${MODEL}/resolve/main/${large}`, { method: "HEAD", redirect: "manual" });
    const etag = answer.headers.get("x-linked-etag")!.replaceAll('"', "");
    expect(await readdir(join(cached(), "blobs"))).toContain(etag);

    const commit = COMMIT.replaceAll("0", "a");
    const config = Buffer.concat([all()["config.json"]!, Buffer.from("\n")]);
    const next = await serve({ ...all(), "config.json": config }, { commit });
    const model = await open(`${spec}@next`);
    expect(files(next)).toEqual(["config.json"]);
    expect(next.storeRequests.length).toBe(config.length >= 1000 ? 1 : 0);
    expect(await continuation(model)).toEqual(greedy);
  });

  it("goes on where a download broke off", async () => {
    let cuts = 2;
    const hub = await serve(all(), {
      store: (request, response, content) => {
        if (!request.url!.includes(sha256(weights())) || cuts-- <= 0) return false;
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 50_000), () => setTimeout(() => response.socket?.destroy(), 300));
        return true;
      },
    });
    expect(await continuation(await open(spec))).toEqual(greedy);
    const ranges = hub.storeRequests
      .filter(({ url }) => url!.includes(sha256(weights())))
      .map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, "bytes=50000-", "bytes=50000-"]);
  });

  it("goes on in another process where a first one was killed", async () => {
    let slow = true;
    const hub = await serve(all(), {
      store: (request, response, content) => {
        if (!request.url!.includes(sha256(weights())) || !slow) return false;
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 50_000));
        return true;
      },
    });
    const first = generate(spec);
    const part = join(cached(), "blobs", `${sha256(weights())}.incomplete`);
    await vi.waitFor(() => expect(statSync(part).size).toBe(50_000), { timeout: 20_000, interval: 50 });
    first.child.kill("SIGKILL");
    await first.ended;
    slow = false;
    hub.storeRequests.length = 0;
    const { code, out, err } = await generate(spec).ended;
    expect(err).toContain(`${MODEL}: → ${snapshot()}`);
    expect(code).toBe(0);
    expect(idsIn(out)).toEqual(greedy.slice(0, 4));
    expect(hub.storeRequests.map(({ headers }) => headers.range)).toEqual(["bytes=50000-"]);
  });

  it("is refused if its content is not what the hub promised", async () => {
    let wrong = true;
    await serve(all(), {
      store: (request, response, content) => {
        if (!wrong || !request.url!.includes(sha256(weights()))) return false;
        const damaged = Buffer.from(content);
        damaged[damaged.length >> 1]! ^= 1;
        sendRange(request, response, damaged);
        return true;
      },
    });
    expect(await failure(loadModel(spec))).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining(`wrong checksum: expected ${sha256(weights())}`),
    });
    const { code, out, err } = await generate(spec).ended;
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/error: .*wrong checksum/);
    expect(existsSync(join(snapshot(), large))).toBe(false);
    expect((await readdir(join(cached(), "blobs"))).filter((name) => name.startsWith(sha256(weights())))).toEqual([]);
    wrong = false;
    expect(await continuation(await open(spec))).toEqual(greedy);
  });

  it("can be interrupted while it is downloaded", async () => {
    const stop = new AbortController();
    await serve(all(), {
      store: (request, response, content) => {
        if (!request.url!.includes(sha256(weights()))) return false;
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 1000), () => setTimeout(() => stop.abort(), 100));
        return true;
      },
    });
    expect(await failure(loadModel(spec, { signal: stop.signal }))).toMatchObject({ code: "interrupted" });
  });
});

describe("the ONNX weights of a model of the hub", () => {
  const graphOf = (model: LanguageModel) => (model as TransformersModel).files.graph;
  const graphs = async () => (await readdir(join(snapshot(), "onnx"))).sort();

  it("are those that are asked for, and no others", async () => {
    await serve(onnx);
    expect(graphOf(await open(`onnx:${MODEL}#q4`))).toBe("onnx/model_q4.onnx");
    expect(await graphs()).toEqual(["model_q4.onnx"]);
    expect(graphOf(await open(MODEL, { dtype: "q8" }))).toBe("onnx/model_quantized.onnx");
    expect(await graphs()).toEqual(["model_q4.onnx", "model_quantized.onnx"]);
  });

  it("do not depend on what was downloaded before", async () => {
    await serve(onnx);
    await open(`onnx:${MODEL}#q4`);
    const hub = await serve(onnx);
    expect(graphOf(await open(MODEL))).toBe("onnx/model.onnx");
    expect(files(hub)).toEqual(["onnx/model.onnx"]);
    const before = hub.requests.length;
    expect(graphOf(await open(`onnx:${MODEL}`))).toBe("onnx/model.onnx");
    expect(hub.requests.length).toBe(before);
  });

  it("do not hide safetensors", async () => {
    await serve({ ...safetensors, ...onnx });
    await open(`onnx:${MODEL}`);
    const hub = await serve({ ...safetensors, ...onnx });
    const model = await open(MODEL);
    expect(files(hub)).toEqual(["model.safetensors"]);
    expect(model.capabilities.has("gradients")).toBe(true);
  });

  it("are not asked for again where the usual type is absent", async () => {
    const { "onnx/model.onnx": _, "onnx/model_quantized.onnx": __, ...few } = onnx;
    const hub = await serve(few);
    expect(graphOf(await open(MODEL))).toBe("onnx/model_q4.onnx");
    const before = hub.requests.length;
    for (const spec of [MODEL, `onnx:${MODEL}`, `onnx:${MODEL}#q4`]) {
      expect(graphOf(await open(spec))).toBe("onnx/model_q4.onnx");
    }
    expect(hub.requests.length).toBe(before);
  });

  it("come with those outside of the graph, and open from the links of the cache", async () => {
    await serve(outside);
    const model = await open(MODEL);
    expect(await graphs()).toEqual(["model.onnx", "model.onnx_data"]);
    expect(await continuation(model)).toEqual(greedy);
  });

  it("may lie at the top", async () => {
    const { "onnx/model.onnx": graph, "config.json": config } = onnx;
    await serve({ "model.onnx": graph!, "config.json": config! });
    expect(await continuation(await open(MODEL))).toEqual(greedy);
  });

  it("do without the hub what they can", async () => {
    await serve(onnx);
    await open(`onnx:${MODEL}#q4`);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(graphOf(await open(`onnx:${MODEL}#q4`))).toBe("onnx/model_q4.onnx");
    // Nobody knows which the hub would give: the one at hand will do.
    expect(graphOf(await open(MODEL))).toBe("onnx/model_q4.onnx");
    expect(await failure(loadModel(`onnx:${MODEL}#q8`))).toMatchObject({ code: "network" });
  });

  it.each<[string, string, () => Files, string, RegExp]>([
    ["of a type that is absent", `onnx:${MODEL}#fp16`, () => onnx, "not-found", /no ONNX model of the type fp16/],
    ["of a model without any", `onnx:${MODEL}`, () => safetensors, "not-found", /holds no ONNX model/],
    [
      "of a model in parts",
      `onnx:${MODEL}`,
      () => ({ "config.json": onnx["config.json"]!, "onnx/embed_tokens.onnx": Buffer.from("x") }),
      "bad-input",
      /in one file, only onnx\/embed_tokens\.onnx/,
    ],
  ])("%s are refused before any file is downloaded", async (_, spec, all, code, message) => {
    const hub = await serve(all());
    const error = await failure(loadModel(spec));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(MODEL);
    expect(files(hub)).toEqual([]);
  });

  it("cannot name files outside of their folder", async () => {
    const evil = ["onnx/../../evil.onnx", "onnx/model.onnx_data/../../../evil", "onnx/model.onnx_data_1/x"];
    await serve(onnx, {
      listing: (entries) => [...entries, ...evil.map((path) => ({ ...entries[0], path, type: "file" }))],
    });
    await open(MODEL);
    expect(await graphs()).toEqual(["model.onnx"]);
  });
});
