import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateWordProblem, partOf } from "thoughtbook/data";
import { createTask, loadTask } from "thoughtbook/tasks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("word problems as a task", () => {
  it("have each number of operations as often, of the test split", async () => {
    const { problems, settings } = await loadTask("word-problems:2-4", { limit: 9 });
    expect(problems.map(({ operations }) => operations)).toEqual([2, 3, 4, 2, 3, 4, 2, 3, 4]);
    const { id, question, answer, difficulty } = generateWordProblem({
      seed: 0,
      index: 1,
      operations: 3,
      split: "test",
    });
    const { depth } = difficulty;
    expect(problems[4]).toMatchObject({
      id,
      question,
      kind: "gsm8k",
      references: [String(answer)],
      operations: 3,
      depth,
    });
    const { steps, solution } = problems[4]!;
    expect([steps!.length, steps!.at(-1)!.value]).toEqual([3, String(answer)]);
    expect(solution).toMatch(new RegExp(`=${answer}\\b.*\\n#### ${answer}$`));
    expect(settings).toMatchObject({ name: "word-problems:2-4", split: "test", seed: 0, distractors: [0, 0] });
  });

  it("are the same alone and in a range", async () => {
    const range = await loadTask("word-problems:2-4", { limit: 6, seed: 5 });
    const alone = await loadTask("word-problems:3", { limit: 2, seed: 5 });
    expect(range.problems.filter(({ operations }) => operations === 3)).toEqual(alone.problems);
  });

  it("may have distractors, and then differ", async () => {
    const [plain, more] = await Promise.all(
      [undefined, [1, 2] as const].map((distractors) => loadTask("word-problems:3", { limit: 3, distractors })),
    );
    expect(more!.problems[0]!.question.length).toBeGreaterThan(plain!.problems[0]!.question.length);
    expect(more!.settings.problems).not.toBe(plain!.settings.problems);
  });

  it("may be deep, wide, and told in order", async () => {
    const shape = { depth: [3, 3], width: [1, 1], order: "computation" } as const;
    const { problems, settings } = await loadTask("word-problems:4", { limit: 3, ...shape });
    const own = { seed: 0, operations: 4, split: "test", ...shape } as const;
    expect(problems.map(({ question }) => question)).toEqual(
      [0, 1, 2].map((index) => generateWordProblem({ ...own, index }).question),
    );
    expect(settings).toMatchObject(shape);
    expect((await loadTask("word-problems:4", { limit: 3 })).settings).not.toHaveProperty("depth");
  });

  it.each([
    ["word-problems:13", {}, /no such difficulty/],
    ["word-problems:4-2", {}, /no such difficulty/],
    ["word-problems:x", {}, /no such difficulty/],
    ["word-problems:2", { split: "dev" }, /no split "dev"/],
    ["word-problems:2", { limit: 0 }, /the limit is 0/],
    ["nothing", {}, /no data set "nothing"/],
    ["gsm8k", { distractors: [1, 1] as const }, /is for word problems/],
    ["gsm8k", { depth: [1, 1] as const }, /is for word problems/],
  ])("%s with %j is refused", async (name, options, message) => {
    await expect(loadTask(name, options)).rejects.toThrow(message);
  });
});

