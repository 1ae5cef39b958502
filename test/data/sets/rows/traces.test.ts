import { describe, expect, it } from "vitest";
import { loadRows } from "../../helpers.js";

describe("s1k", () => {
  it("has the chain of DeepSeek-R1 and the set's verdict", async () => {
    const row = {
      question: "1 + 1?",
      solution: "2",
      deepseek_thinking_trajectory: "One and one.",
      deepseek_attempt: "**2**",
      deepseek_grade: "Yes",
      gemini_attempt: "3",
    };
    const bare = { question: "q", deepseek_thinking_trajectory: "t", deepseek_attempt: "a" };
    expect((await loadRows("s1k", [row, { ...row, deepseek_grade: "No" }, bare])).records).toEqual([
      {
        id: "s1k/train/0",
        kind: "trace",
        question: "1 + 1?",
        thought: "One and one.",
        solution: "**2**",
        reference: "2",
        isCorrect: true,
      },
      expect.objectContaining({ isCorrect: false }),
      { id: "s1k/train/2", kind: "trace", question: "q", thought: "t", solution: "a" },
    ]);
  });
});

describe("astar-thought-1k", () => {
  const row = (value: string) => ({
    system: "Think first.",
    conversations: [
      { from: "user", value: "1 + 1?" },
      { from: "assistant", value },
    ],
    rate: 0.5,
    search_steps: 5,
  });

  it("has thought and solution between their tags, trimmed", async () => {
    const value =
      "<|begin_of_thought|>\n\nOne.\n\nTwo.\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n2\n\n<|end_of_solution|>";
    expect((await loadRows("astar-thought-1k", [row(value)])).records).toEqual([
      {
        id: "astar-thought-1k/train/0",
        kind: "trace",
        system: "Think first.",
        question: "1 + 1?",
        thought: "One.\n\nTwo.",
        solution: "2",
      },
    ]);
  });

  it("says which part is missing", async () => {
    const rows = [
      row("<|begin_of_thought|>a"),
      row("<|begin_of_thought|>a<|end_of_thought|>b"),
      row("<|begin_of_thought|> <|end_of_thought|><|begin_of_solution|>2<|end_of_solution|>"),
    ];
    expect((await loadRows("astar-thought-1k", rows)).malformed).toEqual([
      "line 1: conversations.1.value: expected a thought between its tags",
      "line 2: conversations.1.value: expected a solution between its tags",
      "line 3: thought: expected text",
    ]);
  });
});

describe("r1-traces", () => {
  it("is read with separate fields, or with a response that thinks first", async () => {
    const rows = [
      {
        id: "p1",
        question: "q",
        thought: "t",
        solution: "s",
        answer: "3",
        reference_answer: "2",
        is_correct: false,
        level: "Level 5",
      },
      { question: "q", response: "<think>\nt\n</think>\n\ns", reference_answer: "2" },
      { question: "q", response: "t</think>s", is_correct: true },
    ];
    const record = { kind: "trace", question: "q", thought: "t", solution: "s" };
    expect(await loadRows("r1-traces", rows)).toEqual({
      records: [
        { id: "r1-traces/train/p1", ...record, answer: "3", reference: "2", isCorrect: false },
        { id: "r1-traces/train/1", ...record, reference: "2" },
        { id: "r1-traces/train/2", ...record, isCorrect: true },
      ],
      malformed: [],
    });
  });

  it("refuses a response that was cut off while thinking", async () => {
    const { malformed } = await loadRows("r1-traces", [{ question: "q", response: "<think>on and on" }]);
    expect(malformed).toEqual(["line 1: response: there is no </think>"]);
  });
});
