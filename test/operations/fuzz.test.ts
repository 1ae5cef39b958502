import { createRandom, type Random } from "thoughtbook/core";
import { generateFunctionProblem } from "thoughtbook/data";
import { functionExample, type OperationExample, operationExamples } from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { parseAs, problems, randomFor } from "./helpers.js";

const examples = (count: number): OperationExample[] => [
  ...problems(count).flatMap((problem) => operationExamples(problem, randomFor(problem))),
  ...Array.from({ length: count }, (_, index) =>
    functionExample(generateFunctionProblem({ seed: 4, index, steps: [1, 3] })),
  ),
];

const PIECES = [
  ..."{}[]()\"'`<>#*_-:;,.!?\n\n  0123456789abc\\$",
  "```", "```json\n", "</think>", "<think>", "####", "Best:", "wrong at step ", "Actions: ", "\\boxed{", "answer is ",
  "1. ", "2) ", "Step 3: ", '{"questions": [', '"depends_on": [1]', "function f(", "return ", "=> ", "console.log(",
  "<question>", "</question>", "Question:", "\u0000", "\ud800", "é", "𝟙", "undefined", "1e999",
]; // biome-ignore format: a table

/** The text with a few pieces put in, taken out, doubled or exchanged. */
function mutated(random: Random, text: string): string {
  let changed = text;
  for (let count = 1 + random.integer(6); count > 0; count--) {
    const at = random.integer(changed.length + 1);
    const to = at + random.integer(20);
    const piece = random.choice([random.choice(PIECES), "", changed.slice(at, to), changed.slice(0, at)]);
    changed = changed.slice(0, at) + piece + changed.slice(random.uniform() < 0.5 ? at : to);
  }
  return changed;
}

describe("parsers", () => {
  it("never throw, whatever a model writes", () => {
    const random = createRandom("fuzz");
    let [read, failed] = [0, 0];
    for (const example of examples(250)) {
      for (let count = 0; count < 4; count++) {
        const noise = Array.from({ length: 40 }, () => random.choice(PIECES)).join("");
        const text = count === 3 ? noise : mutated(random, example.completion);
        const result = parseAs(example, text, random.uniform() < 0.7);
        if (result.ok) read++;
        else failed++;
        if (!result.ok) expect(result.reason).not.toBe("");
      }
    }
    expect(read).toBeGreaterThan(1000);
    expect(failed).toBeGreaterThan(1000);
  });

  it("take a time that grows with the text and no faster", () => {
    const repeated = (piece: string) => piece.repeat(Math.ceil(300_000 / piece.length));
    const texts = [
      ...PIECES.map(repeated),
      ...[
        "{[",
        '{"a":',
        "[1,",
        "1. x [1]\n",
        "- x\n",
        "*_",
        " \n",
        "Best Best: ",
        "best answer is number ",
        "a = (",
        "(a) => ",
      ].map(repeated),
      ...[
        "wrong at step 1: ",
        "right\n",
        "Question: ",
        "depends on 1, ",
        "const a = ",
        "function f(){}\n",
        "return 1;\n",
      ].map(repeated),
      ...[
        "best is answer number is answer ",
        "### ** __ ",
        "sure here is:\n",
        "```\n```js\n",
        "export ",
        "console.log(1)\n",
      ].map(repeated),
    ];
    const slow: string[] = [];
    for (const example of examples(1)) {
      for (const text of texts) {
        const begin = performance.now();
        parseAs(example, text);
        const time = performance.now() - begin;
        if (time > 1000) slow.push(`${example.operation} ${JSON.stringify(text.slice(0, 20))} ${Math.round(time)} ms`);
      }
    }
    expect(slow).toEqual([]);
  }, 120_000);

  it("do not read texts beyond all measure", () => {
    for (const example of examples(1)) {
      expect(parseAs(example, `${" ".repeat(600_000)}${example.completion}`)).toMatchObject({ ok: false });
    }
  });
});