describe("data sets as tasks", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-tasks-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function load(dataset: string, rows: unknown, options = {}) {
    const path = join(folder, `${dataset}.json`);
    writeFileSync(path, JSON.stringify(rows));
    return loadTask(dataset, { path, ...options });
  }

  it("GSM8K is graded as such; what is no row is counted", async () => {
    const { problems, leftOut } = await load("gsm8k", [
      { question: "How many?", answer: "2+3=<<2+3=5>>5\n#### 5" },
      { question: "How many?", answer: "no mark" },
    ]);
    const own = { id: "gsm8k/test/0", question: "How many?" };
    const fields = { ...own, kind: "math", answer: "5", solution: "2+3=<<2+3=5>>5" };
    const known = { steps: [{ expression: "2+3", value: "5" }], solution: "2+3=5\n#### 5" };
    expect(problems).toEqual([{ ...own, kind: "gsm8k", references: ["5"], ...known, fields }]);
    expect(leftOut).toBe(1);
  });

  it("BIG-Bench Hard has choices, yes and no, numbers, words and brackets", async () => {
    const examples = [
      { input: "Which?\nOptions:\n(A) one\n(B) two", target: "(B)" },
      { input: "Is it?", target: "True" },
      { input: "How many?", target: "12" },
      { input: "Sort: b a", target: "a b" },
      { input: "Complete: [ (", target: ") ]" },
    ];
    const { problems } = await load("bbh", { examples }, { split: "navigate" });
    expect(problems.map(({ kind }) => kind)).toEqual(["choice", "yes-no", "math", "words", "symbols"]);
    expect(problems[0]).toMatchObject({ question: "Which?\n(A) one\n(B) two", references: ["B"] });
  });

  it("HotpotQA has its paragraphs before the question", async () => {
    const row = {
      _id: "q",
      question: "Where?",
      answer: "Rome",
      context: [["Italy", ["Rome is there.", " It is old."]]],
      supporting_facts: [["Italy", 0]],
    };
    const { problems } = await load("hotpotqa", [row]);
    expect(problems[0]).toMatchObject({
      question: "Italy: Rome is there. It is old.\n\nWhere?",
      kind: "words",
      references: ["Rome"],
    });
  });

  it("a limit takes the first ones", async () => {
    const rows = ["1", "2", "3"].map((answer) => ({ question: "?", answer: `#### ${answer}` }));
    const { problems } = await load("gsm8k", rows, { limit: 2 });
    expect(problems.flatMap(({ references }) => references)).toEqual(["1", "2"]);
  });

  it("problems of one's own need ids and references", () => {
    const own = { id: "a", question: "?", kind: "math", references: ["1"] } as const;
    expect(createTask("mine", [own]).problems).toHaveLength(1);
    // What else is said of a problem decides nothing.
    expect(createTask("mine", [{ ...own, fields: { level: 3 } }]).settings).toEqual(createTask("mine", [own]).settings);
    expect(() => createTask("mine", [own, own])).toThrow(/twice/);
    expect(() => createTask("mine", [{ ...own, references: [] }])).toThrow(/no reference/);
    expect(() => createTask("mine", [])).toThrow(/no problems/);
  });
});

describe("parts of a split", () => {
  it("are told by a fixed hash of the id: a third is to tune on", () => {
    const ids = Array.from({ length: 3000 }, (_, at) => `multiarith/test/${at}`);
    const share = ids.filter((id) => partOf(id) === "tune").length / ids.length;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.37);
    // They must never move: ways of asking were chosen on them.
    expect(ids.slice(0, 12).map(partOf).join(" ")).toMatchInlineSnapshot(
      `"rest tune rest rest rest rest rest rest rest rest rest tune"`,
    );
  });

  it("are of data sets only", async () => {
    await expect(loadTask("word-problems:2", { part: "tune" })).rejects.toThrow(/a part is of a data set/);
  });

  it.skipIf(!process.env.THOUGHTBOOK_DATA)("divide the problems of a set", async () => {
    const [all, tune, rest] = await Promise.all(
      [undefined, "tune" as const, "rest" as const].map((part) => loadTask("multiarith", { part })),
    );
    expect(tune!.problems.length + rest!.problems.length).toBe(all!.problems.length);
    const ids = new Set(tune!.problems.map(({ id }) => id));
    expect(rest!.problems.some(({ id }) => ids.has(id))).toBe(false);
    expect(rest!.settings).toMatchObject({ name: "multiarith", part: "rest" });
    const first = await loadTask("multiarith", { part: "rest", limit: 5 });
    expect(first.problems).toEqual(rest!.problems.slice(0, 5));
  });
});
