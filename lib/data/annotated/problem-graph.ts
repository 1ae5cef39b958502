import {
  type Expression,
  evaluate,
  mapExpression,
  parseArithmetic,
  parseNumber,
  type Rational,
} from "../../answer/index.js";
import { dependenciesOf, graphProblems, type QuestionGraph, type SubQuestion } from "../../graph/index.js";
import type { Step, WordProblem } from "./annotated-problem.js";
import { givenNumbers, includesNumber } from "./given-numbers.js";
import { findProseEquation, onlyNumber, solvedUnknown, unknownsIn } from "./prose-equation.js";

/**
 * Rule for a number that several earlier steps produced, or that a step produced and the question gives as well.
 * - "unused-first": from the latest of these steps whose value no step has used yet (the steps of a solution are there
 *   to be used), else from the question, else from the latest of them;
 * - "step-first": from the latest step;
 * - "question-first": from the question if it gives the number, else from the latest step.
 */
export type Reading = "unused-first" | "step-first" | "question-first";

/** Origin of a node's value: an annotation, an equation in the prose, algebra with an unknown, a bare statement. */
export type NodeOrigin = "annotation" | "prose" | "algebra" | "statement";

export interface AmbiguousNumber {
  node: number;
  number: string;
  kind: "several-steps" | "also-given";
  /** The step it was read from; undefined for the question. */
  readFrom: number | undefined;
}

export interface ProblemGraph {
  id: string;
  graph: QuestionGraph;
  origins: NodeOrigin[];
  ambiguous: AmbiguousNumber[];
  /** The node that gives the final answer. */
  answerNode: number | undefined;
  /** Reasons why this is not a valid graph of the problem; empty if it is. */
  issues: string[];
}

interface Equation {
  origin: NodeOrigin;
  step: Step;
  expression?: Expression;
  value?: Rational;
}

/**
 * Build the question graph behind a solution: one node for each equation or line; an edge where a step uses a value
 * that an earlier step produced, or continues with the unknown of an earlier step. Valid if it has nodes, every edge
 * points to an earlier node, and one of the nodes produces the final answer.
 */
export function problemGraph(problem: WordProblem, reading: Reading = "unused-first"): ProblemGraph {
  const equations = solutionEquations(problem);
  const given = givenNumbers(problem.question);
  const nodes: SubQuestion[] = [];
  const ambiguous: AmbiguousNumber[] = [];
  const used = new Set<number>();

  for (const [node, { step, expression, value }] of equations.entries()) {
    const dependsOn = new Set<number>();
    const resolved =
      expression &&
      mapExpression(expression, (part) => {
        if (part.kind !== "number") return undefined;
        const producers = nodes.flatMap(({ value }, index) => (value && sameNumber(value, part.value) ? [index] : []));
        const isGiven = includesNumber(given, part.value);
        const index = readNumber(producers, isGiven, used, reading);
        if (producers.length > 1 || (producers.length === 1 && isGiven)) {
          const kind = isGiven ? "also-given" : "several-steps";
          ambiguous.push({ node, number: part.text, kind, readFrom: index });
        }
        if (index === undefined) return part;
        used.add(index);
        dependsOn.add(index);
        return { kind: "reference", index };
      });
    const continued = continuedStep(equations, node);
    if (continued !== undefined) dependsOn.add(continued);
    nodes.push({
      question: step.question ?? step.text,
      answer: step.text,
      dependsOn: [...dependsOn].sort((a, b) => a - b),
      ...(resolved ? { expression: resolved } : {}),
      ...(value ? { value } : {}),
    });
  }

  const graph = { nodes };
  const { answer } = problem;
  const answerNode = answer.ok
    ? nodes.findLastIndex(({ value }) => value !== undefined && sameNumber(value, answer.value))
    : -1;
  const issues = graphProblems(dependenciesOf(graph)).map(({ message }) => message);
  if (nodes.length === 0) issues.push("the solution has no step");
  else if (!answer.ok) issues.push(`no final answer: ${answer.reason}`);
  else if (answerNode < 0) issues.push("no step produces the final answer");
  const origins = equations.map(({ origin }) => origin);
  return { id: problem.id, graph, origins, ambiguous, answerNode: answerNode < 0 ? undefined : answerNode, issues };
}

function solutionEquations({ steps, answer }: WordProblem): Equation[] {
  const equations = steps.flatMap(stepEquations);
  const last = equations.at(-1);
  // A last line without an equation of its own that states the final answer is the step that gives it.
  if (last && !last.expression && answer.ok && includesNumber(givenNumbers(last.step.text), answer.value)) {
    equations[equations.length - 1] = { ...last, value: answer.value };
  }
  return equations;
}

function stepEquations(step: Step): Equation[] {
  if (step.annotations.length > 0) {
    return step.annotations.map(({ expression, stated }) => {
      const parsed = parseArithmetic(expression);
      const statedValue = parseNumber(stated);
      const value = statedValue.ok || !parsed.ok ? statedValue : evaluate(parsed.value);
      return {
        origin: "annotation",
        step,
        ...(parsed.ok ? { expression: parsed.value } : {}),
        ...(value.ok ? { value: value.value } : {}),
      };
    });
  }
  const prose = findProseEquation(step.text);
  if (prose) return [{ origin: "prose", step, ...prose }];
  const unknown = unknownsIn(step.text).size > 0;
  const value = unknown ? solvedUnknown(step.text) : onlyNumber(step.text);
  return [{ origin: unknown ? "algebra" : "statement", step, ...(value ? { value } : {}) }];
}

/** The latest earlier step that has an unknown in common with this one. */
function continuedStep(equations: readonly Equation[], node: number): number | undefined {
  const unknowns = unknownsIn(equations[node]!.step.text);
  if (unknowns.size === 0) return undefined;
  for (let index = node - 1; index >= 0; index--) {
    for (const unknown of unknownsIn(equations[index]!.step.text)) if (unknowns.has(unknown)) return index;
  }
  return undefined;
}

function readNumber(
  producers: readonly number[],
  isGiven: boolean,
  used: ReadonlySet<number>,
  reading: Reading,
): number | undefined {
  const latest = producers.at(-1);
  switch (reading) {
    case "step-first":
      return latest;
    case "question-first":
      return isGiven ? undefined : latest;
    case "unused-first":
      return producers.findLast((index) => !used.has(index)) ?? (isGiven ? undefined : latest);
  }
}

/** Equal, or the same number once as a percentage: a step that finds 30% gives 30 and 0.3. */
const sameNumber = (a: Rational, b: Rational): boolean =>
  a.equals(b) || (a.mul(100).equals(b) && a.abs().compare(1) <= 0);
