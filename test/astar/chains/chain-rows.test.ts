import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import {
  type ChainRow,
  countOutcome,
  problemRow,
  type ReadChainRowsOptions,
  type RowOutcome,
  readChainRows,
  traceRow,
} from "thoughtbook/astar";
import { generateWordProblem, problemRecord } from "thoughtbook/data";
import { thoughtThenSolution } from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyTally } from "../../../lib/dist/astar/chains/chain-rows.js";
import { splitSteps } from "../../../lib/dist/astar/chains/split-steps.js";
import { readTagged, THOUGHT_TAGS } from "../../../lib/dist/astar/chains/tags.js";
import { compressedRow, compressionRate } from "../../../lib/dist/astar/compress/compressed-row.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-rows-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { thoughtBegin, thoughtEnd, solutionBegin, solutionEnd } = THOUGHT_TAGS;
const tagged = (thought: string, solution: string) =>
  `${thoughtBegin}\n\n${thought}\n\n${thoughtEnd}\n\n${solutionBegin}\n\n${solution}\n\n${solutionEnd}`;
const conversation = (question: string, answer: string) => ({
  system: "Think.",
  conversations: [
    { from: "user", value: question },
    { from: "assistant", value: answer },
  ],
});

async function read(file: string, options?: ReadChainRowsOptions): Promise<RowOutcome[]> {
  const found: RowOutcome[] = [];
  for await (const outcome of readChainRows(join(folder, file), options)) found.push(outcome);
  return found;
}
function jsonl(file: string, rows: readonly unknown[]): void {
  const lines = rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row)));
  writeFileSync(join(folder, file), `${lines.join("\n")}\n`);
}
const used = (outcomes: readonly RowOutcome[]): ChainRow[] =>
  outcomes.flatMap((outcome) => (outcome.used ? [outcome.row] : []));

