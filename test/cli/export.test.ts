import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const MODEL = join(import.meta.dirname, "..", "fixtures", "checkpoints", "stories260k");

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
