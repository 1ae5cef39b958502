import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GrpoResults } from "thoughtbook/grpo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const BIN = join(root, "lib", "bin.mjs");
const run = (...args: string[]) => spawnSync(process.execPath, [BIN, ...args], { encoding: "utf8" });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-grpo-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = ["--limit", "4", "--test-limit", "2", "--collections", "1", "--problems", "1", "--group-size", "2"];

describe("thoughtbook grpo", () => {
  it("learns vectors from composed rewards, which are read, and evaluated with", { timeout: 300_000 }, () => {
    const out = join(folder, "vectors");
    const task = ["--model", "mini", "--task", "word-problems:2"];
    const rewards = ["--reward", "answer", "--reward", "format=0.1", "--reward", "majority=0.5"];
    const flags = ["--vectors", "2", "--max-new-tokens", "48", "--samples", "0", "--out", out, "--json"];
    const first = run("grpo", ...task, ...rewards, ...SMALL, ...flags);
    expect(first.stderr).not.toMatch(/error/);
    const { settings, records, evaluations } = JSON.parse(first.stdout);
    expect(settings.rewards).toEqual({ answer: 1, format: 0.1, majority: 0.5 });
    expect(records[0]).toMatchObject({ step: 1, completions: 2, kl: expect.any(Number) });
    expect(evaluations).toHaveLength(2);
    const attempts = readFileSync(join(out, "source", "rollouts", "records.jsonl"), "utf8");
    // Again: nothing is done anew.
    expect(run("grpo", ...task, ...rewards, ...SMALL, ...flags).stdout).toBe(first.stdout);
    expect(readFileSync(join(out, "source", "rollouts", "records.jsonl"), "utf8")).toBe(attempts);
    const read = run("grpo", "read", join(out, "prompt"), "--model", "mini", "--count", "2", "--json");
    const [prompt] = JSON.parse(read.stdout);
    expect(prompt.name).toBe("task");
    expect(prompt.vectors.map((tokens: unknown[]) => tokens.length)).toEqual([2, 2]);
    const evaluated = ["--limit", "2", "--budget", "48", "--result-dir", join(folder, "evaluated"), "--json"];
    const measured = run("evaluate", ...task, "--soft-prompt", join(out, "prompt"), ...evaluated);
    // The same problems, model and vectors as in the last measurement.
    expect(JSON.parse(measured.stdout).budgets[0].accuracy.strict.value).toBe(evaluations[1].accuracy.value);
  });

  it("runs a plan, one optimisation at a time, and writes results and figure", { timeout: 300_000 }, () => {
    const plan = join(folder, "plan.json");
    const task = { name: "word-problems:2", limit: 4 };
    const tiny = { collections: 1, problems: 1, groupSize: 2, maxNewTokens: 48, samples: 0, rank: 2 };
    const arm = { id: "adapter", title: "An adapter", model: "small", train: "lora", task, ...tiny };
    const own = { ...arm, test: { name: "word-problems:2", limit: 2 } };
    const models = { small: { spec: "nowhere.gguf", title: "Small" } };
    writeFileSync(plan, JSON.stringify({ name: "try", models, seeds: [1, 2], arms: [own] }));
    expect(run("grpo", "plan", plan, "--list").stdout).toBe("adapter/seed-1\nadapter/seed-2\n");
    const results = join(folder, "results.json");
    const flags = ["--model", "small=mini", "--out", join(folder, "runs"), "--results", results];
    const { stdout, stderr } = run("grpo", "plan", plan, ...flags, "--only", "adapter/seed-1", "--figures", folder);
    expect(stderr).not.toMatch(/error/);
    expect(stdout).toMatch(/adapter +1 +2 /);
    expect(stdout).toMatch(/not finished: adapter\/seed-2$/m);
    const found: GrpoResults = JSON.parse(readFileSync(results, "utf8"));
    expect(found.results.map(({ id, title, model }) => [id, title, model])).toEqual([
      ["adapter/seed-1", "An adapter", "Small"],
    ]);
    for (const extension of ["svg", "png", "csv"]) expect(existsSync(join(folder, `try.${extension}`))).toBe(true);
  });

  it("names what is wrong before any work", { timeout: 60_000 }, () => {
    const task = ["--model", "mini", "--task", "word-problems:2", "--out", join(folder, "none")];
    expect(run("grpo", ...task, "--reward", "format=x").stderr).toMatch(/format=0\.1/);
    expect(run("grpo", ...task, "--reward", "anser").stderr).toMatch(/anser/);
    expect(run("grpo", ...task, "--train", "words").stderr).toMatch(/no pool/);
    expect(existsSync(join(folder, "none"))).toBe(false);
  });
});
