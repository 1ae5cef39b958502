import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeChatModel } from "../model/generate-helpers.js";
import { root } from "../notebook/helpers.js";

const BIN = join(root, "lib", "bin.mjs");
const run = (...args: string[]) => spawnSync(process.execPath, [BIN, "evaluate", ...args], { encoding: "utf8" });

describe("thoughtbook evaluate", { timeout: 90_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-evaluate-"));
    await writeChatModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const recordsOf = (name: string) => readFileSync(join(folder, name, "records.jsonl"), "utf8");
  const common = () => ["--model", folder, "--task", "word-problems:2-3", "--limit", "4"];

  it("prints a table and leaves records, settings and a summary, the same for the same seed", () => {
    const flags = ["--budget", "4", "8", "--n", "2", "--temperature", "0.7", "--top-p", "0.9", "--seed", "5"];
    const first = run(...common(), ...flags, "--result-dir", join(folder, "a"));
    expect(first.stderr).not.toMatch(/error/);
    expect(first.status).toBe(0);
    const [title, header, ...rows] = first.stdout.split("\n");
    expect(title).toMatch(/M parameters: 4 problems of word-problems:2-3, cot$/);
    expect(header!.trim().split(/ {2,}/)).toEqual([
      ..."budget operations problems finished tokens strict".split(" "),
      "95 %",
      "astar",
      "95 %",
      "ACU",
      "pass@2",
      "majority",
    ]);
    expect(rows.slice(0, 6).map((row) => row.trim().split(/ {2,}/)[0])).toEqual(["4", "2", "3", "8", "2", "3"]);
    expect(first.stdout).toMatch(/\n2 calls, [\d.]+ tokens in and [\d.]+ out a question at budget 8\n/);

    const second = run(...common(), ...flags, "--result-dir", join(folder, "b"), "--json");
    expect(recordsOf("b")).toBe(recordsOf("a"));
    expect(recordsOf("a").trimEnd().split("\n")).toHaveLength(4 * 2 * 2);
    const summary = JSON.parse(second.stdout);
    expect(summary).toEqual(JSON.parse(readFileSync(join(folder, "a", "summary.json"), "utf8")));
    expect(summary).toMatchObject({ temperature: 0.7, topP: 0.9, seed: 5, problems: 4 });
    expect(JSON.parse(readFileSync(join(folder, "a", "run.json"), "utf8"))).toMatchObject({ seed: 5 });
  });

  it("keeps finished records at Ctrl-C, and the same command goes on from there", async () => {
    const args = ["--model", folder, "--task", "word-problems:2", "--limit", "16", "--batch-size", "2"];
    const flags = [...args, "--budget", "60", "--result-dir", join(folder, "stopped")];
    const child = spawn(process.execPath, [BIN, "evaluate", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    child.stderr.on("data", (text) => {
      told += text;
    });
    const file = join(folder, "stopped", "records.jsonl");
    // Once only: a second Ctrl-C ends the process at once.
    const watch = setInterval(() => {
      if (!existsSync(file) || readFileSync(file, "utf8").split("\n").length <= 3) return;
      clearInterval(watch);
      child.kill("SIGINT");
    }, 5);
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(told).toMatch(/The same command goes on from there/);
    expect(code).toBe(130);
    const kept = recordsOf("stopped").trimEnd().split("\n");
    expect(kept.length).toBeGreaterThan(2);
    expect(kept.length).toBeLessThan(16);

    expect(run(...flags).status).toBe(0);
    const all = recordsOf("stopped").trimEnd().split("\n");
    expect(all).toHaveLength(16);
    expect(all).toEqual(expect.arrayContaining(kept));
  });

  it.each([
    [["--task", "word-problems:13"], /no such difficulty.*from 1 to 12/],
    [["--task", "humaneval"], /Python programs/],
    [["--task", "word-problems:2", "--n", "2"], /2 samples at temperature 0/],
    [["--task", "word-problems:2", "--operation", "judge"], /Allowed choices are cot, think, answer/],
    [["--task", "word-problems:2", "--budget", "0"], /'--budget <tokens...>' argument '0' is invalid/],
    [["--task", "gsm8k", "--problem-seed", "1"], /seed is for word problems/],
  ])("refuses %j", (args, message) => {
    const { status, stderr } = run("--model", folder, ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
