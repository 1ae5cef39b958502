import { formatExpression, formatRational } from "thoughtbook/answer";
import { problemGraph, type Reading } from "thoughtbook/data";
import { dependenciesOf } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";
import { parseWordProblem } from "../../../lib/dist/data/annotated/annotated-problem.js";

const graphOf = (question: string, answer: string, reading?: Reading) =>
  problemGraph(parseWordProblem({ question, answer }, "made/0"), reading);
const edges = (question: string, answer: string, reading?: Reading) =>
  dependenciesOf(graphOf(question, answer, reading).graph);

describe("problemGraph", () => {
  it("has an edge where a step uses the value of an earlier one", () => {
    const { graph, issues, answerNode, origins } = graphOf(
      "7 boxes hold 6 pens each, 9 pens are lost; the rest is shared by 11 children.",
      "7*6=<<7*6=42>>42\n42-9=<<42-9=33>>33\n33/11=<<33/11=3>>3\n#### 3",
    );
    expect(dependenciesOf(graph)).toEqual([[], [0], [1]]);
    expect(graph.nodes.map(({ expression }) => formatExpression(expression!))).toEqual([
      "7 × 6",
      "[1] − 9",
      "[2] ÷ 11",
    ]);
    expect({ issues, answerNode, origins }).toEqual({
      issues: [],
      answerNode: 2,
      origins: ["annotation", "annotation", "annotation"],
    });
  });

  it("gives each of several annotations in a line a node", () => {
    expect(edges("q", "<<7*6=42>> and <<42+1=43>>\n#### 43")).toEqual([[], [0]]);
  });

  describe("where a number can come from several places", () => {
    // 5 is given by the question and produced by the first step; the second step uses it, then the third.
    const question = "Ada has 5 bags of 20 nuts for 4 friends.";
    const answer = "<<20/4=5>>\n<<5*20=100>>\n<<100-5=95>>\n#### 95";
    const readings: [Reading, number[][]][] = [
      ["unused-first", [[], [0], [1]]],
      ["step-first", [[], [0], [0, 1]]],
      ["question-first", [[], [], [1]]],
    ];
    it.each(readings)("reads it by the rule %s", (reading, expected) => {
      expect(edges(question, answer, reading)).toEqual(expected);
    });

    it("counts it", () => {
      expect(graphOf(question, answer).ambiguous).toEqual([
        { node: 1, number: "5", kind: "also-given", readFrom: 0 },
        { node: 2, number: "5", kind: "also-given", readFrom: undefined },
      ]);
    });

    it("takes the latest of several steps that nothing has used", () => {
      const graph = graphOf("q", "<<6*2=12>>\n<<3*4=12>>\n<<12+1=13>>\n<<12+13=25>>\n#### 25");
      expect(dependenciesOf(graph.graph)).toEqual([[], [], [1], [0, 2]]);
      expect(graph.ambiguous.map(({ kind }) => kind)).toEqual(["several-steps", "several-steps"]);
    });
  });

  it.each([
    ["units between numbers", "The rest is 90 days – 30 days = 60 days", "90 − 30", "60"],
    ["a product with x", "15 classes x 20 students/class = 300 students", "15 × 20", "300"],
    ["percentages", "100% - 70% = 30%", "100% − 70%", "0.3"],
    ["implied products", "Becca:3(47)+12=153 cards", "3 × 47 + 12", "153"],
    ["spaces between thousands", "added is 17 000/5 = 3 400.", "17000 ÷ 5", "3400"],
    ["a negative result", "Drop 8 degrees = 2 - 8 = -6 degrees", "2 − 8", "-6"],
    ["words for operators", "because 83 plus 91 equals 174.", "83 + 91", "174"],
    ["mixed numbers", "needs 2 + 1 1/2 = 3 1/2 feet", "2 + 1 1/2", "3.5"],
    ["the last of several equations", "24/3 = 8. On Wednesday 2*8 = 16 feet", "2 × 8", "16"],
  ])("reads an equation in prose with %s", (_, line, expression, value) => {
    const { graph, origins } = graphOf("q", `${line}\n#### 1`);
    expect(origins).toEqual(["prose"]);
    expect(formatExpression(graph.nodes[0]!.expression!)).toBe(expression);
    expect(formatRational(graph.nodes[0]!.value!)).toBe(value);
  });

  it("takes no equation from prose that arithmetic does not confirm", () => {
    expect(graphOf("q", "so 30*3 = 91\n#### 1").origins).toEqual(["statement"]);
  });

  it("follows an unknown from step to step", () => {
    const { graph, origins, issues } = graphOf(
      "q",
      "Let x be the age.\nThen x+4x=30\n5x=30\nso x = 6 years old\n#### 6",
    );
    expect(dependenciesOf(graph)).toEqual([[], [0], [1], [2]]);
    expect(origins).toEqual(["algebra", "algebra", "algebra", "algebra"]);
    expect(issues).toEqual([]);
    expect(formatRational(graph.nodes[3]!.value!)).toBe("6");
  });

  it("is not valid without steps, without an answer, or if no step produces the answer", () => {
    expect(graphOf("q", "#### 4").issues).toEqual(["the solution has no step"]);
    expect(graphOf("q", "<<2+2=4>>").issues).toEqual(['no final answer: no "####" line']);
    expect(graphOf("q", "<<2+2=4>>\n#### 5").issues).toEqual(["no step produces the final answer"]);
  });

  it("takes 30 % for 30 as well as for 0.3", () => {
    expect(edges("q", "100% - 70% = 30%\n<<30*2=60>>\n#### 60")).toEqual([[], [0]]);
  });
});
