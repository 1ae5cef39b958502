import { readFileSync } from "node:fs";
import { partOf } from "thoughtbook/data";
import { evaluate } from "thoughtbook/eval";
import {
  type AskedModel,
  askedModel,
  demonstrationPool,
  type Kind,
  OPERATIONS,
  type Operation,
  type OperationName,
  operationFor,
  operationPrompt,
} from "thoughtbook/operations";
import { runAttempts } from "thoughtbook/rollouts";
import { cot, direct } from "thoughtbook/strategies";
import { createTask, loadTask, type Problem } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { writeAs } from "../../../lib/dist/operations/asking/forms.js";
import { failure } from "../../core/helpers.js";
import { SILENT } from "../../eval/helpers.js";
import { scriptedModel } from "../helpers.js";

const hasData = Boolean(process.env.THOUGHTBOOK_DATA);
if (!hasData) console.log("skipped: demonstrations are made of GSM8K's training split, in THOUGHTBOOK_DATA");

const kind = (count: number, choose: "seed" | "likeness" = "seed"): Kind => ({
  ...{ name: "own", models: [], hashes: [], tags: false },
  operations: { cot: { place: "user", begin: "", stop: [], demonstrations: { count, form: "turns", choose } } },
});

const problem = (id: string, question = `Question ${id}?`): Problem => ({
  ...{ id, question, kind: "gsm8k", references: ["5"] },
});

/** A model that is shown one example, of row 20 of the training split. */
async function shownOne(): Promise<AskedModel> {
  const base = await askedModel(
    scriptedModel(() => "#### 5"),
    { kind: kind(0) },
  );
  const example = {
    operation: "cot" as const,
    input: { question: "Ann?" },
    output: { reasoning: "", answer: "5" },
    prompt: "Ann?",
    completion: "#### 5",
  };
  const all = [{ id: "gsm8k/train/20", question: "Ann has 5 pens.  How many?", example }];
  const { asking } = base as AskedModel;
  const operations = kind(1).operations;
  return { ...base, asking: { ...asking, operations, pools: new Map([["cot", { all }]]) } } as AskedModel;
}

describe("what is evaluated is never shown", () => {
  it.each<[string, Problem[], Record<string, unknown>]>([
    ["the split that examples come from", [problem("gsm8k/train/7")], { split: "train" }],
    ["a part of it that they come from", [problem("gsm8k/train/7")], { split: "train", part: "rest" }],
    ["a problem with the id of an example", [problem("gsm8k/train/20")], {}],
    ["a problem with its question, in a file of one's own", [problem("mine/3", "Ann has 5 pens. How many?")], {}],
  ])("refuses %s", async (_, problems, settings) => {
    const model = await shownOne();
    const task = createTask("gsm8k", problems, settings);
    const error = await failure(evaluate(cot(), task, { model, display: SILENT }));
    expect(error).toMatchObject({ name: "ThoughtbookError", code: "bad-input" });
    expect(error.message).toMatch(/the demonstration gsm8k\/train\/20 comes from what is evaluated/);
  });

  it("also where attempts are run without an evaluation", async () => {
    const places = [{ problem: problem("gsm8k/train/20"), sample: 0 }];
    await expect(runAttempts(cot(), places, { model: await shownOne() })).rejects.toThrow(
      /comes from what is evaluated/,
    );
  });

  it("looks at what is asked only: another operation's examples may come from there", async () => {
    const model = await shownOne();
    const task = createTask("gsm8k", [problem("gsm8k/train/20")], { split: "train" });
    expect((await evaluate(direct(), task, { model, display: SILENT })).records).toHaveLength(1);
  });

  it("takes the test split, and the part to tune on", async () => {
    const model = await shownOne();
    for (const settings of [{}, { split: "train", part: "tune" }]) {
      const task = createTask("gsm8k", [problem("gsm8k/test/20")], settings);
      expect((await evaluate(cot(), task, { model, display: SILENT })).records[0]!.correct.strict).toBe(true);
    }
  });

  it("no row that examples are made of is in the part to tune on", () => {
    const rows = JSON.parse(readFileSync("data/operations/demonstrations.json", "utf8"));
    const ids: string[] = [...rows.solutions, ...rows.graphs].map((row: number) => `gsm8k/train/${row}`);
    expect(ids.length).toBeGreaterThan(200);
    expect(ids.filter((id) => partOf(id) === "tune")).toEqual([]);
  });
});

it("what was begun is graded with the text, and is no part of the record's text and counts", async () => {
  const own: Kind = { ...kind(0), operations: { cot: { place: "user", begin: "The answer is \\boxed{", stop: [] } } };
  const model = await askedModel(
    scriptedModel(() => "5}."),
    { kind: own },
  );
  const task = createTask("one", [problem("p")]);
  const { records, summary } = await evaluate(cot(), task, { model, display: SILENT });
  expect(records[0]).toMatchObject({
    completion: "5}.",
    completionTokens: 3,
    answer: "5",
    correct: { strict: true, astar: true, dots: true },
  });
  expect(summary).toMatchObject({ asking: "own", strategy: "cot" });
});

