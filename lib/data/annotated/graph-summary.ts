import { formatRational } from "../../answer/index.js";
import { dependenciesOf, type GraphStatistics, graphStatistics } from "../../graph/index.js";
import { checkAnnotation, type WordProblem } from "./annotated-problem.js";
import type { ProblemGraph } from "./problem-graph.js";

/** Statistics of a problem: a row of a data frame. */
export type GraphRow = { id: string } & GraphStatistics;

export interface GraphSummary {
  /** The valid graphs, one row each. */
  rows: GraphRow[];
  /** The problems without a valid graph, and why. */
  invalid: { id: string; issue: string }[];
  /** Number of nodes that come from an annotation, an equation in prose, algebra, or a statement. */
  origins: Record<ProblemGraph["origins"][number], number>;
  /** Numbers that could be read from several places, and in how many problems that occurs. */
  ambiguousNumbers: number;
  ambiguousProblems: number;
}

/** Summarise many question graphs; graphs that are not valid are counted separately. */
export function summariseGraphs(graphs: readonly ProblemGraph[]): GraphSummary {
  const valid = graphs.filter(({ issues }) => issues.length === 0);
  const origins = { annotation: 0, prose: 0, algebra: 0, statement: 0 };
  for (const origin of valid.flatMap((graph) => graph.origins)) origins[origin]++;
  return {
    rows: valid.map(({ id, graph }) => ({ id, ...graphStatistics(dependenciesOf(graph)) })),
    invalid: graphs.flatMap(({ id, issues }) => (issues.length === 0 ? [] : [{ id, issue: issues[0]! }])),
    origins,
    ambiguousNumbers: valid.reduce((sum, { ambiguous }) => sum + ambiguous.length, 0),
    ambiguousProblems: valid.filter(({ ambiguous }) => ambiguous.length > 0).length,
  };
}

export interface AnnotationAudit {
  annotations: number;
  /** Number of annotations that agree with exact arithmetic to the last digit. */
  equal: number;
  /** The others by problem: rounded, truncated, different, or not evaluated and why. */
  others: { id: string; status: string; reason: string }[];
}

/** Evaluate every annotation exactly and list those with another stated result. Rows are named by id only. */
export function auditAnnotations(problems: readonly WordProblem[]): AnnotationAudit {
  const checked = problems.flatMap(({ id, steps }) =>
    steps.flatMap(({ annotations }) => annotations.map((annotation) => ({ id, verdict: checkAnnotation(annotation) }))),
  );
  const others = checked.flatMap(({ id, verdict }) => {
    if (verdict.status === "equal") return [];
    const reason = verdict.status === "unparseable" ? verdict.reason : `exactly ${formatRational(verdict.value)}`;
    return [{ id, status: verdict.status, reason }];
  });
  return { annotations: checked.length, equal: checked.length - others.length, others };
}

/** Count how often each whole number from 0 to the largest occurs. */
export function countValues(values: readonly number[]): number[] {
  const counts = Array.from({ length: Math.max(-1, ...values) + 1 }, () => 0);
  for (const value of values) counts[value]!++;
  return counts;
}