describe("rows of conversations", () => {
  const rows = [
    conversation("q0", tagged("a\n\n \n\nb", "\\boxed{0}")),
    conversation("q1", `${thoughtBegin}a\n\nb${thoughtEnd} 5`),
    conversation("q2", "no tags at all"),
    conversation("q3", tagged("only one", "The solution says nothing.")),
    conversation("q4", tagged(" \n\n ", "\\boxed{4}")),
    conversation("q5", tagged("a\n\nb", " ")),
    conversation(" ", tagged("a\n\nb", "\\boxed{6}")),
    { conversations: [{ value: "q7" }] },
    { id: 8, conversations: [{ value: "q8" }, { value: tagged("a\n\nb", "\\boxed{8}") }] },
    conversation("q9", `${thoughtEnd} ${solutionEnd} ${tagged("a\n\nb", "There are 9 of them in a row.")}`),
  ];
  beforeAll(() => jsonl("rows.jsonl", [...rows, "{ not JSON"]));

  it("are used or left out by a rule each, and counted", async () => {
    const outcomes = await read("rows.jsonl");
    const told = outcomes.map((each) => (each.used ? each.remarks.join() || "used" : `${each.place}: ${each.reason}`));
    expect(told).toEqual([
      "used",
      "line 2: missing tags",
      "line 3: missing tags",
      "one step,no answer",
      "line 5: empty chain",
      "line 6: no solution",
      "line 7: no question",
      "line 8: malformed",
      "used",
      "no answer",
      "line 11: malformed",
    ]);
    const tally = emptyTally();
    for (const outcome of outcomes) countOutcome(tally, outcome);
    expect(tally).toEqual({
      rows: 11,
      used: 4,
      "one step": 1,
      "no answer": 2,
      malformed: 2,
      "missing tags": 2,
      "no question": 1,
      "empty chain": 1,
      "no solution": 1,
    });
    const missing = outcomes.flatMap((each) => (!each.used && each.reason === "missing tags" ? each.detail : []));
    expect(missing).toEqual([`there is no ${solutionBegin}`, `there is no ${thoughtBegin}`]);
  });

  it("never hold the text of another row", async () => {
    for (const { question, solution } of used(await read("rows.jsonl"))) {
      if (question !== "q3") expect(solution.replace(/\D/g, "")).toBe(question.slice(1));
    }
  });

  it("have id, system prompt, steps and answer", async () => {
    const [first, , third] = used(await read("rows.jsonl"));
    expect(first).toEqual({
      id: "line 1",
      system: "Think.",
      question: "q0",
      thought: "a\n\n \n\nb",
      steps: ["a", "b"],
      solution: "\\boxed{0}",
      answer: "0",
    });
    expect(third).toMatchObject({ id: "8", system: thoughtThenSolution(THOUGHT_TAGS) });
    const [faithful] = used(await read("rows.jsonl", { splitting: "faithful" }));
    expect(faithful!.steps).toEqual(["a", "", "b"]);
  });

  it("can be limited, with those left out counted", async () => {
    expect((await read("rows.jsonl", { limit: 4 })).length).toBe(4);
    expect(await read("rows.jsonl", { limit: 0 })).toEqual([]);
    expect((await read("rows.jsonl", { limit: 11 })).length).toBe(11);
  });

  it("can have other tags, none of them empty", async () => {
    const tags = { thoughtBegin: "<think>", thoughtEnd: "</think>", solutionBegin: "<a>", solutionEnd: "</a>" };
    jsonl("tags.jsonl", [conversation("q", "<think>a\n\nb</think><a>\\boxed{3}</a>")]);
    expect(used(await read("tags.jsonl", { tags }))).toMatchObject([{ steps: ["a", "b"], answer: "3" }]);
    await expect(read("tags.jsonl", { tags: { ...tags, solutionEnd: "" } })).rejects.toThrow(
      /the tag solutionEnd is empty/,
    );
    await expect(read("rows.txt")).rejects.toMatchObject({ code: "bad-input" });
    await expect(read("none.jsonl")).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("rows of other chat layouts", () => {
  const thinking = "<think>\na\n\nb\n</think>\n\\boxed{5}";
  const turns = [
    { role: "user", content: "q" },
    { role: "assistant", content: thinking },
  ];
  const expected = { question: "q", steps: ["a", "b"], solution: "\\boxed{5}", answer: "5" };

  it.each<[string, object, object]>([
    ["messages", { messages: turns }, {}],
    ["messages with a system turn", { messages: [{ role: "system", content: "S." }, ...turns] }, { system: "S." }],
    [
      "a system turn in ShareGPT",
      {
        id: 3,
        conversations: [
          { from: "system", value: "S." },
          { from: "human", value: "q" },
          { from: "gpt", value: tagged("a\n\nb", "\\boxed{5}") },
        ],
      },
      { id: "3", system: "S." },
    ],
    ["Alpaca", { instruction: "q", input: "", output: thinking, system: "S." }, { system: "S." }],
    ["Alpaca with input", { instruction: "q", input: "x", output: thinking }, { question: "q\nx" }],
    ["TRL's lists", { prompt: turns.slice(0, 1), completion: turns.slice(1) }, {}],
    ["TRL's texts", { prompt: "q", completion: thinking }, {}],
    [
      "a thought beside the content",
      { messages: [turns[0], { role: "assistant", content: "\\boxed{5}", reasoning_content: "a\r\n\r\nb" }] },
      {},
    ],
    ...["reasoning", "thinking"].map((field): [string, object, object] => [
      `a thought beside the content, as ${field}`,
      { messages: [turns[0], { role: "assistant", content: "\\boxed{5}", [field]: "a\n\nb" }] },
      {},
    ]),
  ])("are read: %s", async (_, row, further) => {
    jsonl("layouts.jsonl", [row]);
    expect(used(await read("layouts.jsonl"))).toMatchObject([{ ...expected, ...further }]);
  });

  it("are read from an array, under either name", async () => {
    for (const file of ["array.json", "array.jsonl"]) {
      writeFileSync(join(folder, file), JSON.stringify([{ messages: turns }, { messages: turns }], null, 1));
      expect(used(await read(file))).toMatchObject([expected, expected]);
    }
    writeFileSync(join(folder, "lines.json"), `${JSON.stringify({ messages: turns })}\n`.repeat(2));
    expect(used(await read("lines.json"))).toMatchObject([expected, expected]);
  });

  it.each<[object, RegExp]>([
    [{ messages: [...turns, ...turns] }, /^malformed: the conversation has 2 exchanges, expected one/],
    [{ instruction: "q", output: thinking, history: [["q", "a"]] }, /^malformed: the conversation has 2 exchanges/],
    [
      {
        conversations: [
          { from: "human", value: "q" },
          { from: "observation", value: "x" },
        ],
      },
      /"observation" speaks/,
    ],
    [{ messages: [turns[0], { ...turns[1], weight: 0 }] }, /^malformed: its reply is masked/],
    [{ messages: [turns[0], { ...turns[1], trainable: false }] }, /^malformed: its reply is masked/],
    [{ messages: turns.slice(0, 1) }, /^malformed: turns of user; expected one of user and one of assistant/],
    [{ messages: [turns[0], { role: "assistant", content: "no thought" }] }, /^missing tags: there is no/],
    [{ question: "q" }, /^malformed: no conversations, messages/],
  ])("are left out by name: %j", async (row, reason) => {
    jsonl("refused.jsonl", [row]);
    const outcomes = await read("refused.jsonl");
    expect(outcomes.map((each) => (each.used ? "used" : `${each.reason}: ${each.detail}`))).toEqual([
      expect.stringMatching(reason),
    ]);
  });
});

describe("rows of s1K and of word problems", () => {
  it("are read from Parquet", async () => {
    const column = (name: string, data: string[]) => ({ name, data, type: "STRING" as const });
    const buffer = parquetWriteBuffer({
      columnData: [
        column("question", ["q0", "q1"]),
        column("deepseek_thinking_trajectory", ["a\n\nb", ""]),
        column("deepseek_attempt", ["So \\boxed{\\frac{1}{2}}.", "x"]),
      ],
    });
    writeFileSync(join(folder, "s1k.parquet"), new Uint8Array(buffer));
    const outcomes = await read("s1k.parquet", { format: "s1k" });
    expect(used(outcomes)).toEqual([
      {
        id: "row 0",
        system: thoughtThenSolution(THOUGHT_TAGS),
        question: "q0",
        thought: "a\n\nb",
        steps: ["a", "b"],
        solution: "So \\boxed{\\frac{1}{2}}.",
        answer: "\\frac{1}{2}",
      },
    ]);
    expect(outcomes[1]).toMatchObject({ used: false, place: "row 1", reason: "empty chain" });
  });

  it("know which steps are necessary, from a file and from the problem", async () => {
    const problems = [0, 1, 2].map((index) => generateWordProblem({ seed: 4, index, operations: 3 }));
    const fields = ["id", "question", "answer", "paragraphs", "plainChain"] as const;
    jsonl(
      "problems.jsonl",
      problems.map((problem) => problemRecord(problem, fields)),
    );
    const rows = used(await read("problems.jsonl", { format: "word-problems" }));
    expect(rows).toEqual(problems.map((problem) => problemRow(problem)));
    for (const { steps, necessary, thought } of rows) {
      expect(splitSteps(thought)).toEqual(steps);
      expect(necessary!.filter(Boolean).length).toBe(3);
    }
    const [changed] = await read("rows.jsonl", { format: "word-problems" });
    expect(changed).toMatchObject({ used: false, reason: "malformed" });
  });

  it("come from a data set as well", () => {
    const trace = { id: "t/0", kind: "trace", question: "q", thought: "a\n\nb", solution: "\\boxed{2}" } as const;
    expect(traceRow({ ...trace, reference: "We find \\boxed{3}" })).toMatchObject({
      used: true,
      row: { id: "t/0", steps: ["a", "b"], answer: "3" },
    });
    expect(traceRow(trace)).toMatchObject({ row: { answer: "2" }, remarks: [] });
  });
});

describe("compressed rows", () => {
  const words = (text: string) => text.split(/\s+/).filter(Boolean).length;

  it("hold the kept steps in their order, with rate, search steps and status", () => {
    const row: ChainRow = {
      id: "r",
      system: "Think.",
      question: "q",
      thought: "a b\n\nc d\n\ne f g h",
      steps: ["a b", "c d", "e f g h"],
      solution: "\\boxed{1}",
    };
    const result = {
      ...{ kept: [2, 0, 2], searchSteps: 5, status: "accepted" },
      ...{ scored: 4, verified: 3, weighed: 6, cut: 1, tooLong: 2 },
    };
    const written = compressedRow(row, result, { countTokens: words });
    expect(written).toEqual({
      id: "r",
      system: "Think.",
      conversations: [
        { from: "user", value: "q" },
        { from: "assistant", value: tagged("a b\n\ne f g h", "\\boxed{1}") },
      ],
      rate: 0.75,
      search_steps: 5,
      status: "accepted",
      kept: [0, 2],
      ...{ scored: 4, verified: 3, weighed: 6, cut: 1, too_long: 2 },
      tokens: { before: 8, after: 6, solution: 1 },
      steps: 3,
    });
    expect(readTagged(written.conversations[1].value, THOUGHT_TAGS)).toEqual({
      thought: "a b\n\ne f g h",
      solution: "\\boxed{1}",
    });
  });

  it("are read back as rows", async () => {
    const row = problemRow(generateWordProblem({ seed: 4, index: 0, operations: 3 }));
    const kept = row.necessary!.flatMap((necessary, at) => (necessary ? [at] : []));
    const calls = { scored: 0, verified: 0, weighed: 0, cut: 0, tooLong: 0 };
    const result = { kept, searchSteps: 1, status: "accepted", ...calls };
    jsonl("compressed.jsonl", [compressedRow(row, result, { countTokens: words })]);
    const [again] = used(await read("compressed.jsonl"));
    expect(again).toMatchObject({ id: row.id, question: row.question, solution: row.solution });
    expect(again!.steps).toEqual(kept.map((at) => row.steps[at]));
  });

  it.each([
    [1, 3, 0.3333],
    [0, 7, 1],
    [7, 7, 1],
    [0, 0, 1],
  ])("have the rate of %d tokens of %d", (tokens, before, rate) => {
    expect(compressionRate(tokens, before)).toBe(rate);
  });
});
