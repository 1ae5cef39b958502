import { evaluate } from "thoughtbook/eval";
import type { TextRequest } from "thoughtbook/llm";
import { askedModel, type Kind } from "thoughtbook/operations";
import { cot, program } from "thoughtbook/strategies";
import { createTask, loadTask, type Problem, type Task } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";
import { SILENT } from "../eval/helpers.js";
import { type Said, scriptedModel } from "../operations/helpers.js";
import { interpretersOf } from "../sandbox/helpers.js";

const TIMEOUT = { timeout: 120_000 };

const math = (parts: Partial<Problem> = {}): Problem => ({
  ...{ id: "p", question: "How much is 2 + 3?", kind: "gsm8k", references: ["5"] },
  ...parts,
});

async function evaluated(say: (request: TextRequest, sample: number) => Said, task: Task) {
  const model = scriptedModel(say);
  const { records, summary } = await evaluate(program(), task, { model, display: SILENT });
  return { model, records, summary };
}

/** What becomes of a program as an answer to a problem. */
async function answered(source: Said, parts: Partial<Problem> = {}) {
  const { records } = await evaluated(() => source, createTask("one", [math(parts)]));
  const { answer, correct, failure, completion } = records[0]!;
  return { answer, right: correct.strict, failure: failure?.kind, completion };
}

describe("a program as an answer", TIMEOUT, () => {
  it("is run, and its value is the answer; it is asked for in JavaScript", async () => {
    const { model, records } = await evaluated(
      () => "```js\nfunction solve() {\n  const a = 2;\n  return a + 3;\n}\n```",
      createTask("one", [math()]),
    );
    expect(JSON.stringify(model.calls[0]!.requests[0]!.prompt)).toMatch(/JavaScript program.*How much is 2 \+ 3\?/);
    expect(records[0]).toMatchObject({ answer: "5", correct: { strict: true, astar: true } });
    expect(records[0]!.completion).toMatch(/```\n#### 5$/);
    expect(records[0]!.calls).toMatchObject([{ operation: "program" }]);
    expect(records[0]).not.toHaveProperty("failure");
  });

  it.each<[source: string, parts: Partial<Problem>, answer: string]>([
    ["return 0.1 + 0.2;", { references: ["0.3"] }, "0.3"],
    ["return 1e21;", { references: ["1000000000000000000000"] }, "1000000000000000000000"],
    ["return 10n ** 20n;", { references: ["100000000000000000000"] }, "100000000000000000000"],
    ["return 'B';", { kind: "choice", references: ["B"] }, "B"],
    ["return 2 > 3;", { kind: "yes-no", references: ["no"] }, "no"],
    ["return 'the\\nred house';", { kind: "words", references: ["the red house"] }, "the red house"],
    ["return await Promise.resolve(5);", {}, "5"],
    ["async function solve() {\n  return 5;\n}", {}, "5"],
    ["const a = 2 + 3;\nconsole.log(a);", {}, "5"],
  ])("%s", async (source, parts, answer) => {
    expect(await answered(source, parts)).toMatchObject({ answer, right: true });
  });

  it.each([
    ["return b;", "error"],
    ["return 1 / 0;", "error"],
    ["return null;", "error"],
    ["return { answer: 5 };", "error"],
    ["return () => 5;", "error"],
    ["return 'x'.repeat(2000);", "error"],
    ["return (;", "error"],
    ["return require('fs').readFileSync('/etc/passwd', 'utf8');", "forbidden"],
    ["for (;;) {}\nreturn 5;", "timeout"],
  ])("%s fails, and the record tells why", async (source, kind) => {
    expect(await answered(source)).toEqual({ answer: undefined, right: false, failure: kind, completion: source });
  });

  it("has no answer where the text is no program, or was cut off", async () => {
    expect(await answered("I do not know.")).toMatchObject({ answer: undefined, right: false });
    const cut = { text: "```js\nreturn 5;\n```\nAnd", finishReason: "length" } as const;
    expect(await answered(cut)).toMatchObject({ answer: undefined, right: false });
  });

  it("leaves no interpreter behind", async () => {
    await answered("return 5;");
    expect(interpretersOf(process.pid)).toEqual([]);
  });
});

describe("functions as answers", TIMEOUT, () => {
  const python = (id: string, code: Partial<Problem["code"]> = {}): Problem => {
    const prompt = 'import math\n\ndef root(n: int) -> int:\n    """ The whole root. """\n';
    const tests = "def check(candidate):\n    assert candidate(9) == 3\n    assert candidate(17) == 4\n\ncheck(root)\n";
    const own = { language: "python", prompt, entryPoint: "root", tests, ...code } as Problem["code"];
    return { id, question: prompt, kind: "code", references: [tests], code: own };
  };

  it("of Python pass or fail the tests", async () => {
    const replies: Record<string, Said> = {
      whole: "```python\ndef root(n):\n    return math.isqrt(n)\n```",
      body: "    return math.isqrt(n)",
      wrong: "```python\ndef root(n):\n    return n // 3\n```",
      loop: "```python\ndef root(n):\n    while True: pass\n```",
      equal: "class E:\n    def __eq__(self, o): return True\ndef root(n):\n    return E()",
      cut: { text: "```python\ndef root(n):\n    return math.isqrt(n)", finishReason: "length" },
    };
    const names = Object.keys(replies);
    const task = createTask(
      "roots",
      names.map((name) => ({ ...python(name), question: `${name}: ${python(name).question}` })),
    );
    const { records } = await evaluated(({ prompt }) => {
      const asked = JSON.stringify(prompt);
      expect(asked).toMatch(/Write the Python function below/);
      return replies[names.find((name) => asked.includes(`${name}: import`))!]!;
    }, task);
    expect(
      Object.fromEntries(records.map(({ problem, correct, failure }) => [problem, failure?.kind ?? correct.strict])),
    ).toEqual({ whole: true, body: true, wrong: "wrong", loop: "timeout", equal: "wrong", cut: false });
  });

  it("of JavaScript are shown two calls, and run on hidden ones too", async () => {
    const task = await loadTask("functions:1-2", { limit: 3 });
    const sources = task.problems.map(({ code }) => {
      const { name, examples, tests } = code as Extract<Problem["code"], { language: "javascript" }>;
      const table = JSON.stringify([...examples, ...tests].map(({ args, result }) => [JSON.stringify(args), result]));
      const seen = JSON.stringify(examples.map(({ args, result }) => [JSON.stringify(args), result]));
      const of = (pairs: string) =>
        `function ${name}(...args) {\n  return new Map(${pairs}).get(JSON.stringify(args)) ?? null;\n}`;
      return { all: of(table), seen: of(seen), shown: examples.length, hidden: tests.length };
    });
    const indexOf = (prompt: unknown) =>
      task.problems.findIndex(({ code }) =>
        JSON.stringify(prompt).includes(JSON.stringify((code as { specification: string }).specification).slice(1, -1)),
      );
    const right = await evaluated(({ prompt }) => sources[indexOf(prompt)]!.all, task);
    expect(right.records.map(({ correct }) => correct)).toEqual([1, 2, 3].map(() => ({ strict: true })));
    expect(right.records.map(({ operations }) => operations)).toEqual([1, 2, 1]);
    // Who knows the shown calls alone fails the hidden ones, and is not told what they expect.
    const copied = await evaluated(({ prompt }) => sources[indexOf(prompt)]!.seen, task);
    for (const { correct, failure } of copied.records) {
      expect(correct.strict).toBe(false);
      expect(failure).toMatchObject({ kind: "wrong", message: expect.stringMatching(/^[1-8] of (9|10) calls$/) });
    }
  });

  it("are refused by strategies that answer in words, before any work", async () => {
    const model = scriptedModel(() => "");
    const { message, hint } = await failure(
      evaluate(cot(), createTask("one", [python("p")]), { model, display: SILENT }),
    );
    expect(message).toMatch(/the strategy cot does not write functions, and p asks for one/);
    expect(hint).toMatch(/strategy program/);
    expect(model.calls).toEqual([]);
  });

  it("vote together where they are the same, with several samples", async () => {
    const model = scriptedModel((_, sample) =>
      sample === 0 ? "def root(n):\n    return 0" : "    return math.isqrt(n)",
    );
    const task = createTask("one", [python("p")]);
    const { summary } = await evaluate(program(), task, { model, samples: 3, temperature: 1, display: SILENT });
    expect(summary.budgets[0]).toMatchObject({ majority: { value: 1 }, accuracy: { strict: { value: 2 / 3 } } });
  });
});

