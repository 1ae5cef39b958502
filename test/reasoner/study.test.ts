import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder } from "thoughtbook/core";
import {
  jobsOf,
  passSeries,
  type ReasonerPlan,
  readReasonerPlan,
  readReasonerResults,
  roundSeries,
  runReasonerStudy,
  searchSeries,
} from "thoughtbook/reasoner";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";

const SILENT = { show() {}, finish() {}, log() {} };

describe("the committed plan", () => {
  it("can be read: all learners with three seeds, seed by seed, then searches at equal budgets", async () => {
    const plan = await readReasonerPlan(join(dataFolder(), "studies", "reasoner.json"));
    const ids = jobsOf(plan).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const learner of ["bc", "weighted", "dpo", "ppo", "grpo"])
      for (const seed of [1, 2, 3]) expect(ids).toContain(`learners/${learner}/${seed}`);
    expect(ids.indexOf("learners/grpo/1")).toBeLessThan(ids.indexOf("learners/bc/2"));
    const budgets = (part: string) =>
      ids.filter((id) => id.startsWith(`search-mini/${part}/`)).map((id) => id.split("/")[2]);
    expect(budgets("mcts-rollout")).toEqual(budgets("best-of-n"));
  });
});

describe("a study", () => {
  const plan: ReasonerPlan = {
    name: "try",
    models: { base: { spec: "nowhere", title: "Base" } },
    parts: [
      {
        ...{ kind: "search", id: "search/sampled", title: "sampled", model: "base", task: "word-problems:2", limit: 2 },
        ...{ maxNewTokens: 48, seed: 0, budgets: [48, 96], settings: { search: "best-of-n" } },
      },
    ],
  };

  it("runs job by job, writes what is finished, goes on, and stops after its hours", { timeout: 300_000 }, async () => {
    const folder = await temporaryFolder();
    const options = { folder, specs: { base: "mini" }, display: SILENT };
    const one = await runReasonerStudy(plan, { ...options, only: ["search/sampled/48"] });
    expect([one.searches.map(({ id }) => id), one.unfinished]).toEqual([["search/sampled/48"], ["search/sampled/96"]]);
    const saved: number[] = [];
    const all = await runReasonerStudy(plan, {
      ...options,
      onResults: async ({ searches }) => void saved.push(searches.length),
    });
    expect(saved).toEqual([1, 2]);
    expect(all.searches[0]).toEqual(one.searches[0]);
    expect(all.searches.map(({ summary }) => summary.problems)).toEqual([2, 2]);
    const late = await runReasonerStudy(plan, { ...options, folder: await temporaryFolder(), hours: 1e-9 });
    expect(late.unfinished).toHaveLength(2);
    expect((await failure(runReasonerStudy(plan, { ...options, only: ["nothing"] }))).message).toContain("nothing");
  });
});

describe("results", () => {
  const round = (round: number, accuracy: number, passes?: number[]) => ({
    round,
    heldOut: {
      problems: 4,
      accuracy,
      interval: [0, 1] as const,
      tokens: 9,
      ...(passes ? { passAtK: passes.map((value, at) => ({ k: 2 ** at, value })) } : {}),
    },
  });
  const run = (seed: number, ...accuracies: number[]) => ({
    ...{
      id: `learners/bc/${seed}`,
      part: "learners/bc",
      title: "BC",
      model: "m",
      modelHash: "h",
      learner: "bc",
      task: "t",
      heldOut: "t",
      seed,
    },
    rounds: accuracies.map((each, at) => round(at, each, at % 2 === 0 ? [each, 1] : undefined)),
  });

  it("say so where the study has not been run, with the command", async () => {
    const { loops, note } = await readReasonerResults(join(await temporaryFolder(), "none.json"));
    expect(loops).toEqual([]);
    expect(note).toMatch(/^Not run yet; this command makes it: npx thoughtbook reasoner study/);
  });

  it("are read back, and become lines: means over seeds with intervals", async () => {
    const file = join(await temporaryFolder(), "results.json");
    const loops = [run(1, 0.5, 0.6, 0.7), run(2, 0.5, 0.8)];
    await writeFile(file, JSON.stringify({ name: "r", loops, searches: [], unfinished: ["x"] }));
    const found = await readReasonerResults(file);
    expect(found.note).toMatch(/2 loops and 0 searches; 1 jobs are not finished/);
    const [line] = roundSeries(found.loops, "learners/");
    expect([line!.name, line!.x]).toEqual(["BC", [0, 1]]);
    expect(line!.y[1]).toBeCloseTo(70);
    expect(line!.intervals[1]![0]).toBeLessThan(70);
    expect(passSeries(found.loops, "learners/")[0]).toMatchObject({ name: "BC, before", x: [1, 2], y: [50, 100] });
    expect(roundSeries(found.loops, "code/")).toEqual([]);
    const selections = { best: 0.4, majority: 0.5, weighted: 0.5, random: 0.2, coverage: 0.8 };
    const search = (budget: number) => ({
      ...{
        id: `s/${budget}`,
        part: "s/a",
        title: "A",
        model: "m",
        task: "t",
        search: "mcts",
        score: null,
        value: null,
        budget,
      },
      summary: {
        problems: 4,
        accuracy: { value: 0.4, interval: [0.1, 0.7] as [number, number], count: 4 },
        selections,
        tokens: { value: budget, interval: undefined, count: 4 },
        candidates: 3,
      },
      report: { different: 1 },
    });
    expect(searchSeries([search(20), search(10)], "s/")[0]).toMatchObject({
      x: [10, 20],
      y: [40, 40],
      intervals: [
        [10, 70],
        [10, 70],
      ],
    });
    expect(searchSeries([search(10)], "s/", "coverage")[0]!.y).toEqual([80]);
    await writeFile(file, JSON.stringify({ name: "r" }));
    expect((await failure(readReasonerResults(file))).code).toBe("bad-input");
  });
});
