import { createContext, runInContext } from "node:vm";
import { grade, type Policy } from "thoughtbook/answer";
import {
  contractions,
  contractProblem,
  problemGraph,
  problemProgram,
  problemSteps,
  questionGraph,
  shortChain,
} from "thoughtbook/data";
import { computeValues, contract, dependenciesOf, graphProblems, type QuestionGraph } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";
import { checkAnnotation, parseWordProblem } from "../../../lib/dist/data/annotated/annotated-problem.js";
import { varied } from "./helpers.js";

const sample = varied(500);
/** The sub-questions in alphabetical order, with those they depend on: the order of the steps may change. */
const byQuestion = ({ nodes }: QuestionGraph) =>
  nodes
    .map(({ question, answer, dependsOn }) => [question, answer, dependsOn.map((at) => nodes[at]!.question).sort()])
    .sort(([a], [b]) => String(a).localeCompare(String(b)));

const STRICT: Policy = "strict";

describe("the renderings of a problem", () => {
  it("give short chains that the strict grader accepts, and no other answer", () => {
    for (const problem of sample) {
      const reference = String(problem.answer);
      for (const arithmetic of ["annotated", "plain"] as const) {
        const completion = shortChain(problem, arithmetic);
        expect(grade({ completion, reference, policy: STRICT })).toMatchObject({ correct: true, extracted: reference });
        const wrong = String(problem.answer + 1);
        expect(grade({ completion, reference: wrong, policy: STRICT }).correct).toBe(false);
      }
    }
  });

  it("are read by what reads GSM8K: exact annotations, the same graph", () => {
    for (const problem of sample) {
      const { question } = problem;
      const parsed = parseWordProblem({ question, answer: shortChain(problem) }, problem.id);
      const annotations = parsed.steps.flatMap((step) => step.annotations);
      expect(annotations.length).toBe(problem.difficulty.operations);
      for (const annotation of annotations) expect(checkAnnotation(annotation).status).toBe("equal");
      expect(problemGraph(parsed).answerNode).toBe(problem.difficulty.operations - 1);
    }
  });

  it("order the steps by the text: inputs first, and among what can be computed what is mentioned first", () => {
    for (const problem of sample) {
      const { quantities, facts, asked } = problem;
      const known = new Set(quantities.flatMap(({ relation }, index) => (relation ? [] : [index])));
      const mentioned = [...facts, asked];
      for (const { quantity } of problemSteps(problem)) {
        const ready = mentioned.find(
          (index) =>
            quantities[index]!.needed &&
            !known.has(index) &&
            quantities[index]!.relation!.inputs.every((input) => known.has(input)),
        );
        expect(quantity).toBe(ready);
        known.add(quantity);
      }
      expect(known.has(asked)).toBe(true);
    }
  });

  it("give question graphs in topological order whose expressions compute their values", () => {
    for (const problem of sample) {
      const graph = questionGraph(problem);
      expect(graphProblems(dependenciesOf(graph))).toEqual([]);
      const values = computeValues({ nodes: graph.nodes.map(({ value: _, ...node }) => node) });
      expect(values.map((value) => value?.valueOf())).toEqual(graph.nodes.map(({ value }) => value?.valueOf()));
      expect(values.at(-1)?.valueOf()).toBe(problem.answer);
      expect(problem.question.endsWith(graph.nodes.at(-1)!.question)).toBe(true);
    }
  });

  it("contract as lib/graph does, layer by layer, to questions with the same answer", () => {
    for (const problem of sample) {
      let graph = contract(questionGraph(problem))?.remaining;
      for (const contracted of contractions(problem)) {
        expect(contracted.answer).toBe(problem.answer);
        expect(
          grade({ completion: shortChain(contracted), reference: String(problem.answer), policy: STRICT }).correct,
        ).toBe(true);
        const remaining = questionGraph(contracted);
        expect(byQuestion(remaining)).toEqual(byQuestion(graph!));
        expect(computeValues(remaining).map(Number)).toEqual(remaining.nodes.map(({ value }) => Number(value)));
        expect(contracted.question).not.toMatch(/undefined|NaN/);
        graph = contract(graph!)?.remaining;
      }
      expect(graph).toBeUndefined();
      expect(contractions(problem).length).toBe(problem.difficulty.depth);
      expect(contractProblem(problem, 2)?.question).toBe(contractions(problem)[1]?.question);
    }
  });

  it("give programs that return the answer", () => {
    const context = createContext();
    for (const problem of sample) {
      const program = problemProgram(problem);
      expect(runInContext(`(() => {${program}})()`, context), program).toBe(problem.answer);
      expect(program.split("\n").length).toBeLessThanOrEqual(problem.quantities.length);
    }
  });
});
