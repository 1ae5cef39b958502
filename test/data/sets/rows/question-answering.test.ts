import { describe, expect, it } from "vitest";
import { loadRows } from "../../helpers.js";

const context = [
  { title: "Mill", sentences: ["The mill stands in Aru.", " It is old."] },
  { title: "Aru", sentences: ["Aru is a village."] },
];
const supportingFacts = [
  { title: "Mill", sentence: 0 },
  { title: "Aru", sentence: 0 },
];

describe("hotpotqa", () => {
  const base = { question: "Where is the mill?", answer: "Aru", type: "bridge", level: "easy" };
  const columns = {
    ...base,
    id: "5a",
    context: { title: ["Mill", "Aru"], sentences: context.map(({ sentences }) => sentences) },
    supporting_facts: { title: ["Mill", "Aru"], sent_id: [0, 0] },
  };
  const pairs = {
    ...base,
    _id: "5a",
    context: context.map(({ title, sentences }) => [title, sentences]),
    supporting_facts: supportingFacts.map(({ title, sentence }) => [title, sentence]),
  };

  it("is the same record in the hub's layout and in that of its home", async () => {
    const record = { kind: "multi-hop", question: base.question, answers: ["Aru"], context, supportingFacts };
    expect(await loadRows("hotpotqa", [columns, pairs])).toEqual({
      records: [
        { id: "hotpotqa/validation/5a", ...record },
        { id: "hotpotqa/validation/5a", ...record },
      ],
      malformed: [],
    });
  });

  it("refuses titles without sentences", async () => {
    const torn = { ...columns, context: { ...columns.context, title: ["Mill"] } };
    expect((await loadRows("hotpotqa", [torn])).malformed).toEqual([
      "line 1: context: titles and sentences differ in number",
    ]);
  });
});

describe("longbench", () => {
  const row = {
    input: "Where is the mill?",
    context: "Passage 1:\nMill\nThe mill stands in Aru.\n\nPassage 2:\nAru\nAru is a village.",
    answers: ["Aru", "in Aru"],
    length: 14,
    dataset: "hotpotqa",
    language: "en",
    all_classes: null,
    _id: "f0",
  };

  it("has the passages as paragraphs, another text as one", async () => {
    const { records } = await loadRows("longbench", [row, { ...row, _id: "f1", context: "A report." }], "hotpotqa");
    expect(records).toEqual([
      {
        id: "longbench/hotpotqa/f0",
        kind: "multi-hop",
        question: row.input,
        answers: row.answers,
        context: [
          { title: "Passage 1", sentences: ["Mill\nThe mill stands in Aru."] },
          { title: "Passage 2", sentences: ["Aru\nAru is a village."] },
        ],
      },
      expect.objectContaining({ context: [{ title: "", sentences: ["A report."] }] }),
    ]);
  });

  it("needs an answer", async () => {
    const { malformed } = await loadRows("longbench", [{ ...row, answers: [] }], "hotpotqa");
    expect(malformed).toEqual(["line 1: answers: Too small: expected array to have >=1 items"]);
  });
});

describe("strategyqa", () => {
  it("answers yes or no, in rStar's layout and in the original one", async () => {
    const rows = [
      { id: 3, problem: "Can a whale sing?", solution: "true" },
      { qid: "x", question: "Can a stone sing?", answer: false, facts: [] },
      { id: 4, problem: "Can it?", solution: "maybe" },
    ];
    expect(await loadRows("strategyqa", rows)).toEqual({
      records: [
        { id: "strategyqa/test/3", kind: "text", question: "Can a whale sing?", answer: "yes" },
        { id: "strategyqa/test/x", kind: "text", question: "Can a stone sing?", answer: "no" },
      ],
      malformed: ['line 3: solution: Invalid option: expected one of "true"|"false"'],
    });
  });
});
