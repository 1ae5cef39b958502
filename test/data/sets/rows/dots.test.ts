import { describe, expect, it } from "vitest";
import { loadRows } from "../../helpers.js";

const sample = (id: string, score: number, pred_ans: unknown) => ({
  id,
  trajectory: ["", "CoT", "verifier", "direct_answering"],
  "reasoning dialogues": [
    { role: "user", content: "1 + 1?" },
    { role: "assistant", content: "2" },
  ],
  pred_ans,
  score,
});
const row = (meta_info: Record<string, unknown>) => ({
  meta_info,
  searching_results: [sample("CoT_0", 1, "2"), sample("1_step1_0", 0, null)],
  probing_result: [sample("CoT_0", 1, 2)],
  "step 1 result": [sample("1_step1_0", 0, null)],
  "step 2 result": [],
  "step 3 result": [],
  "step1 score": { 1: [0, 3, []] },
  "step2 score": {},
  "step3 score": {},
});

describe("dots", () => {
  it("has the samples of every phase", async () => {
    const { records } = await loadRows("dots", [row({ id: "m1", problem: "1 + 1?", answer: "2" })]);
    const { trajectory, "reasoning dialogues": dialogue } = sample("", 0, "");
    expect(records).toEqual([
      {
        id: "dots/train/m1",
        kind: "search",
        question: "1 + 1?",
        answer: "2",
        samples: [
          { phase: "probing", trajectory, dialogue, prediction: "2", score: 1 },
          { phase: "step 1", trajectory, dialogue, score: 0 },
        ],
      },
    ]);
  });

  it.each([
    [
      { Question: "q", Answer: "True" },
      { id: "dots/train/0", question: "q", answer: "True" },
    ],
    [
      { Id: 7, input: "1 1 4 6", target: "24" },
      { id: "dots/train/7", question: "1 1 4 6", answer: "24" },
    ],
    [
      { qid: "s", question: "q", answer: false },
      { id: "dots/train/s", question: "q", answer: "false" },
    ],
  ])("finds question and answer of a task in %j", async (meta, record) => {
    expect((await loadRows("dots", [row(meta)])).records).toMatchObject([record]);
  });

  it("needs a question", async () => {
    const { malformed } = await loadRows("dots", [row({ answer: "2" })]);
    expect(malformed).toEqual(["line 1: meta_info: expected one of problem, Question, question, input"]);
  });
});
