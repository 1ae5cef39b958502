import { contractQuestion, problemGraph } from "thoughtbook/data";
import { contract } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";
import { parseWordProblem } from "../../../lib/dist/data/annotated/annotated-problem.js";

const problem = parseWordProblem(
  {
    question: "A shop sells pens. It has 4 boxes of 12 pens. It sells 9 pens at $3 each. How much would the rest cost?",
    answer:
      "How many pens? ** It has 4 * 12 = <<4*12=48>>48 pens.\nHow many left? ** It has 48 - 9 = <<48-9=39>>39 pens left.\n" +
      "Cost? ** They cost 39 * 3 = $<<39*3=117>>117.\n#### 117",
  },
  "made/0",
);

describe("contractQuestion", () => {
  it("states what was answered and leaves out what is no longer needed, step by step", () => {
    const first = contract(problemGraph(problem).graph)!;
    const once = contractQuestion(problem.question, first);
    expect(once).toBe("A shop sells pens. It sells 9 pens at $3 each. It has 48 pens. How much would the rest cost?");
    const second = contract(first.remaining)!;
    expect(contractQuestion(once, second)).toBe(
      "A shop sells pens. It sells 9 pens at $3 each. It has 39 pens left. How much would the rest cost?",
    );
  });

  it("ends what was answered with a full stop, where the step has none", () => {
    const answer = "It has 4 * 12 = <<4*12=48>>48 pens\nThey cost 48 * 3 = $<<48*3=144>>144\n#### 144";
    const { graph } = problemGraph(parseWordProblem({ question: problem.question, answer }, "made/1"));
    expect(contractQuestion(problem.question, contract(graph)!)).toMatch(/ It has 48 pens\. How much would/);
  });
});