describe.skipIf(!hasData)("demonstrations of GSM8K", () => {
  const names = [
    "answer",
    "cot",
    "decompose",
    "contract",
    "judge",
    "rewrite",
    "plan",
    "program",
    "verify",
    "explain",
    "revise",
  ] as const;

  it.each(names)("there are some of %s, which its parser reads in every form", async (name) => {
    const pool = await demonstrationPool(name);
    expect(pool.length).toBeGreaterThanOrEqual(30);
    const operation = OPERATIONS[name] as unknown as Operation<unknown, unknown>;
    for (const { id, example } of pool) {
      expect(id).toMatch(/^gsm8k\/train\/\d+$/);
      for (const form of FORMS[name] ?? [undefined]) {
        const parsed = operation.parse(writeAs(name, example.output, form), example.input);
        expect([id, form, parsed.ok && name !== "program" ? parsed.value : example.output]).toEqual([
          id,
          form,
          expected(name, form, example.output),
        ]);
      }
    }
  });

  /** Forms beside the plain one. A program in Python is read by another parser. */
  const FORMS: Partial<Record<OperationName, readonly ("boxed" | "json" | "lines" | "tags" | undefined)[]>> = {
    answer: [undefined, "boxed"],
    cot: [undefined],
    decompose: ["json", "lines"],
    contract: ["tags", "json"],
    rewrite: ["tags", "json"],
    verify: ["json", "lines"],
    explain: ["json", "lines"],
  };
  const expected = (_: OperationName, __: unknown, output: unknown) => output;

  it("by seed they are the same for all questions, by likeness they follow the question", async () => {
    const first = async (seed: number, question: string, choose: "seed" | "likeness") => {
      const model = await askedModel(
        scriptedModel(() => ""),
        { kind: kind(2, choose), seed },
      );
      const { messages } = operationPrompt(model, OPERATIONS.cot, { question }) as unknown as {
        messages: { content: string }[];
      };
      return messages.map(({ content }) => content);
    };
    const [one, other] = [await first(1, "A?", "seed"), await first(1, "B?", "seed")];
    expect(one).toHaveLength(5);
    expect(one.slice(0, 4)).toEqual(other.slice(0, 4));
    expect((await first(2, "A?", "seed")).slice(0, 4)).not.toEqual(one.slice(0, 4));
    const pool = await demonstrationPool("cot");
    const near = pool[17]!.question;
    const likest = await first(1, `${near} And more?`, "likeness");
    // Nearest to the question.
    expect(likest[2]).toContain(near);
    expect(await first(2, `${near} And more?`, "likeness")).toEqual(likest);
  });

  it("their programs compute the answers", async () => {
    const { openSandbox } = await import("thoughtbook/sandbox");
    const [programs, answers] = await Promise.all([demonstrationPool("program"), demonstrationPool("answer")]);
    const answerOf = new Map(answers.map(({ id, example }) => [id, Number(example.output)]));
    const sandbox = openSandbox();
    const chosen = programs.slice(0, 40);
    const results = await sandbox.runAll(
      chosen.map(({ example }) => ({ language: "python", code: `${example.output as string}\n\nsolution()` })),
    );
    await sandbox.close();
    expect(results.map(({ value }) => value)).toEqual(chosen.map(({ id }) => answerOf.get(id)));
  }, 60_000);

  it("of programs are in Python, as is then what the model is asked for; another language is an error", async () => {
    const model = scriptedModel(() => "");
    const asked = await askedModel(model, { kind: "default", demonstrations: 1 });
    const { messages } = operationPrompt(asked, operationFor(asked, "program"), { question: "A?" }) as unknown as {
      messages: { content: string }[];
    };
    expect(messages[1]!.content).toMatch(/^```python\ndef solution\(\):/);
    for (const { content } of [messages[0]!, messages[2]!]) expect(content).toMatch(/Python/);
    const own = { ...kind(0), operations: { program: { ...kind(0).operations.cot!, instruction: "In JavaScript." } } };
    const other = await askedModel(model, { kind: own, demonstrations: 1 });
    expect(() => operationPrompt(other, OPERATIONS.program, { question: "A?" })).toThrow(
      /the demonstrations of program are in Python/,
    );
    expect(() => operationPrompt(other, OPERATIONS.answer, { question: "A?" })).not.toThrow();
  });

  it("a command-line flag sets their number for the operations that solve", async () => {
    const model = await askedModel(
      scriptedModel(() => "#### 5"),
      { kind: kind(0), demonstrations: 3, seed: 4 },
    );
    const task = await loadTask("gsm8k", { limit: 1 });
    const { messages } = operationPrompt(model, OPERATIONS.answer, task.problems[0]!) as unknown as {
      messages: unknown[];
    };
    expect(messages).toHaveLength(7);
    await expect(
      askedModel(
        scriptedModel(() => ""),
        { kind: kind(31), demonstrations: 400 },
      ),
    ).rejects.toThrow(/400 are asked for/);
  });
});
