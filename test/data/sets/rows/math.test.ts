import { describe, expect, it } from "vitest";
import { loadRows } from "../../helpers.js";

describe("the mathematics sets", () => {
  it("gsm8k: the answer follows the last ####", async () => {
    const rows = [
      { question: "2 + 3?", answer: "2 + 3 = <<2+3=5>>5\n#### 1,005 " },
      { question: "q", answer: "5" },
    ];
    expect(await loadRows("gsm8k", rows)).toEqual({
      records: [
        { id: "gsm8k/test/0", kind: "math", question: "2 + 3?", solution: "2 + 3 = <<2+3=5>>5", answer: "1,005" },
      ],
      malformed: ["line 2: answer: there is no ####"],
    });
  });

  it("math500: its own id, answer, subject and level", async () => {
    const row = {
      problem: "p",
      solution: "s",
      answer: "\\pi",
      subject: "Algebra",
      level: 2,
      unique_id: "test/a/1.json",
    };
    expect((await loadRows("math500", [row])).records).toEqual([
      {
        id: "math500/test/test/a/1.json",
        kind: "math",
        question: "p",
        solution: "s",
        answer: "\\pi",
        subject: "Algebra",
        level: 2,
      },
    ]);
  });

  it.each([
    ["so $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}"],
    ["first \\boxed{1}, then \\boxed{2}", "2"],
    ["\\boxed{\\left\\{1,2\\right\\}}", "\\left\\{1,2\\right\\}"],
    ["\\fbox{x = \\text{a} {b}}", "x = \\text{a} {b}"],
    ["the whole \\boxed{7} and the torn \\boxed{8", "7"],
    ["old style $\\boxed 9$.", "9"],
    ["old style \\boxed 3.5.", "3.5"],
  ])("math: the answer in %j is %j", async (solution, answer) => {
    const { records } = await loadRows("math", [{ problem: "p", level: "Level 5", type: "Geometry", solution }]);
    expect(records).toMatchObject([{ answer, level: 5, subject: "Geometry", solution }]);
  });

  it("math: a level that is not known is left out, a solution without a box is malformed", async () => {
    const rows = [
      { problem: "p", level: "Level ?", type: "Geometry", solution: "\\boxed{1}" },
      { problem: "p", level: "Level 1", type: "Geometry", solution: "1" },
    ];
    const { records, malformed } = await loadRows("math", rows);
    expect(records[0]).not.toHaveProperty("level");
    expect(malformed).toEqual(["line 2: solution: there is no \\boxed{} with balanced braces"]);
  });

  it("amc23: the rows of 2023, with contest and number as id; whole numbers lose their .0", async () => {
    const url = (contest: string) => `https://artofproblemsolving.com/wiki/index.php/${contest}_Problems/Problem_3`;
    const rows = [
      { id: 0, problem: "old", answer: 1, url: url("2022_AMC_12A") },
      { id: 1, problem: "new", answer: 27.0, url: url("2023_AMC_12B") },
    ];
    expect(await loadRows("amc23", rows)).toEqual({
      records: [{ id: "amc23/test/2023_AMC_12B/3", kind: "math", question: "new", answer: "27" }],
      malformed: [],
    });
  });

  it("olympiadbench: the context comes before the question; several references are kept", async () => {
    const row = {
      id: 7,
      subfield: "Algebra",
      context: "Let $n$ be even.",
      question: "Find $n$.",
      solution: ["a", "b"],
    };
    const { records } = await loadRows("olympiadbench", [
      { ...row, final_answer: ["$2$"] },
      { ...row, id: 8, context: null, solution: null, final_answer: ["1", "-2"] },
    ]);
    expect(records).toMatchObject([
      { id: "olympiadbench/test/7", question: "Let $n$ be even.\n\nFind $n$.", answer: "$2$", solution: "a" },
      { id: "olympiadbench/test/8", question: "Find $n$.", answer: "1", answers: ["1", "-2"] },
    ]);
  });

  it("svamp: body and question are two sentences", async () => {
    const row = { ID: "chal-1", Question: "How many?", Equation: "( 3.0 - 1.0 )", Answer: 2.0, Type: "Subtraction" };
    const { records } = await loadRows("svamp", [
      { ...row, Body: "Ann had 3 pears and ate 1 " },
      { ...row, ID: "chal-2", Body: "Ann had 3 pears. She ate 1." },
    ]);
    expect(records).toMatchObject([
      { id: "svamp/test/chal-1", question: "Ann had 3 pears and ate 1. How many?", answer: "2" },
      { id: "svamp/test/chal-2", question: "Ann had 3 pears. She ate 1. How many?" },
    ]);
  });

  it("those of PAL: numbers without the rounding of floating point", async () => {
    const rows = [
      { input: " Ann has 3 pears. How many? ", target: 3.0 },
      { input: "b", target: 3244047.0999999996, code: "def solution(): ..." },
      { input: "c", target: 1e300 },
      { input: "d", target: "4" },
    ];
    const { records, malformed } = await loadRows("gsm-hard", rows);
    expect(records).toMatchObject([
      { id: "gsm-hard/test/0", question: "Ann has 3 pears. How many?", answer: "3" },
      { id: "gsm-hard/test/1", answer: "3244047.1" },
    ]);
    expect(malformed).toEqual([
      expect.stringMatching(/^line 3: target: .*too large/),
      expect.stringMatching(/^line 4: target: /),
    ]);
  });

  it("theoremqa: answers of every type as text; questions with a picture are marked", async () => {
    const rows = [
      { Question: "a", Answer: "[1, 2]", Answer_type: "list of integer", Picture: null },
      { Question: "b", Answer: [1, 2.5], Answer_type: "list of float", Picture: "NONE" },
      { Question: "c", Answer: true, Answer_type: "bool", Picture: "images/1.jpg" },
      { Question: "d", Answer: {}, Answer_type: "bool", Picture: null },
    ];
    const { records, malformed } = await loadRows("theoremqa", rows);
    expect(records.map(({ answer, needsPicture }) => [answer, needsPicture])).toEqual([
      ["[1, 2]", undefined],
      ["[1, 2.5]", undefined],
      ["True", true],
    ]);
    expect(malformed).toEqual(["line 4: Answer: Invalid input"]);
  });
});
