import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AstarStudy, parseStudy, readStudy, readStudyResults, runAstarStudy } from "thoughtbook/astar";
import { projectFolder } from "thoughtbook/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";
import { writeChatModel } from "../../model/generate/helpers.js";
import { SILENT } from "../../train/helpers.js";

const STUDIES = join(projectFolder(), "data", "studies");

describe("runAstarStudy", { timeout: 180_000 }, () => {
  let folder: string;
  let model: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-study-"));
    model = join(folder, "model");
    await writeChatModel(model);
    writeFileSync(join(model, "thoughtbook.json"), '{"operations": []}');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const FULL = { name: "full", method: "full chain", mode: "full" };
  const NECESSARY = { name: "necessary", method: "necessary steps", mode: "necessary" };
  const RANDOM = { name: "random", method: "random steps", mode: "random", like: "necessary", students: false };
  const studyOf = (sets: object[], comparisons: string[][] = [], seeds = [1, 2]): AstarStudy =>
    parseStudy({
      name: "tiny",
      seed: 1,
      models: { base: model, validator: model, scorer: model },
      chains: { count: 6, operations: [1, 1], seed: 2 },
      sets,
      comparisons,
      students: { seeds, steps: 2, batchSize: 2, learningRate: 0.01, optimizer: "adamw", schedule: "linear" },
      evaluation: { problems: 3, operations: [1, 1], split: "validation", seed: 1, budgets: [3, 6] },
    });
  const run = (name: string, study: AstarStudy) =>
    runAstarStudy({ study, folder: join(folder, name), display: SILENT });
  const weights = (name: string, set: string, seed: number) =>
    readFileSync(join(folder, name, "students", set, String(seed), "model.safetensors"));

  it("compresses, trains, measures; goes on with what is there; and repeats exactly", async () => {
    const first = await run("a", studyOf([FULL, NECESSARY], [["necessary", "full"]]));
    const [full, necessary] = first.sets;
    expect(full).toMatchObject({ method: "full chain", keptSteps: 1, keptTokens: 1, recall: { value: 1 } });
    expect(full!.precision!.value).toBeLessThan(0.6);
    expect(necessary).toMatchObject({ precision: { value: 1 }, recall: { value: 1 } });
    expect(necessary!.keptSteps).toBeCloseTo(full!.precision!.value, 12);
    expect(first.models.base.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(first.students.map(({ method, budgets }) => [method, budgets.map(({ budget }) => budget)])).toEqual([
      ["full chain", [3, 6]],
      ["necessary steps", [3, 6]],
    ]);
    expect(first.students[0]!.budgets[0]!.accuracy.count).toBe(6);
    expect(first.comparisons).toMatchObject([
      { set: "necessary", other: "full", budgets: [{ budget: 3 }, { budget: 6 }] },
    ]);
    // Folders of earlier versions are gone on with: what stands there keeps its form.
    const kept = JSON.parse(readFileSync(join(folder, "a", "evaluations", "full", "1.json"), "utf8"));
    expect(Object.keys(kept.settings)).toEqual(["base", "data", "evaluation", "training"]);
    expect(kept.settings.evaluation).toEqual(first.study.evaluation);
    expect(kept.settings.training.seed).toBe("1/1");
    expect(kept.result.map(Object.keys)).toEqual([3, 6].map(() => ["budget", "astar", "strict", "finished", "length"]));
    expect(weights("a", "full", 1).equals(weights("a", "full", 2))).toBe(false);
    expect(weights("a", "full", 1).equals(weights("a", "necessary", 1))).toBe(false);

    const trained = statSync(join(folder, "a", "students", "full", "1", "model.safetensors")).mtimeMs;
    const more = await run("a", studyOf([FULL, NECESSARY, RANDOM]));
    expect(more.sets.slice(0, 2)).toEqual(first.sets);
    expect(more.students.slice(0, 2)).toEqual(first.students);
    expect(Math.abs(more.sets[2]!.keptTokens - necessary!.keptTokens)).toBeLessThan(0.1);
    expect(statSync(join(folder, "a", "students", "full", "1", "model.safetensors")).mtimeMs).toBe(trained);

    await run("b", studyOf([NECESSARY], [], [2]));
    expect(weights("b", "necessary", 2).equals(weights("a", "necessary", 2))).toBe(true);
  });

  it("draws chains of a file, trains adapters on them, and measures on problems without a chain", async () => {
    const data = join(folder, "data");
    mkdirSync(join(data, "chains"), { recursive: true });
    mkdirSync(join(data, "gsm8k"), { recursive: true });
    const rowOf = (at: number) => ({ question: `What is ${at} + 1?`, answer: `${at} + 1 = ${at + 1}\n#### ${at + 1}` });
    const rows = Array.from({ length: 9 }, (_, at) => rowOf(at));
    const lines = (values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
    writeFileSync(join(data, "gsm8k", "test.jsonl"), lines(rows));
    const chained = [1, 3, 5, 7].map((at) => {
      const steps = at === 7 ? "One step." : `Take ${at}.\n\nAdd 1.\n\nIt is ${at + 1}.`;
      return { gsm8k_test_index: at, ...rowOf(at), response: `${steps}\n</think>\n\nThe answer is ${at + 1}.` };
    });
    writeFileSync(join(data, "chains", "r1.jsonl"), lines(chained));
    const { students, evaluation: _, ...rest } = studyOf([FULL]);
    const { steps: __, ...training } = students!;
    const study = parseStudy({
      ...rest,
      chains: { file: "chains/r1.jsonl", count: 2, seed: 5, leastSteps: 2 },
      students: { ...training, seeds: [1], epochs: 2, lora: { rank: 2 } },
      evaluation: { task: "gsm8k", split: "test", problems: 4, seed: 3, budgets: [3] },
    });
    const earlier = process.env.THOUGHTBOOK_DATA;
    process.env.THOUGHTBOOK_DATA = data;
    try {
      const first = await run("file", study);
      expect(first.sets[0]!.rows).toMatchObject({ rows: 2, used: 2 });
      expect(first.students[0]!.budgets[0]!.accuracy.count).toBe(4);
      const records = readFileSync(join(folder, "file", "evaluations", "full", "1", "records.jsonl"), "utf8");
      const asked = records
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).problem);
      // Nobody is asked what has a chain, drawn or not.
      expect(asked.every((id: string) => !["1", "3", "5", "7"].includes(id.split("/").at(-1)!))).toBe(true);
      expect(readdirSync(join(folder, "file", "students", "full", "1"))).toContain("adapter");
      expect(await run("file", study)).toEqual(first);
      await expect(run("few", parseStudy({ ...study, chains: { ...study.chains, count: 4 } }))).rejects.toThrow(
        /3 usable chains of 2 steps or more, and the study takes 4/,
      );
      await expect(
        run("many", parseStudy({ ...study, evaluation: { ...study.evaluation, problems: 6 } })),
      ).rejects.toThrow(/5 problems without a chain/);
    } finally {
      if (earlier === undefined) delete process.env.THOUGHTBOOK_DATA;
      else process.env.THOUGHTBOOK_DATA = earlier;
    }
  });

  it("lets students learn the answer alone of the solutions, after the same thoughts", async () => {
    const study = studyOf([FULL], [], [1]);
    const learned = (name: string, set: string): string[] =>
      readFileSync(join(folder, name, "sets", `${set}.training.jsonl`), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).messages[1].content);
    await run("whole", study);
    await run("answers", parseStudy({ ...study, students: { ...study.students, solutions: "answer" } }));
    const [whole, answers] = [learned("whole", "full"), learned("answers", "full")];
    for (const [at, text] of answers.entries()) {
      const own = whole[at]!;
      const thought = own.slice(0, own.lastIndexOf("</think>"));
      expect(text.slice(thought.length)).toBe(`</think>\n${own.slice(own.lastIndexOf("####"))}`);
      expect(text.length).toBeLessThan(own.length);
      expect(text.startsWith(thought)).toBe(true);
    }
    expect(weights("answers", "full", 1).equals(weights("whole", "full", 1))).toBe(false);
  });

  it("says where the hours did not suffice for a set", async () => {
    const given = { study: studyOf([FULL]), folder: join(folder, "hours"), display: SILENT, hours: 0 };
    expect(await failure(runAstarStudy(given))).toMatchObject({
      code: "interrupted",
      message: "the study tiny had no time for its first set",
    });
    expect((await run("hours", studyOf([FULL]))).unfinished).toEqual([]);
  });

  it("has results that can be kept in a file", async () => {
    const results = await run("a", studyOf([FULL, NECESSARY], [["necessary", "full"]]));
    const file = join(folder, "results.json");
    writeFileSync(file, JSON.stringify(results));
    expect(JSON.stringify(await readStudyResults(file))).toBe(JSON.stringify(results));
    writeFileSync(file, JSON.stringify({ ...results, students: [{ name: "full", budgets: [] }] }));
    const error = { code: "bad-input", message: /no result of a study:.*students\[0\]\.method/s };
    expect(await failure(readStudyResults(file))).toMatchObject(error);
  });

  it("trains no students on a set that is for comparison of the chains only", async () => {
    const { sets, students } = await run("c", studyOf([{ ...FULL, students: false }]));
    expect(sets).toHaveLength(1);
    expect(students).toEqual([]);
  });

  it("takes what a search accepted of another set, and says where it accepted nothing", async () => {
    const sets = [
      { ...FULL, students: false },
      {
        ...FULL,
        name: "search",
        mode: "faithful",
        search: { minSteps: 0, maxSteps: 2, maxNewTokens: 2 },
        students: false,
      },
      { ...FULL, name: "rest", mode: "accepted", of: "full", by: "search", students: false },
    ];
    expect(await failure(run("e", studyOf(sets)))).toMatchObject({
      code: "bad-input",
      message: /search\.jsonl accepted no chain/,
    });
    const search = join(folder, "e", "sets", "search.jsonl");
    const rows = readFileSync(search, "utf8").trimEnd().split("\n");
    const accepted = rows.map((row, at) =>
      JSON.stringify({ ...JSON.parse(row), ...(at < 2 ? { status: "accepted" } : {}) }),
    );
    writeFileSync(search, `${accepted.join("\n")}\n`);
    const [, , rest] = (await run("e", studyOf(sets))).sets;
    expect(rest).toMatchObject({ mode: "full", rows: { used: 2 }, keptTokens: 1, recall: { value: 1 } });
  });

  it("refuses a folder with work of other settings", async () => {
    await run("d", studyOf([{ ...FULL, students: false }]));
    const other = { ...studyOf([{ ...FULL, students: false }]), seed: 9 };
    expect(await failure(run("d", other))).toMatchObject({ code: "bad-input", message: /full\.json keeps a result/ });
  });

  it.each([
    [{ ...RANDOM }, /`like`, `of` or `by` names a set that does not come before/],
    [{ ...FULL, mode: "accepted", of: "a", by: "b" }, /`like`, `of` or `by` names a set that does not come before/],
    [{ ...FULL, mode: "accepted", of: "a" }, /`of` and `by` belong to the mode `accepted`/],
    [{ ...FULL, mode: "none" }, /mode/],
    [{ ...FULL, importance: { alpha: 2 } }, /alpha/],
  ])("names what is wrong with a set", (set, message) => {
    expect(() => studyOf([set])).toThrow(message);
  });

  it("refuses to compare students that there are not", () => {
    expect(() => studyOf([FULL, { ...NECESSARY, students: false }], [["full", "necessary"]])).toThrow(
      /has no students/,
    );
    expect(() => studyOf([FULL], [["full", "none"]])).toThrow(/has no students/);
  });

  it.each(readdirSync(STUDIES).filter((file) => file.startsWith("astar")))(
    "the committed study %s can be read",
    async (file) => {
      expect((await readStudy(join(STUDIES, file))).name).toBe(file.replace(".json", ""));
    },
  );

  it("refuses two sets of one name", () => {
    expect(() => studyOf([FULL, FULL])).toThrow(/same name/);
  });
});
