import { describe, expect, it } from "vitest";
import { loadRows } from "../../helpers.js";

describe("bbh", () => {
  it("takes the options out of the input where the target is a letter", async () => {
    const row = { input: "Which is red?\nOptions:\n(A) a rose\n(B) the sea", target: "(A)" };
    expect((await loadRows("bbh", [row], "snarks")).records).toEqual([
      {
        id: "bbh/snarks/0",
        kind: "choice",
        question: "Which is red?",
        choices: [
          { letter: "A", text: "a rose" },
          { letter: "B", text: "the sea" },
        ],
        answer: "A",
      },
    ]);
  });

  it.each([
    ["Does it end?\nOptions:\n- Yes\n- No", "No"],
    ["Find a film:\nOptions:\n(A) Ants\n(B) Inc", "Ants, Inc"],
    ["Sort: pear fig", "fig pear"],
    ["Close: [ (", ") ]"],
  ])("keeps %j as a text question", async (input, target) => {
    expect((await loadRows("bbh", [{ input, target }], "snarks")).records).toEqual([
      { id: "bbh/snarks/0", kind: "text", question: input, answer: target },
    ]);
  });

  it("refuses a letter that is no option", async () => {
    const rows = [
      { input: "q\nOptions:\n(A) a\n(B) b", target: "(C)" },
      { input: "q\nOptions:\n- a\n- b", target: "(A)" },
    ];
    expect((await loadRows("bbh", rows, "snarks")).malformed).toEqual([
      "line 1: answer: the answer is not the letter of an option",
      "line 2: input: expected lettered options, as the target is (A)",
    ]);
  });
});

describe("mmlu", () => {
  const row = { Question: "Which?", A: " one", B: " two", C: " three", D: " four", Answer: "C" };

  it("has four options", async () => {
    const { records } = await loadRows("mmlu", [row]);
    expect(records).toMatchObject([{ id: "mmlu/test/0", question: "Which?", answer: "C" }]);
    expect(records[0]!.choices.map(({ letter, text }) => letter + text)).toEqual(["Aone", "Btwo", "Cthree", "Dfour"]);
  });

  it("names what is missing", async () => {
    const { malformed } = await loadRows("mmlu", [row, { ...row, D: undefined }, { ...row, Answer: "E" }]);
    expect(malformed).toEqual([
      "line 2: D: Invalid input: expected string, received undefined",
      "line 3: answer: the answer is not the letter of an option",
    ]);
  });
});
