import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STRATEGIES } from "thoughtbook/strategies";
import {
  armIds,
  type BaselineOptions,
  baselineRows,
  readBaselinePlan,
  readBaselineResults,
  runBaselines,
} from "thoughtbook/study";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../eval/helpers.js";
import { type ScriptedModel, scriptedModel } from "../operations/helpers.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "baselines-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ARMS = [
  { model: "small", task: "word-problems:2", limit: 4, strategy: "direct", budgets: [32] },
  { model: "small", task: "word-problems:2", limit: 4, strategy: "cot", budgets: [16, 32] },
  { model: "small", task: "word-problems:1", limit: 2, strategy: "cot", samples: 3, temperature: 0.7, budgets: [32] },
];

const planOf = async (arms: object[] = ARMS) => {
  const file = join(folder, "plan.json");
  writeFileSync(file, JSON.stringify({ name: "try", models: { small: { spec: "small.gguf", title: "Small" } }, arms }));
  return readBaselinePlan(file);
};

/** Answers 7 to everything. */
const sevens = (): ScriptedModel => scriptedModel(() => "so\n#### 7", { hash: async () => "abc" });
const optionsFor = (model: ScriptedModel): BaselineOptions => ({
  ...{ strategies: STRATEGIES, folder: join(folder, "runs"), display: SILENT },
  load: async () => model,
});
const recordsOf = (arm: string) =>
  readFileSync(join(folder, "runs", arm, "records.jsonl"), "utf8")
    .trim()
    .split("\n");

describe("runBaselines", () => {
  it("measures the arms in their order, each with the command that measures it alone", async () => {
    const asked: string[] = [];
    const results = await runBaselines(await planOf(), {
      ...optionsFor(sevens()),
      specs: { small: "/home/me/models/small.gguf" },
      load: async (spec) => {
        asked.push(spec);
        return sevens();
      },
    });
    expect(asked).toEqual(["/home/me/models/small.gguf"]);
    expect(results.unfinished).toEqual([]);
    expect(results.results.map(({ id, problems, modelHash }) => [id, problems, modelHash])).toEqual([
      ["small/word-problems-2/direct", 4, "abc"],
      ["small/word-problems-2/cot", 4, "abc"],
      ["small/word-problems-1/cot-3-samples", 2, "abc"],
    ]);
    expect(results.results[2]!.command).toBe(
      "thoughtbook evaluate --model small.gguf --task word-problems:1 --limit 2 --strategy cot --n 3 --temperature 0.7 --budget 32",
    );
    expect(results.results[1]!.budgets.map(({ budget }) => budget)).toEqual([16, 32]);
    expect(results.results[2]!.budgets[0]!.majority).toBeDefined();
  });

  it("goes on after a kill in the middle of a record, and loses none that is whole", async () => {
    const plan = await planOf();
    const whole = await runBaselines(plan, optionsFor(sevens()));
    const arm = "small/word-problems-2/cot";
    const lines = recordsOf(arm);
    const file = join(folder, "runs", arm, "records.jsonl");
    writeFileSync(file, `${lines.slice(0, 3).join("\n")}\n${lines[3]!.slice(0, 30)}`);
    rmSync(join(folder, "runs", "small", "word-problems-1"), { recursive: true });
    const again = sevens();
    expect(await runBaselines(plan, optionsFor(again))).toEqual(whole);
    // The 5 records that were lost, and the whole last arm.
    expect(
      again.calls.flatMap(({ requests }) => requests.flatMap(({ samples = 1 }) => Array(samples).fill(1))),
    ).toHaveLength(5 + 6);
    expect([...recordsOf(arm)].sort()).toEqual([...lines].sort());
  });

  it("stops when its hours are over, with what is finished", async () => {
    let calls = 0;
    const slow = scriptedModel(() => "#### 7");
    const { generate } = slow;
    const model: ScriptedModel = {
      ...slow,
      async generate(requests, options = {}) {
        if (calls++ > 0) await new Promise((resolve) => setTimeout(resolve, 1500));
        return generate(requests, options);
      },
    };
    const stored: number[] = [];
    const found = await runBaselines(await planOf(), {
      ...optionsFor(model),
      hours: 0.8 / 3600,
      onResults: async ({ results }) => void stored.push(results.length),
    });
    expect(found.results.map(({ id }) => id)).toEqual(["small/word-problems-2/direct"]);
    expect(found.unfinished).toEqual(["small/word-problems-2/cot", "small/word-problems-1/cot-3-samples"]);
    expect(stored).toEqual([1]);
  });

  it("runs only some arms, and names what it does not know", async () => {
    const plan = await planOf();
    const only = ["small/word-problems-2/direct"];
    expect((await runBaselines(plan, { ...optionsFor(sevens()), only })).results).toHaveLength(1);
    await expect(runBaselines(plan, { ...optionsFor(sevens()), only: ["x"] })).rejects.toThrow(
      /there is no arm x in the plan/,
    );
    await expect(planOf([{ ...ARMS[0], model: "large" }]).then(() => 0)).rejects.toThrow(/no model that is listed/);
    await expect(planOf([ARMS[0]!, ARMS[0]!]).then(() => 0)).rejects.toThrow(/there twice/);
    const dream = await planOf([{ ...ARMS[0], strategy: "dream" }]);
    await expect(runBaselines(dream, optionsFor(sevens()))).rejects.toThrow(/no strategy dream/);
  });
});

it("the rows of the figure: a panel a data set, of several samples the majority and the tokens of all", async () => {
  const { results } = await runBaselines(await planOf(), optionsFor(sevens()));
  const rows = baselineRows(results);
  expect(rows.map(({ panel, method, budget, length }) => [panel, method, budget, length])).toEqual([
    ["word-problems:2", "direct", 32, 9],
    ["word-problems:2", "cot", 16, 9],
    ["word-problems:2", "cot", 32, 9],
    ["word-problems:1", "cot, majority of 3", 32, 27],
  ]);
});

it("results are read back from their file, and a file of something else is named", async () => {
  const results = await runBaselines(await planOf(), optionsFor(sevens()));
  const file = join(folder, "results.json");
  writeFileSync(file, JSON.stringify(results));
  expect(await readBaselineResults(file)).toEqual(JSON.parse(JSON.stringify(results)));
  writeFileSync(file, JSON.stringify({ name: "x", results: [{}] }));
  await expect(readBaselineResults(file)).rejects.toThrow(/results\.json is no file of baselines' results/);
});

it("the committed plan has the most important arms first, and never asks a part that was tuned on", async () => {
  const plan = await readBaselinePlan("data/baselines/real-baselines.json");
  const ids = armIds(plan);
  expect(ids.slice(0, 8).every((id) => /^qwen\/(gsm8k|multiarith)\//.test(id))).toBe(true);
  expect(ids).toHaveLength(34);
  for (const { task, part, split } of plan.arms) {
    expect(split ?? "test").toBe("test");
    if (["multiarith", "singleop", "addsub"].includes(task)) expect(part).toBe("rest");
  }
});
