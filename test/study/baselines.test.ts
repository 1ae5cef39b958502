import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AOT_STRATEGIES } from "thoughtbook/aot";
import { STRATEGIES } from "thoughtbook/strategies";
import {
  armIds,
  type BaselineOptions,
  baselineRows,
  findBaselineResults,
  readBaselinePlan,
  readBaselineResults,
  runBaselines,
} from "thoughtbook/study";
import { loadTask } from "thoughtbook/tasks";
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
    for (const given of [{ specs: { smal: "mini" } }, { asking: { smal: "default" } }]) {
      await expect(runBaselines(plan, { ...optionsFor(sevens()), ...given })).rejects.toThrow(
        /there is no model smal in the plan/,
      );
    }
  });

  it("takes more hours than a timer counts for no limit", async () => {
    const only = ["small/word-problems-2/direct"];
    for (const hours of [600, 2000]) {
      const { results } = await runBaselines(await planOf(), { ...optionsFor(sevens()), only, hours });
      expect(results).toHaveLength(1);
    }
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

describe("comparisons of a plan", () => {
  const TASK = { model: "small", task: "word-problems:2", limit: 4, budgets: [32] };
  const IDS = { cot: "small/word-problems-2/cot", direct: "small/word-problems-2/direct" };
  const sampled = "small/word-problems-2/cot-3-samples";

  it("are problem by problem, and at equal tokens of as many votes as cost the same", async () => {
    const problems = (await loadTask("word-problems:2", { limit: 4 })).problems;
    // Step by step the first three are right, at once none; of samples the first is wrong and the others right.
    const model = scriptedModel(
      ({ prompt, temperature }, sample) => {
        const text = JSON.stringify(prompt);
        const at = problems.findIndex(({ question }) => text.includes(question.slice(0, 40)));
        const answer = problems[at]!.references[0]!;
        if (text.includes("at once")) return `${"so ".repeat(20)}\n#### -1`;
        const isRight = temperature ? sample > 0 : at < 3;
        return `so\n#### ${isRight ? answer : "-1"}`;
      },
      { hash: async () => "abc" },
    );
    const file = join(folder, "plan.json");
    const arms = [
      { ...TASK, strategy: "cot" },
      { ...TASK, strategy: "direct" },
      { ...TASK, strategy: "cot", samples: 3, temperature: 0.7 },
    ];
    const plan = {
      ...{ name: "try", models: { small: { spec: "small.gguf", title: "Small" } }, arms },
      ...{ comparisons: [[IDS.cot, IDS.direct]], equalTokens: [[IDS.direct, sampled]] },
    };
    writeFileSync(file, JSON.stringify(plan));
    const seen: string[] = [];
    const found = await runBaselines(await readBaselinePlan(file), {
      ...optionsFor(model),
      measure: (records) => ({ records: records.length }),
      onResults: async ({ comparisons }) => void seen.push(String(comparisons.length)),
    });
    expect(seen).toEqual(["0", "1", "2"]);
    expect(found.results.map(({ measures }) => measures)).toEqual([{ records: 4 }, { records: 4 }, { records: 12 }]);
    const [first, equal] = found.comparisons;
    expect(first).toMatchObject({
      arm: IDS.cot,
      other: IDS.direct,
      both: 0,
      onlyFirst: 3,
      onlySecond: 0,
      neither: 1,
      p: 0.25,
    });
    expect(first).not.toHaveProperty("samples");
    // A sample costs less than the direct text, three together about as much or more; two of three are right.
    expect(equal).toMatchObject({ arm: IDS.direct, other: sampled, samples: 3, onlySecond: 4 });
    writeFileSync(file, JSON.stringify({ ...plan, comparisons: [[IDS.cot, "small/none"]] }));
    await expect(readBaselinePlan(file)).rejects.toThrow("there is no arm small/none to compare");
    const elsewhere = [...arms, { ...TASK, task: "word-problems:1", strategy: "cot" }];
    const pair = [IDS.cot, "small/word-problems-1/cot"];
    writeFileSync(file, JSON.stringify({ ...plan, arms: elsewhere, equalTokens: [pair] }));
    await expect(readBaselinePlan(file)).rejects.toThrow(/have no problem in common/);
  });

  it("learn the prompt of an arm before it is measured, with the arm's own strategy", async () => {
    const prompt = { task: "word-problems:2", limit: 4, updates: 1 };
    const plan = await planOf([{ ...TASK, strategy: "cot", budgets: [32, 16], prompt }]);
    await expect(runBaselines(plan, optionsFor(sevens()))).rejects.toThrow("has a prompt to learn");
    const learned: unknown[] = [];
    const { results } = await runBaselines(plan, {
      ...optionsFor(sevens()),
      optimise: async (given, { strategy }, place) => {
        learned.push(given.updates, given.split, strategy.name, place.folder.endsWith(join("cot-prompt", "learned")));
        // The texts of all budgets are cut from the longest ones.
        learned.push(place.maxNewTokens);
        return { model: scriptedModel(() => "#### 8", { hash: async () => "prompted" }), strategy };
      },
    });
    expect(learned).toEqual([1, "train", "cot", true, 32]);
    expect(results[0]!.command).toContain(" --soft-prompt small/word-problems-2/cot-prompt/learned/prompt ");
    expect(results).toMatchObject([{ method: "cot-prompt", modelHash: "prompted", prompt: { vectors: 16 } }]);
  });

  it("are found where they are committed, else the command is told", async () => {
    const { results, note } = await findBaselineResults("none-such");
    expect(results).toBeUndefined();
    expect(note).toBe(
      "Not run yet; this command makes it: npx thoughtbook baselines data/baselines/none-such.json --results data/results/none-such.json",
    );
    for (const name of ["aot-mini", "aot-real"]) {
      const { arms, comparisons } = await readBaselinePlan(
        join(import.meta.dirname, "../../data/baselines", `${name}.json`),
      );
      expect(arms.length).toBeGreaterThan(20);
      expect(comparisons.length).toBeGreaterThan(10);
      for (const { strategy } of arms) expect({ ...STRATEGIES, ...AOT_STRATEGIES }).toHaveProperty(strategy);
    }
  });
});
