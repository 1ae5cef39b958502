import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const BIN = join(root, "lib", "bin.mjs");
const run = (...args: string[]) => spawnSync(process.execPath, [BIN, "baselines", ...args], { encoding: "utf8" });

let folder: string;
let plan: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-baselines-"));
  plan = join(folder, "plan.json");
  const arm = { model: "small", task: "word-problems:2", limit: 4, strategy: "cot", budgets: [16, 64] };
  const arms = [arm, { ...arm, samples: 2, temperature: 0.7 }];
  writeFileSync(
    plan,
    JSON.stringify({ name: "try", models: { small: { spec: "nowhere.gguf", title: "Small" } }, arms }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("lists arms, measures them, writes results and the figure, and goes on where it is called again", {
  timeout: 90_000,
}, () => {
  expect(run(plan, "--list").stdout).toBe("small/word-problems-2/cot\nsmall/word-problems-2/cot-2-samples\n");
  const results = join(folder, "results.json");
  const flags = ["--out", join(folder, "runs"), "--model", "small=mini", "--results", results];
  const first = run(plan, ...flags, "--only", "small/word-problems-2/cot");
  expect(first.stdout).toMatch(/small\/word-problems-2\/cot +4 +16 /);
  expect(first.stdout).toMatch(/not finished: small\/word-problems-2\/cot-2-samples$/m);
  const records = join(folder, "runs", "small", "word-problems-2", "cot", "records.jsonl");
  const before = readFileSync(records, "utf8");
  const { stdout, status } = run(plan, ...flags, "--figures", join(folder, "figures"));
  expect(status).toBe(0);
  expect(stdout).not.toMatch(/not finished/);
  expect(readFileSync(records, "utf8")).toBe(before);
  expect(JSON.parse(readFileSync(results, "utf8")).results).toHaveLength(2);
  const kept = readFileSync(results, "utf8");
  expect(run(plan, ...flags, "--hours", "0").status).toBe(0);
  expect(readFileSync(results, "utf8")).toBe(kept);
  for (const extension of ["svg", "png", "csv"])
    expect(existsSync(join(folder, "figures", `try.${extension}`))).toBe(true);
  expect(run(plan, "--model", "mini").stderr).toMatch(/no NAME=VALUE/);
});
