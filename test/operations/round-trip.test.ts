import { functionProblems } from "thoughtbook/data";
import { functionExample, type OperationExample, operationExamples } from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { PROBLEM_OPERATIONS } from "../../lib/dist/operations/examples.js";
import { parseAs, problems, randomFor } from "./helpers.js";

describe("what a trained model should write", () => {
  const examples: OperationExample[] = [
    ...problems(2000).flatMap((problem) => operationExamples(problem, randomFor(problem))),
    ...[...functionProblems({ seed: 8, steps: [1, 3] }, 500)].map(functionExample),
  ];

  it("is read as what it says, for thousands of problems", () => {
    expect(new Set(examples.map(({ operation }) => operation)).size).toBe(PROBLEM_OPERATIONS.length + 1);
    expect(examples.length).toBeGreaterThan(20_000);
    for (const example of examples) {
      expect(parseAs(example, example.completion), example.operation).toEqual({ ok: true, value: example.output });
    }
  });

  it("is read the same in a fence or after a thought, where models put it", () => {
    for (const example of examples.slice(0, 1000)) {
      if (example.operation === "think") continue;
      const after = parseAs(
        example,
        `<think>\nLet me see: 1. [2] {"a": 3} #### 4\n</think>\n\n${example.completion}\n`,
      );
      expect(after, example.operation).toEqual({ ok: true, value: example.output });
    }
    for (const example of examples) {
      if (example.operation !== "code" && example.operation !== "program") continue;
      const fenced = parseAs(example, `Here it is:\n\n\`\`\`js\n${example.completion}\n\`\`\`\nIt works.`);
      expect(fenced).toEqual({ ok: true, value: example.output });
    }
  });

  it("counts for nothing where the budget cut it off", () => {
    for (const example of examples.slice(0, 5000)) {
      const cut = example.completion.slice(0, Math.floor(example.completion.length * 0.6));
      const result = parseAs(example, cut, false);
      if (example.operation === "think") expect(result).toMatchObject({ ok: true, value: { kind: "cut-off" } });
      else expect(result, `${example.operation}: ${cut}`).toMatchObject({ ok: false });
    }
  });
});