describe("a program in Python, for models that are asked for one", TIMEOUT, () => {
  const kind: Kind = {
    ...{ name: "own", models: [], hashes: [], tags: false },
    operations: { program: { place: "user", begin: "```python\ndef solution():\n", stop: ["```"], form: "python" } },
  };
  const computed = async (source: Said, parts: Partial<Problem> = {}) => {
    const model = await askedModel(
      scriptedModel(() => source),
      { kind },
    );
    const { records } = await evaluate(program(), createTask("one", [math(parts)]), { model, display: SILENT });
    return records[0]!;
  };

  it("is begun for the model, run, and its value is the answer; what was begun is not the model's text", async () => {
    const record = await computed("    a = 2\n    return a + 3\n");
    expect(record).toMatchObject({ answer: "5", correct: { strict: true } });
    expect(record.completion).toBe("    a = 2\n    return a + 3\n\n#### 5");
    expect(record.completionTokens).toBe(27);
  });

  it.each<[string, Said, string | undefined]>([
    ["what is printed in the end", "    pass\n\nprint(2 + 3)\n", "5"],
    ["a rounded number", "    return 0.1 + 0.2\n", "0.3"],
    ["a list", "    return [1, 2]\n", "1, 2"],
    ["a text that was cut off", { text: "    return 5", finishReason: "length" }, undefined],
    ["nothing", "    pass\n", undefined],
    ["an error", "    return 1 / 0\n", undefined],
  ])("%s", async (_, source, answer) => {
    expect((await computed(source)).answer).toBe(answer);
  });
});
