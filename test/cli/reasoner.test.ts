import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const BIN = join(root, "lib", "bin.mjs");
const run = (...args: string[]) =>
  spawnSync(process.execPath, [BIN, "reasoner", ...args], { encoding: "utf8", cwd: root });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-reasoner-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("thoughtbook reasoner", () => {
  it("math runs rounds, and finetune learns from what they aggregated", { timeout: 600_000 }, () => {
    const out = join(folder, "run");
    const flags = [
      "--model",
      "mini-base",
      "--task",
      "word-problems:2",
      "--rounds",
      "1",
      "--tasks",
      "4",
      "--samples",
      "2",
    ];
    const { stdout, stderr } = run("math", ...flags, "--held-out-tasks", "4", "--out", out, "--seed", "1", "--json");
    expect(stderr).not.toMatch(/error/);
    const { rounds, settings } = JSON.parse(stdout);
    expect(rounds.map(({ round }: { round: number }) => round)).toEqual([0, 1]);
    expect(settings).toMatchObject({ task: "word-problems:2", heldOut: "word-problems:2", heldOutSplit: "test" });
    const tuned = run(
      "finetune",
      "--model",
      "mini-base",
      "--aggregated-data",
      out,
      "--out",
      join(folder, "tuned"),
      "--epochs",
      "1",
      "--json",
    );
    expect(JSON.parse(tuned.stdout)).toMatchObject({ kind: "weights" });
  });

  it("search prints summary and records", { timeout: 300_000 }, () => {
    const flags = ["--model", "mini", "--task", "word-problems:2", "--limit", "2", "--budget", "96"];
    const { summary, records } = JSON.parse(run("search", ...flags, "--search", "mcts", "--json").stdout);
    expect(summary.problems).toBe(2);
    expect(records[0].trees.length).toBeGreaterThan(0);
    expect(run("search", ...flags, "--search", "beam").stdout).toMatch(/coverage/);
    expect(run("search", ...flags, "--search", "dfs").stderr).toMatch(/mcts/);
  });

  it("shows tasks, and lists the jobs of a plan", { timeout: 300_000 }, () => {
    expect(run("tasks", "code:python", "--limit", "1").stdout).toMatch(/^def /m);
    expect(run("study", "data/studies/reasoner.json", "--list").stdout).toMatch(/^learners\/bc\/1$/m);
  });
});
