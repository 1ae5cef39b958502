import { z } from "zod";
import { badInput } from "../core/index.js";
import { type Estimate, type EvaluationRecord, proportion } from "../eval/index.js";
import { graphProblems, longestPath } from "../graph/index.js";
import type { AtomTrace, SolutionSource, StopReason, Transition } from "./record.js";

const source = z.enum(["question", "graph", "contracted"]);
const nodeSchema = z.object({ question: z.string(), dependsOn: z.array(z.int()), answer: z.string().optional() });
const transitionSchema = z.object({
  question: z.string(),
  graph: z
    .array(nodeSchema)
    .refine((graph) => graphProblems(graph.map(({ dependsOn }) => dependsOn)).length === 0, "not a valid graph")
    .optional(),
  contracted: z.string().optional(),
  answers: z.partialRecord(source, z.string()),
  chosen: source,
  chosenBy: z.enum(["only", "agreement", "judge", "majority", "verifier", "fallback"]),
});
const failureSchema = z.object({
  step: z.enum(["solve", "decompose", "label", "sub-question", "contract", "judge"]),
  transition: z.int().nonnegative(),
  failure: z.enum(["unparseable", "cut-off", "too-long"]),
  reason: z.string(),
});
const costSchema = z.object({ calls: z.int(), promptTokens: z.int(), completionTokens: z.int() });
const chainSchema = z.object({
  transitions: z.array(transitionSchema),
  stopped: z.enum(["atomic", "no-graph", "no-contraction", "agreement", "judge", "depth"]),
  failures: z.array(failureSchema),
  costs: z.array(costSchema),
});
const traceSchema = z.union([
  chainSchema.extend({ mode: z.string() }),
  z.object({ mode: z.string(), chains: z.array(chainSchema) }),
]);

/**
 * The chains of Atom of Thoughts that a record's or attempt's trace holds: one, or those of best-of-k.
 *
 * @returns no chains for the trace of another strategy, or for none
 *
 * @example
 * ```ts
 * import { aot, atomChains } from "thoughtbook/aot";
 * import { evaluate } from "thoughtbook/eval";
 * import { loadModel } from "thoughtbook/llm";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const { records } = await evaluate(aot(), await loadTask("word-problems:3", { limit: 2 }), { model });
 * console.log(records.map(({ trace }) => atomChains(trace)[0]?.stopped));
 * ```
 */
export function atomChains(trace: unknown): AtomTrace[] {
  const read = traceSchema.safeParse(trace);
  if (!read.success) return [];
  const { mode } = read.data;
  const chains = "chains" in read.data ? read.data.chains : [read.data];
  return chains.map((chain) => ({ ...chain, mode }) as AtomTrace);
}

/** What chains of Atom of Thoughts did, counted. */
export interface AtomSummary {
  chains: number;
  /** Entry k: chains with k transitions. */
  transitions: number[];
  /** Entry k: chains whose first graph is k deep, in edges; those without a graph are not among them. */
  depths: number[];
  /** Chains by why they stopped. */
  stopped: Partial<Record<StopReason, number>>;
  /** Transitions by whose answer went on, and by who chose it. */
  chosen: Partial<Record<SolutionSource, number>>;
  chosenBy: Partial<Record<Transition["chosenBy"], number>>;
  /** Failed steps by name and kind of failure, as in "decompose: cut-off". */
  failures: Record<string, number>;
  /** Chains in which a step failed, so that they went on with a fallback. */
  withFailures: number;
}

/**
 * Summarise the chains in the records of an evaluation: transitions, depths, who won, what failed.
 *
 * @throws bad-input if no record holds a chain
 */
export function summarizeAtoms(records: readonly Pick<EvaluationRecord, "trace">[]): AtomSummary {
  const chains = records.flatMap(({ trace }) => atomChains(trace));
  if (chains.length === 0)
    throw badInput("no record holds a chain of Atom of Thoughts", "Give those of an aot strategy.");
  const transitions = chains.flatMap((chain) => chain.transitions);
  const failures = chains.flatMap((chain) => chain.failures);
  return {
    chains: chains.length,
    transitions: histogram(chains.map((chain) => chain.transitions.length)),
    depths: histogram(chains.flatMap((chain) => depthOf(chain) ?? [])),
    stopped: counted(chains.map(({ stopped }) => stopped)),
    chosen: counted(transitions.map(({ chosen }) => chosen)),
    chosenBy: counted(transitions.map(({ chosenBy }) => chosenBy)),
    failures: counted(failures.map(({ step, failure }) => `${step}: ${failure}`)),
    withFailures: chains.filter((chain) => chain.failures.length > 0).length,
  };
}

/** The depth of the first graph of a chain in edges; undefined where there is none. An atomic question has none in the trace. */
function depthOf({ transitions, stopped }: AtomTrace): number | undefined {
  const graph = transitions[0]?.graph;
  if (graph) return longestPath(graph.map(({ dependsOn }) => dependsOn));
  return stopped === "atomic" ? 0 : undefined;
}

function histogram(values: readonly number[]): number[] {
  const counts = Array.from({ length: Math.max(-1, ...values) + 1 }, () => 0);
  for (const value of values) counts[value]!++;
  return counts;
}

function counted<T extends string>(values: readonly T[]): Record<T, number> {
  const counts = {} as Record<T, number>;
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** The depth of the graph of each question, by the problem's id: as the data know it, else as the model decomposed it. */
export function questionDepths(records: readonly EvaluationRecord[]): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { problem, depth, trace } of records) {
    const known = depth ?? atomChains(trace).flatMap((chain) => depthOf(chain) ?? [])[0];
    if (known !== undefined && !depths.has(problem)) depths.set(problem, known);
  }
  return depths;
}

export interface DepthAccuracy {
  /** Edges on the longest path of the question's graph. */
  depth: number;
  /** Share of right answers under the strict policy, from 0 to 1, with Wilson's interval. */
  accuracy: Estimate;
}

/**
 * Accuracy by the depth of the question's graph, of records of any strategy.
 *
 * @param depths of each problem. Default: as {@link questionDepths} finds them in the same records; give those of an aot
 * strategy's records where a data set does not know them. Problems without one are left out
 */
export function accuracyByDepth(
  records: readonly EvaluationRecord[],
  depths: ReadonlyMap<string, number> = questionDepths(records),
): DepthAccuracy[] {
  const byDepth = new Map<number, EvaluationRecord[]>();
  for (const record of records) {
    const depth = depths.get(record.problem);
    if (depth !== undefined) byDepth.set(depth, [...(byDepth.get(depth) ?? []), record]);
  }
  return [...byDepth]
    .sort(([a], [b]) => a - b)
    .map(([depth, own]) => ({
      depth,
      accuracy: proportion(own.filter(({ correct }) => correct.strict).length, own.length),
    }));
}
