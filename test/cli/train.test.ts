import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  initializeParameters,
  loadAdapter,
  openCheckpoint,
  parseConfig,
  saveBpe,
  saveCheckpoint,
  trainBpe,
} from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const CONFIG = parseConfig({
  model_type: "llama",
  vocab_size: 280,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 64,
});

describe("thoughtbook train", () => {
  let folder: string;
  let model: string;
  let data: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-train-"));
    model = join(folder, "model");
    await saveCheckpoint(model, { config: CONFIG, parameters: initializeParameters(CONFIG, { seed: 1 }) });
    await saveBpe(model, await trainBpe(["1 + 1 is 2"], { vocabularySize: 260, bosToken: "<s>", eosToken: "</s>" }));
    data = join(folder, "rows.jsonl");
    const rows = Array.from({ length: 40 }, (_, i) => ({ prompt: `${i} + 1 is`, completion: ` ${i + 1}` }));
    writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const command = (...args: string[]) => [join(root, "lib", "bin.mjs"), "train", "--threads", "1", ...args];
  const run = (...args: string[]) => spawnSync(process.execPath, command(...args), { encoding: "utf8" });
  const train = (out: string, ...args: string[]) =>
    run("--model", model, "--data", data, "--out", join(folder, out), ...args);
  const start = (out: string, ...args: string[]) =>
    spawn(process.execPath, command("--model", model, "--data", data, "--out", join(folder, out), ...args));
  const recordsOf = (out: string): string[] => {
    const file = join(folder, out, "training", "records.jsonl");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  };
  const untilRecords = async (child: ChildProcess, out: string, count: number) => {
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    while (recordsOf(out).length < count) {
      expect(child.exitCode, stderr).toBe(null);
      await sleep(5);
    }
  };

  it("ends with the same bytes when it was killed, in a Hugging Face folder", async () => {
    const settings = ["--max-steps", "150", "--save-every", "9", "--learning-rate", "0.01", "--eval", data];
    const { stdout } = train("whole", ...settings);
    expect(stdout).toMatch(/^data: 40 rows\neval: 40 rows\n.*whole: the model after update \d+ of 150, the best .*\n$/);
    const child = start("killed", ...settings);
    const ended = once(child, "exit");
    await untilRecords(child, "killed", 30);
    child.kill("SIGKILL");
    await ended;
    expect(recordsOf("killed").length).toBeLessThan(150);
    expect(existsSync(join(folder, "killed", "model.safetensors"))).toBe(false);
    expect(train("killed", ...settings, "--resume").status).toBe(0);
    expect(recordsOf("killed")).toEqual(recordsOf("whole"));
    const weights = (out: string) => readFileSync(join(folder, out, "model.safetensors"));
    expect(weights("killed").equals(weights("whole"))).toBe(true);
    expect((await openCheckpoint(join(folder, "killed"))).config).toEqual(CONFIG);
  }, 60_000);

  it("saves at Ctrl-C and says how to go on", async () => {
    const child = start("stopped", "--max-steps", "2000", "--save-every", "1000");
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = once(child, "close");
    await untilRecords(child, "stopped", 5);
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(130);
    const found = /error: training was stopped after update (\d+) of 2000\. The same command with --resume/.exec(
      stderr,
    );
    expect(recordsOf("stopped")).toHaveLength(Number(found![1]));
    expect(readdirSync(join(folder, "stopped", "training"))).toContain("state.safetensors");
  });

  it("trains an adapter", async () => {
    const lora = ["--max-steps", "3", "--lora", "2", "--alpha", "8", "--targets", "q_proj", "v_proj"];
    expect(train("adapted", ...lora, "--no-merge").status).toBe(0);
    expect(await loadAdapter(join(folder, "adapted"), CONFIG)).toMatchObject({
      rank: 2,
      alpha: 8,
      targets: ["q_proj", "v_proj"],
    });
  });

  it("names what is wrong before any work", () => {
    expect(train("x", "--alpha", "3").stderr).toMatch(/^error: --alpha is for an adapter\. Give its rank/);
    expect(train("x", "--epochs", "0").stderr).toMatch(/Expected a whole number above 0/);
    expect(run("--help").stdout).toContain("ASSISTANT'S TURNS");
  });
});
