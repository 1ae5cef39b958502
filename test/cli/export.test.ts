import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const MODEL = join(import.meta.dirname, "..", "fixtures", "checkpoints", "stories260k");

describe("thoughtbook export gguf", () => {
  it("writes a file that is a model like others, and refuses other types and places", () => {
    const folder = mkdtempSync(join(tmpdir(), "thoughtbook-export-"));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), ...args], { encoding: "utf8" });
    try {
      const file = join(folder, "mini.gguf");
      const written = run("export", "gguf", "--model", "mini", "--out", file, "--type", "q8_0");
      expect(written.stderr).toContain("mini.gguf");
      expect(written).toMatchObject({ status: 0, stdout: expect.stringMatching(/^2,7\d\d\.\d kB .*mini\.gguf\n$/) });
      const again = run("export", "gguf", "--model", "mini", "--out", file);
      expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining("there already") });
      const other = run("export", "gguf", "--model", "mini", "--out", join(folder, "x.gguf"), "--type", "q4_k");
      expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining("f16, q8_0") });
      const question = "Ana picks 3 apples. Ben picks 4 more apples than Ana. How many apples does Ben pick?";
      const asked = run("generate", "--model", file, "--chat", "--prompt", question, "--greedy");
      expect(asked.stdout).toContain("7");
      const wrong = run("generate", "--model", join(folder, "mimi.gguf"), "--prompt", "x");
      expect(wrong).toMatchObject({ status: 1, stderr: expect.stringMatching(/no file .*Did you mean.*mini\.gguf/) });
      expect(readdirSync(folder)).toEqual(["mini.gguf"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("thoughtbook export onnx", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-export-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => {
    const command = [join(root, "lib", "bin.mjs"), "export", "onnx", ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it("writes a folder, and says what is in it and how to open it", () => {
    const out = join(folder, "all");
    const { status, stdout, stderr } = run("--model", MODEL, "--out", out);
    expect(stderr).toMatch(/note: .*no tokenizer\.json/);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.trim().split(/\s+/).at(-1))).toEqual([
      "config.json",
      "generation_config.json",
      "onnx/model.onnx",
      "onnx/model_quantized.onnx",
      "onnx/model_q4.onnx",
      `${JSON.stringify(out)})`,
    ]);
    expect(lines[2]).toMatch(/^ +1,07\d\.\d kB {2}onnx\/model\.onnx$/);
    expect(readdirSync(out).sort()).toEqual(["config.json", "generation_config.json", "onnx"]);
  });

  it("writes the types that are asked for, with weights outside", () => {
    const out = join(folder, "some");
    expect(run("--model", MODEL, "--out", out, "--dtype", "q8,q4", "--external-data").status).toBe(0);
    expect(readdirSync(join(out, "onnx")).sort()).toEqual([
      "model_q4.onnx",
      "model_q4.onnx_data",
      "model_quantized.onnx",
      "model_quantized.onnx_data",
    ]);
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config["transformers.js_config"]).toEqual({
      dtype: "q8",
      use_external_data_format: { "model_quantized.onnx": 1, "model_q4.onnx": 1 },
    });
  });

  it.each<[string, string[], RegExp]>([
    ["an unknown type", ["--model", MODEL, "--dtype", "fp32,q5"], /fp32, q8, q4/],
    ["a model that is not there", ["--model", join(MODEL, "none")], /none/],
    ["a model of another family", ["--model", "OTHER"], /model_type is "mamba"/],
  ])("refuses %s", (_, args, message) => {
    const other = join(folder, "other");
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, "config.json"), '{"model_type": "mamba"}');
    const out = join(folder, "refused");
    const { status, stderr } = run(...args.map((each) => (each === "OTHER" ? other : each)), "--out", out);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });
});
