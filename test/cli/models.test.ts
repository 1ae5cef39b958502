import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelReport } from "thoughtbook/llm";
import { exportOnnx, openCheckpoint } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const CHECKPOINT = join(import.meta.dirname, "..", "fixtures", "checkpoints", "gpt2");

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
};

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
