import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strictJson } from "thoughtbook/core";
import { wordProblems } from "thoughtbook/data";
import {
  initializeParameters,
  loadAdapter,
  loadTokenizer,
  mergeAdapter,
  openCheckpoint,
  parseConfig,
  readParameters,
  resolveModel,
  saveBpe,
  saveCheckpoint,
  trainBpe,
} from "thoughtbook/model";
import { type FineTuneOptions, fineTune, type TrainingRecord } from "thoughtbook/train";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { failure } from "../core/helpers.js";
import { SILENT } from "./helpers.js";

const CONFIG = parseConfig({
  model_type: "llama",
  vocab_size: 280,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 64,
});

describe("fineTune", () => {
  let folder: string;
  let model: string;
  let data: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-fine-tune-"));
    model = join(folder, "model");
    await saveCheckpoint(model, { config: CONFIG, parameters: initializeParameters(CONFIG, { seed: 1 }) });
    await saveBpe(model, await trainBpe(["1 + 1 is 2"], { vocabularySize: 260, bosToken: "<s>", eosToken: "</s>" }));
    writeFileSync(join(model, "thoughtbook.json"), '{"operations": ["cot"]}');
    data = join(folder, "rows.jsonl");
    const rows = Array.from({ length: 40 }, (_, i) => ({ prompt: `${i} + 1 is`, completion: ` ${i + 1}` }));
    writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const tune = (out: string, options: Partial<FineTuneOptions> = {}) =>
    fineTune({ model, data, out: join(folder, out), seed: 1, maxSteps: 5, threads: 1, display: SILENT, ...options });
  const weightsOf = async (name: string) => readParameters(await openCheckpoint(join(folder, name)));

  it("writes a Hugging Face folder with the tokenizer and the operations, and keeps the records", async () => {
    const result = await tune("plain", { heldOut: data, evaluateEvery: 2 });
    expect(result).toEqual({ step: 5, steps: 5, value: expect.any(Number) });
    const out = join(folder, "plain");
    expect((await openCheckpoint(out)).config).toEqual(CONFIG);
    expect((await weightsOf("plain"))["lm_head.weight"]).not.toEqual((await weightsOf("model"))["lm_head.weight"]);
    expect((await loadTokenizer(out)).encode("1 + 1")).toEqual((await loadTokenizer(model)).encode("1 + 1"));
    expect(readFileSync(join(out, "thoughtbook.json"), "utf8")).toBe('{"operations": ["cot"]}');
    expect(readdirSync(join(out, "training")).sort()).toEqual(["finished.json", "records.jsonl", "run.json"]);
    const records = readFileSync(join(out, "training", "records.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    expect(records.map((line) => (JSON.parse(line) as TrainingRecord).scores?.heldOutLoss !== undefined)).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
  });

  it("does a finished run not again, and overwrites nothing", async () => {
    const result = await tune("once");
    expect((await failure(tune("once"))).message).toMatch(/once holds a finished training run$/);
    expect(await tune("once", { resume: true })).toEqual(result);
    expect((await failure(tune("once", { resume: true, maxSteps: 6 }))).message).toMatch(/with other settings$/);
    expect((await failure(tune("model"))).message).toMatch(/model is not empty and holds no training run$/);
    expect((await openCheckpoint(model)).config).toEqual(CONFIG);
  });

  it("trains to the same weights again, on as many threads as there are processors", async () => {
    vi.stubEnv("THOUGHTBOOK_THREADS", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const long = join(folder, "long.jsonl");
    const lines = Array.from(wordProblems({ operations: 4, seed: 3, split: "train" }, 32), ({ question }) =>
      strictJson({ prompt: question, completion: ` ${question}`.repeat(4) }),
    );
    writeFileSync(long, `${lines.join("\n")}\n`);
    const options = { model: await resolveModel("mini-scorer"), data: long, maxSteps: 2, batchSize: 16 };
    for (const out of ["first", "second"]) await tune(out, { ...options, threads: undefined });
    const [first, second] = ["first", "second"].map((out) => readFileSync(join(folder, out, "model.safetensors")));
    expect(second!.equals(first!)).toBe(true);
  });

  it("writes an adapter, merged or by itself", async () => {
    await tune("merged", { lora: { rank: 2, targets: ["q_proj", "v_proj"] } });
    const adapter = await loadAdapter(join(folder, "merged", "adapter"), CONFIG);
    const before = await weightsOf("model");
    const after = await weightsOf("merged");
    expect(after).toEqual(mergeAdapter(CONFIG, before, adapter));
    expect(after["model.layers.0.self_attn.q_proj.weight"]).not.toEqual(
      before["model.layers.0.self_attn.q_proj.weight"],
    );
    expect(after["lm_head.weight"]).toEqual(before["lm_head.weight"]);
    await tune("alone", { lora: { rank: 2, targets: ["q_proj", "v_proj"] }, merge: false });
    expect(readdirSync(join(folder, "alone"))).toContain("adapter_model.safetensors");
    expect(readdirSync(join(folder, "alone"))).not.toContain("model.safetensors");
    expect(await loadAdapter(join(folder, "alone"), CONFIG)).toEqual(adapter);
  });

  it("begins with random weights where there is only a configuration and a tokenizer", async () => {
    const bare = join(folder, "bare");
    await cp(model, bare, { recursive: true });
    await rm(join(bare, "model.safetensors"));
    await tune("fresh", { model: bare, fresh: true, maxSteps: 1, learningRate: 1e-9, dtype: "bfloat16" });
    const begun = initializeParameters(CONFIG, { seed: 1 })["lm_head.weight"]!.data;
    const found = (await weightsOf("fresh"))["lm_head.weight"]!.data;
    expect(Math.max(...found.map((value, i) => Math.abs(value - begun[i]!)))).toBeLessThan(1e-3);
  });

  it("asks for a chat template before any work", async () => {
    const chats = join(folder, "chats.jsonl");
    writeFileSync(
      chats,
      '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n',
    );
    const error = await failure(tune("chats", { data: chats }));
    expect(error.message).toMatch(/holds no chat template/);
    expect(error.code).toBe("not-found");
  });
});
