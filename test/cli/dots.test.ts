import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const BIN = join(root, "lib", "bin.mjs");
const dots = (...args: string[]) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [BIN, "dots", ...args], { encoding: "utf8" });
  return { stdout, stderr, status };
};

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-dots-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const linesOf = (name: string) =>
  readFileSync(at(name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("thoughtbook dots", () => {
  it("searches, explains, builds rows, trains and evaluates on mini", { timeout: 600_000 }, () => {
    const search = ["search", "--api-model", "mini", "--dataset", "word-problems:1-2", "--limit", "3", "--seed", "1"];
    const flags = [...search, "--samples", "1", "--keep", "3,1", "--temperature", "1", "--output-file", at("F.jsonl")];
    const first = dots(...flags);
    expect(first.stderr).not.toMatch(/error/);
    expect(first.stdout).toMatch(/3 questions, \d+ attempts: [1-3] kept/);
    const found = readFileSync(at("F.jsonl"), "utf8");
    expect(linesOf("F.jsonl").map(({ dataset }) => dataset)).toEqual(Array(3).fill("word-problems:1-2"));
    // The attempts are kept: nothing is asked again.
    expect(dots(...flags).stderr).not.toMatch(/error/);
    expect(readFileSync(at("F.jsonl"), "utf8")).toBe(found);
    expect(dots(...flags, "--temperature", "0.5").stderr).toMatch(/holds a run with .*temperature/);

    expect(dots("explain", "--input-file", at("F.jsonl"), "--output-file", at("E.jsonl")).stderr).not.toMatch(/error/);
    expect(linesOf("E.jsonl")[0]).toMatchObject({ explainedBy: "rule", action: expect.any(Array) });
    const build = ["build", "--input-file", at("E.jsonl"), "--output-file"];
    expect(dots(...build, at("rows.jsonl"), "--weight", "word-problems=2").stderr).not.toMatch(/error/);
    expect(linesOf("rows.jsonl")[0]).toMatchObject({
      weight: 2,
      messages: [{ operation: "explain" }, { role: "assistant" }],
    });
    expect(
      dots(...build, at("rows.json"), "--planner", "internalised", "--format", "llama-factory").stderr,
    ).not.toMatch(/error/);
    expect(JSON.parse(readFileSync(at("rows.json"), "utf8"))[0].conversations[0].from).toBe("human");

    const train = ["train", "--input-file", at("rows.jsonl"), "--output-folder", at("planner"), "--max-steps", "1"];
    expect(dots(...train).stdout).toMatch(/the model after update 1 of 1/);
    expect(existsSync(at("planner/model.safetensors"))).toBe(true);

    const evaluate = ["evaluate", "--dataset", "word-problems:1", "--limit", "2", "--result-dir", at("planned")];
    const planned = dots(...evaluate, "--trajectory-api-model", at("planner"), "--search-file", at("F.jsonl"));
    expect(planned.stdout).toMatch(/plans: \d read, \d replaced by \S+ \(/);
    expect(planned.stdout).toMatch(/2 problems of word-problems:1, dots/);
  });

  it("reads what the released code found", { timeout: 120_000 }, () => {
    const sample = (trajectory: string[], score: number) => ({
      ...{ id: "1", trajectory, pred_ans: "7", score },
      "reasoning dialogues": [
        { role: "user", content: "3 + 4?" },
        { role: "assistant", content: "7" },
      ],
    });
    const row = {
      meta_info: { id: "m", problem: "3 + 4?", answer: "7" },
      searching_results: [],
      probing_result: [sample(["", "CoT", "", "direct_answering"], 0)],
      "step 1 result": [sample(["planning", "CoT", "", "direct_answering"], 1)],
      "step 2 result": [],
      "step 3 result": [],
    };
    writeFileSync(at("released.json"), JSON.stringify([row]));
    const { stdout, stderr } = dots("explain", "--input-file", at("released.json"), "--output-file", at("R.jsonl"));
    expect(stderr).not.toMatch(/error/);
    expect(stdout).toMatch(/1 of 1 questions explained/);
    expect(linesOf("R.jsonl")[0]).toMatchObject({ id: "dots/train/m", trajectory: ["plan", "cot"] });
  });

  it("simulates searches, and names what is wrong with flags", { timeout: 120_000 }, () => {
    const { stdout } = dots("simulate", "--questions", "20", "--results", at("simulation.json"));
    expect(stdout).toMatch(/actions +top-two Thompson, 70 % +56\.0/);
    expect(JSON.parse(readFileSync(at("simulation.json"), "utf8")).results).toHaveLength(15);
    expect(dots("evaluate", "--planner", "external").stderr).toMatch(/an external planner has no model/);
    expect(dots("evaluate", "--trajectory", "plan+cot", "--planner", "self").stderr).toMatch(/nobody plans it/);
    expect(dots("explain", "--input-file", at("nowhere"), "--output-file", at("x")).stderr).toMatch(/nowhere/);
    expect(dots("search", "--search", "guess", "--output-file", at("x")).stderr).toMatch(
      /Allowed choices are algorithm-1/,
    );
  });
});
