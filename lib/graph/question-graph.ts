import { type Expression, evaluate, formatRational, mapExpression, type Rational } from "../answer/index.js";
import { type Dependencies, sources } from "./dependencies.js";

/** A sub-question with its answer. */
export interface SubQuestion {
  question: string;
  /** The answer in words. */
  answer: string;
  /** How the value is computed, from numbers of the question and references to values of other sub-questions. */
  expression?: Expression;
  value?: Rational;
  /** The 0-based indices of the sub-questions whose values this one uses. */
  dependsOn: readonly number[];
}

export interface QuestionGraph {
  nodes: readonly SubQuestion[];
}

export const dependenciesOf = (graph: QuestionGraph): Dependencies => graph.nodes.map((node) => node.dependsOn);

export interface Contraction {
  /** The sub-questions answered in this step, with their index in the graph before it. */
  known: { index: number; node: SubQuestion }[];
  /** The remaining sub-questions, with known values substituted for references. */
  remaining: QuestionGraph;
  /** For each remaining node its index in the graph before the contraction. */
  origin: number[];
}

/**
 * One step of AoT's contraction, symbolically: answer the sources, substitute their values, renumber what remains.
 * The longest path becomes shorter by exactly one edge, and the value of every remaining node stays the same.
 * @returns undefined if nothing would remain, that is if no sub-question depends on another.
 * @throws RangeError if the graph is not valid.
 */
export function contract(graph: QuestionGraph): Contraction | undefined {
  const answered = new Set(sources(dependenciesOf(graph)));
  const origin = graph.nodes.flatMap((_, index) => (answered.has(index) ? [] : [index]));
  if (origin.length === 0) return undefined;
  const position = new Map(origin.map((index, at) => [index, at]));

  const substitute = (part: Expression): Expression | undefined => {
    if (part.kind !== "reference") return undefined;
    const at = position.get(part.index);
    if (at !== undefined) return { kind: "reference", index: at };
    const value = graph.nodes[part.index]?.value;
    return value ? { kind: "number", value, text: formatRational(value) } : part;
  };
  const nodes = origin.map((index) => {
    const node = graph.nodes[index]!;
    const dependsOn = node.dependsOn.flatMap((needed) => position.get(needed) ?? []);
    return {
      ...node,
      dependsOn,
      ...(node.expression ? { expression: mapExpression(node.expression, substitute) } : {}),
    };
  });
  return { known: [...answered].map((index) => ({ index, node: graph.nodes[index]! })), remaining: { nodes }, origin };
}

/** Compute the values of all nodes in order from their expressions; undefined where one cannot be computed. */
export function computeValues(graph: QuestionGraph): (Rational | undefined)[] {
  const values: (Rational | undefined)[] = [];
  for (const { expression, value } of graph.nodes) {
    const computed = expression ? evaluate(expression, (index) => values[index]) : undefined;
    values.push(computed?.ok ? computed.value : expression ? undefined : value);
  }
  return values;
}
