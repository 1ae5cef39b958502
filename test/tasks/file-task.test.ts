import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isFileTask, loadTask } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";

async function fileOf(name: string, content: string | readonly object[]): Promise<string> {
  const file = join(await temporaryFolder(), name);
  const text = typeof content === "string" ? content : content.map((row) => `${JSON.stringify(row)}\n`).join("");
  await writeFile(file, text);
  return file;
}

it.each([
  ["mine.jsonl", true],
  ["./mine", true],
  ["data/mine.csv", true],
  ["C:\\mine.json", true],
  ["gsm8k", false],
  ["word-problems:2-6", false],
])("%s is a file: %s", (name, is) => {
  expect(isFileTask(name)).toBe(is);
});

describe("a file of one's own as a task", () => {
  it("gives a problem for each row, of the kind that its answer looks like", async () => {
    const file = await fileOf("mine.jsonl", [
      { question: "How much is 1 + 1?", answer: 2 },
      { question: "Is it?", answer: true, id: "truth" },
      { problem: "Which?\n(A) one\n(B) two", reference: "(B)", id: 7 },
      { question: "Who?", answer: "Emmy Noether" },
      { question: "x?", answer: "\\frac{1}{2}" },
      { question: "Solve.", answer: "2 + 3 = 5\n#### 5" },
      { question: "Set?", answer: "B" },
      { question: "Say.", answer: "12", kind: "words" },
    ]);
    const task = await loadTask(file);
    expect(task).toMatchObject({ name: "mine", leftOut: 0 });
    expect(task.problems.map(({ id, kind, references }) => [id, kind, ...references])).toEqual([
      ["mine/0", "math", "2"],
      ["truth", "yes-no", "true"],
      ["7", "choice", "B"],
      ["mine/3", "words", "Emmy Noether"],
      ["mine/4", "math", "\\frac{1}{2}"],
      ["mine/5", "math", "2 + 3 = 5\n#### 5"],
      ["mine/6", "math", "B"],
      ["mine/7", "words", "12"],
    ]);
    expect((await loadTask(file, { limit: 2 })).problems).toEqual(task.problems.slice(0, 2));
  });

  it("may be CSV or a JSON array", async () => {
    const csv = await loadTask(await fileOf("a.csv", 'question,answer\n"How many, then?",3\n'));
    expect(csv.problems).toMatchObject([{ id: "a/0", question: "How many, then?", references: ["3"] }]);
    const json = await loadTask(await fileOf("b.json", JSON.stringify([{ question: "?", answer: "3" }])));
    expect(json.problems).toMatchObject([{ id: "b/0", references: ["3"] }]);
  });

  it("names the rows that are no problems, and what they lack", async () => {
    const rows = [
      '{"q": "?", "answer": "1"}',
      '{"question": "?", "answer": null}',
      '{"question": " ", "answer": "1"}',
      "oops",
      '{"question": "?", "answer": 12345678901234567890}',
      '{"question": "?", "answer": ["1"]}',
      '{"question": "?", "answer": "1"}',
    ];
    const file = await fileOf("bad.jsonl", rows.join("\n"));
    const error = await failure(loadTask(file));
    expect(error.code).toBe("bad-input");
    for (const part of [
      `${file} has 6 rows that are no problems: line 1: no question, only "q", "answer"`,
      "line 2: no answer",
      "line 3: question is empty",
      "line 4: invalid JSON",
      "line 5: answer is too large to be exact: write it as a text",
      "; and 1 more",
    ]) {
      expect(error.message).toContain(part);
    }
    expect(error.hint).toContain('a "question" and an "answer"');
    // Those after the limit are not read.
    const good = await fileOf("good.jsonl", `${rows[6]}\noops`);
    expect((await loadTask(good, { limit: 1 })).problems).toHaveLength(1);
  });

  it.each<[string, string | undefined, object, string, RegExp]>([
    ["empty.jsonl", "", {}, "bad-input", /has no rows/],
    ["none.jsonl", undefined, {}, "not-found", /no such file/],
    ["mine.txt", "x", {}, "bad-input", /cannot tell the format/],
    ["split.jsonl", '{"question":"?","answer":"1"}', { split: "test" }, "bad-input", /split is for data sets/],
    ["seed.jsonl", '{"question":"?","answer":"1"}', { seed: 1 }, "bad-input", /seed is for word problems/],
    [
      "twice.jsonl",
      '{"id":1,"question":"?","answer":"1"}\n{"id":"1","question":"?","answer":"1"}',
      {},
      "bad-input",
      /twice/,
    ],
    ["kind.jsonl", '{"question":"?","answer":"1","kind":"x"}', {}, "bad-input", /line 1: kind is none of math, /],
  ])("is refused: %s", async (name, content, options, code, message) => {
    const file = content === undefined ? join(await temporaryFolder(), name) : await fileOf(name, content);
    const error = await failure(loadTask(file, options));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });

  it("a name that is near a known one is told", async () => {
    for (const [name, near] of Object.entries({
      gsm9k: "gsm8k",
      "word-problem:2": "word-problems",
      math50: "math500",
    })) {
      const error = await failure(loadTask(name));
      expect(error.code).toBe("bad-input");
      expect(error.hint).toMatch(new RegExp(`^Did you mean ${near}\\b`));
    }
  });
});
