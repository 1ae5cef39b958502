import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SYSTEM_PROMPTS } from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReleasedResult } from "../../lib/dist/eval/released-files.js";
import { writeChatModel } from "../model/generate/helpers.js";
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
      "ACU a B",
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

  it("goes on in the same folder with a higher limit, with its default name too", () => {
    const args = ["--model", folder, "--task", "word-problems:2", "--budget", "4", "--json"];
    const at = (limit: number) =>
      spawnSync(process.execPath, [BIN, "evaluate", ...args, "--limit", String(limit)], {
        encoding: "utf8",
        cwd: folder,
      });
    expect(JSON.parse(at(3).stdout).problems).toBe(3);
    const more = at(5);
    expect(more.stderr).toMatch(/3\/5 records/);
    expect(JSON.parse(more.stdout).problems).toBe(5);
    const runs = readdirSync(join(folder, "runs", "evaluate"));
    expect(runs).toHaveLength(1);
    expect(
      recordsOf(join("runs", "evaluate", runs[0]!))
        .trimEnd()
        .split("\n"),
    ).toHaveLength(5);
  });

  it("takes a file of one's own, and names its bad rows", () => {
    const file = join(folder, "mine.jsonl");
    writeFileSync(file, '{"question": "How much is 1 + 1?", "answer": "2"}\n{"question": "And?", "answer": "yes"}\n');
    const flags = ["--model", folder, "--task", file, "--budget", "4"];
    const { status, stdout } = run(...flags, "--result-dir", join(folder, "own"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/2 problems of mine, cot/);
    expect(recordsOf("own")).toContain('"id":"mine/0#0@4"');
    writeFileSync(file, '{"question": "How much is 1 + 1?"}\n');
    expect(run(...flags).stderr).toMatch(
      /1 row that is no problem: line 1: no answer, only "question"\. Each row needs/,
    );
    expect(run("--help").stdout).toMatch(/mine\.jsonl[\s\S]*question +what is asked[\s\S]*answer +the right answer/);
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

  it("takes the flags of A*-Thought's evaluation, which say the same as its own", () => {
    const result = join(folder, "released");
    const model = ["--model", folder, "--task", "word-problems:2-3", "--limit", "4", "--result-dir", result];
    const first = run(
      ...[...model, "--backend", "local", "--backend-args", "threads=1", "--system-prompt-name", "chain-of-draft"],
      ...["--sampling-params", "{'temperature': 0.7, 'top_p': 0.9, 'max_tokens': 8, 'n': 2}"],
      ...["--seed", "5", "--assistant-prefill", "Step\\n", "--json"],
    );
    expect(first.stderr).not.toMatch(/error/);
    expect(first.status).toBe(0);
    const summary = JSON.parse(readFileSync(join(result, "summary.json"), "utf8"));
    expect(JSON.parse(first.stdout)).toEqual(summary);
    expect(summary).toMatchObject({
      accuracy: expect.any(Number),
      pass_at_k: { "k=1": expect.any(Number), "k=2": expect.any(Number) },
      systemPrompt: "chain-of-draft",
      configuration: {
        model: { name: folder, config: { strategy: "solve", system_prompt_name: "chain-of-draft" } },
        backend: { name: "local", backend_args: { threads: 1 } },
        sampling_params: { temperature: 0.7, top_p: 0.9, max_tokens: 8, n: 2, seed: 5 },
      },
    });
    const results: ReleasedResult[] = Object.values(JSON.parse(readFileSync(join(result, "results.json"), "utf8")));
    expect(results.map(({ _index }) => _index)).toEqual([0, 1, 2, 3]);
    expect(results[0]!.input_conversation).toEqual([
      { role: "system", content: SYSTEM_PROMPTS["chain-of-draft"] },
      { role: "user", content: results[0]!.prompt },
      { role: "assistant", content: "Step\n" },
    ]);
    const records = recordsOf("released");
    const usages = results.flatMap(({ token_usages }) => token_usages.map((usage) => usage.completion_tokens));
    const tokens = records
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).completionTokens);
    expect(usages).toEqual(tokens);
    expect(summary.total_completion_tokens).toBe(tokens.reduce((sum, each) => sum + each, 0));

    // The same settings in other words go on with the same run; others are refused, and overwrite it when told to.
    const own = [
      "--temperature",
      "0.7",
      "--top-p",
      "0.9",
      "--budget",
      "8",
      "--n",
      "2",
      "--assistant-prefill",
      "Step\n",
    ];
    const again = run(
      ...model,
      ...own,
      "--seed",
      "5",
      "--system-prompt",
      SYSTEM_PROMPTS["chain-of-draft"].replaceAll("\n", "\\n").replaceAll("\\boxed", "\\\\boxed"),
    );
    expect(again.stdout).toMatch(/4 problems of word-problems:2-3, solve, system prompt chain-of-draft\n/);
    expect(recordsOf("released")).toBe(records);
    const other = run(...model, "--budget", "4");
    expect(other.stderr).toMatch(/holds a run with .*Choose another folder/);
    expect(recordsOf("released")).toBe(records);
    expect(run(...model, "--budget", "4", "--overwrite").status).toBe(0);
    expect(recordsOf("released").trimEnd().split("\n")).toHaveLength(4);
  });

  it("as a test takes 10 problems and 2048 tokens, and says so in the settings", () => {
    const params = "temperature=1,max_tokens=32768";
    const flags = ["--task", "word-problems:2", "--sampling-params", params, "--as-test", "--json"];
    const { status, stdout } = run("--model", folder, ...flags, "--result-dir", join(folder, "test"));
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      problems: 10,
      configuration: { task: { config: { asTest: true }, end: 10 }, sampling_params: { max_tokens: 2048 } },
    });
    const { config } = JSON.parse(readFileSync(join(folder, "test", "run.json"), "utf8"));
    expect(config).toMatchObject({ budgets: [2048], task: { asTest: true } });
  });

  it("gives a model that was trained on tags no system prompt", async () => {
    const tagged = mkdtempSync(join(folder, "tagged-"));
    await writeChatModel(tagged);
    writeFileSync(join(tagged, "thoughtbook.json"), '{"operations": ["cot"]}');
    const flags = ["--task", "word-problems:2", "--system-prompt-name", "skythought"];
    const { status, stderr } = run("--model", tagged, ...flags);
    expect(status).toBe(1);
    expect(stderr).toMatch(/trained on operations by their tags and does not follow instructions/);
  });

  it("asks as a file of one's own says, which the settings and the summary tell", () => {
    const file = join(folder, "asking.json");
    const way = { instruction: "Solve {input} now.", begin: "Step 1:" };
    writeFileSync(file, JSON.stringify({ name: "mine", operations: { cot: way } }));
    const result = join(folder, "asked");
    const { status } = run(...common(), "--asking", file, "--budget", "4", "--result-dir", result);
    expect(status).toBe(0);
    const { config } = JSON.parse(readFileSync(join(result, "run.json"), "utf8"));
    expect(config.asking).toMatchObject({ kind: "mine", operations: { cot: way } });
    expect(JSON.parse(readFileSync(join(result, "summary.json"), "utf8"))).toMatchObject({ asking: "mine" });
    expect(recordsOf("asked")).not.toContain("Step 1:");
    expect(run(...common(), "--budget", "4", "--result-dir", result).stderr).toMatch(/holds a run with .*asking/);
  });

  it.each([
    [
      ["--sampling-params", "temperature=0.6", "--temperature", "0.6"],
      /--temperature and temperature of --sampling-params/,
    ],
    [
      ["--sampling-params", "max_tokens=64", "--budget", "64"],
      /--budget and max_tokens of --sampling-params say the same/,
    ],
    [["--sampling-params", "topp=1"], /takes no "topp".*It takes temperature, top_p/],
    [["--as-test", "--limit", "3"], /--limit and --as-test say the same/],
    [["--backend", "vllm"], /vllm runs in Python.*--backend openai/],
    [
      ["--threads", "1", "--backend", "local", "--backend-args", "threads=1"],
      /--threads and threads of --backend-args/,
    ],
    [["--system-prompt-name", "cod"], /no system prompt named "cod".*chain-of-draft/],
    [["--system-prompt-name", "skythought", "--system-prompt", "x"], /--system-prompt-name and --system-prompt say/],
  ])("refuses %j before any work", (args, message) => {
    const { status, stderr } = run("--model", folder, "--task", "word-problems:2", ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  it.each([
    [["--task", "word-problems:13"], /no such difficulty.*from 1 to 12/],
    [["--task", "functions:4"], /no such difficulty.*from 1 to 3/],
    [["--task", "functions:2"], /the strategy cot does not write functions.*strategy program/],
    [["--task", "word-problems:2", "--n", "2"], /2 samples at temperature 0/],
    [["--task", "word-problems:2", "--strategy", "judge"], /Allowed choices are direct, cot, think, solve, program/],
    [["--task", "word-problems:2", "--budget", "0"], /'--budget <tokens...>' argument '0' is invalid/],
    [["--task", "word-problems:2", "--part", "rest"], /a part is of a data set/],
    [["--task", "word-problems:2", "--asking", "smollm2"], /no way of asking named "smollm2".*Choose mini, /],
    [["--task", "word-problems:2", "--asking", "mini", "--demonstrations", "2"], /takes no demonstrations/],
    [
      ["--task", "word-problems:2", "--strategy", "think", "--demonstrations", "2"],
      /no demonstrations for the strategy think/,
    ],
    [["--task", "gsm8k", "--problem-seed", "1"], /seed is for word problems and functions/],
  ])("refuses %j", (args, message) => {
    const { status, stderr } = run("--model", folder, ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
