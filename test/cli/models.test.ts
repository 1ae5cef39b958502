import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelReport } from "thoughtbook/llm";
import { exportOnnx, type ListedModel, openCheckpoint } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const CHECKPOINT = join(import.meta.dirname, "..", "fixtures", "checkpoints", "gpt2");

const run = (...given: [Record<string, string>, ...string[]] | string[]) => {
  const [env, args] = typeof given[0] === "object" ? [given[0], given.slice(1)] : [{}, given];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "lib", "bin.mjs"), ...(args as string[])],
    { encoding: "utf8", env: { ...process.env, ...env } },
  );
  return { status, stdout, stderr };
};

describe("models list", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  let cache: string;
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), "thoughtbook-models-list-"));
    // As huggingface_hub lays it out: a file is once among the blobs, and linked to.
    const model = join(cache, "models--owner--tiny");
    const [blobs, snapshot] = [join(model, "blobs"), join(model, "snapshots", commit)];
    for (const folder of [blobs, snapshot, join(model, "refs", "pr")]) mkdirSync(folder, { recursive: true });
    for (const file of ["config.json", "model.safetensors"]) {
      cpSync(join(CHECKPOINT, file), join(blobs, file));
      symlinkSync(join("..", "..", "blobs", file), join(snapshot, file));
    }
    writeFileSync(join(model, "refs", "main"), commit);
    writeFileSync(join(model, "refs", "pr", "1"), commit);
    mkdirSync(join(cache, "models--owner--begun", "blobs"), { recursive: true });
    mkdirSync(join(cache, "datasets--owner--rows", "snapshots", commit), { recursive: true });
  });
  afterAll(() => rmSync(cache, { recursive: true, force: true }));
  const list = (...args: string[]) => run({ HF_HUB_CACHE: cache }, "models", "list", ...args);

  it("tells the embedded models and those of the hub's cache, with sizes", () => {
    const { status, stdout } = list("--json");
    expect(status).toBe(0);
    const models = JSON.parse(stdout);
    expect(models.map(({ name, place }: ListedModel) => [name, place])).toEqual([
      ["mini", "embedded"],
      ["mini-base", "embedded"],
      ["mini-scorer", "embedded"],
      ["owner/tiny", "cache"],
    ]);
    const size = (file: string) => statSync(join(CHECKPOINT, file)).size;
    expect(models[0]).toMatchObject({ weights: ["safetensors"], parameters: 2_558_400 });
    expect(models[3]).toMatchObject({
      weights: ["safetensors"],
      parameters: 30_752,
      // The links are not counted again.
      bytes: size("config.json") + size("model.safetensors") + 2 * commit.length,
      revisions: ["main", "pr/1"],
    });
    const table = list().stdout.trimEnd().split("\n");
    expect(table).toHaveLength(5);
    expect(table[1]!.split(/ {2,}/)).toEqual(["mini", "embedded", "safetensors", "2.56 M", expect.any(String)]);
    expect(table[4]!.split(/ {2,}/)).toEqual(["owner/tiny", "cache", "safetensors", "0.03 M", "0.1", "main, pr/1"]);
  });

  it("does without a cache", () => {
    const { status, stdout } = run({ HF_HUB_CACHE: join(cache, "none") }, "models", "list");
    expect(status).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(4);
  });

  it("names of the cache are told where one is mistyped", () => {
    const { stderr } = run({ HF_HUB_CACHE: cache, HF_HUB_OFFLINE: "1" }, "models", "check", "owner/tinny");
    expect(stderr).toMatch(/Did you mean owner\/tiny\? /);
  });
});

describe("commands on an ONNX folder", () => {
  let scratch: string;
  let exported: string;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "thoughtbook-models-"));
    exported = (await exportOnnx(await openCheckpoint(CHECKPOINT), join(scratch, "out"))).folder;
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("models check prints what a model can do and how fast it is", () => {
    const { status, stdout } = run("models", "check", CHECKPOINT, "--batch", "2", "--seconds", "1");
    expect(status).toBe(0);
    const lines = Object.fromEntries(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    );
    expect(lines).toMatchObject({
      model: CHECKPOINT,
      engine: "thoughtbook on ONNX Runtime, cpu",
      parameters: "30,752",
      context: "64 tokens",
      text: "no",
      tokenIds: "works",
      gradients: "works",
    });
    expect(lines.hash).toMatch(/^[0-9a-f]{64}$/);
    for (const label of ["generate, 1 at a time", "generate, 2 at a time", "score"]) {
      expect(lines[label]).toMatch(/^[\d,.]+ tokens\/s$/);
    }
  });

  it("models check gives the same as JSON, for a type of ONNX weights", () => {
    const { status, stdout } = run("models", "check", `onnx:${exported}#q8`, "--batch", "1", "--json");
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as ModelReport;
    expect(report.name).toBe(`onnx:${exported}#q8`);
    expect(report.engine).toContain("q8 (onnx/model_quantized.onnx)");
    expect(report.capabilities.score).toEqual({ status: "works" });
    expect(report.capabilities.gradients).toEqual({ status: "absent" });
    expect(report.generation.length).toBe(1);
  });

  it.each<[string, string[], RegExp]>([
    ["a model that is not there", ["./no-such-folder"], /there is no folder/],
    ["a type that is not there", ["onnx:OUT#fp16"], /no ONNX model of the type fp16.*Its types are fp32, q8, q4/],
    ["a device that is not there", ["onnx:OUT#q4,tpu"], /"tpu" is neither a dtype .* nor a device/],
    ["a batch of none", ["OUT", "--batch", "0"], /whole number above 0/],
  ])("models check refuses %s", (_, args, message) => {
    const { status, stdout, stderr } = run("models", "check", ...args.map((each) => each.replace("OUT", exported)));
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("generate and score give what they give for the checkpoint", () => {
    const asked = (...args: string[]) => [CHECKPOINT, exported].map((model) => run(...args, "--model", model));
    const [first, second] = asked(
      "generate",
      "--ids",
      "3,1,4",
      "--seed",
      "2",
      "--max-new-tokens",
      "6",
      "--samples",
      "2",
    );
    expect(first!.stdout).toMatch(/^[\d,]+\n[\d,]+\n$/);
    expect(second!.stdout).toBe(first!.stdout);
    const [byEngine, byOnnx] = asked("score", "--ids", "3,1,4,1,5", "--json").map(
      ({ stdout }) => (JSON.parse(stdout) as { tokenLogProbs: number[] }).tokenLogProbs,
    );
    expect(byEngine!.length).toBe(4);
    for (const [i, each] of byOnnx!.entries()) expect(Math.abs(each - byEngine![i]!)).toBeLessThan(1e-4);
  });
});
