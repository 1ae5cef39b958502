import { type Dependencies, longestPath } from "../graph/index.js";
import type { KnownAnswer } from "../strategies/index.js";
import { type Candidates, type Chooser, choose } from "./choose.js";
import type {
  AnsweredQuestion,
  AtomTrace,
  SolutionSource,
  StepCost,
  StepFailure,
  StopReason,
  Transition,
} from "./record.js";
import { answerGraph, contract, decompose, type Solved, type Steps, type StepsOfChain, solve } from "./steps.js";

/** Parts of Atom of Thoughts that can be left out, as ablations. */
export const ATOM_PARTS = ["graph", "dependent", "contraction", "judge"] as const;
export type AtomPart = (typeof ATOM_PARTS)[number];

export interface ChainOptions {
  /** Maximum number of transitions; the depth of the question's graph is another bound. */
  mostTransitions: number;
  chooser: Chooser;
  /**
   * Ablations: without the graph (neither its solution nor its dependent questions, and what is independent is contracted),
   * without answering dependent questions, without contraction, without a judge (the last solution counts).
   */
  without: readonly AtomPart[];
  /** Whether a transition is the last one whatever is chosen, as in the released code. */
  once: boolean;
}

export interface ChainResult extends Omit<AtomTrace, "mode"> {
  /** Undefined where not even the question itself was answered. */
  best: Solved | undefined;
  /** The last contracted question that was chosen; the question itself if there was none. */
  question: string;
}

const dependenciesOf = (graph: readonly AnsweredQuestion[]): Dependencies => graph.map(({ dependsOn }) => dependsOn);

/** The independent sub-questions that have an answer: what a contraction states as known. */
export const independent = (graph: readonly AnsweredQuestion[]): KnownAnswer[] =>
  graph.flatMap(({ question, dependsOn, answer }) =>
    dependsOn.length === 0 && answer !== undefined ? [{ question, answer }] : [],
  );

/**
 * The Markov chain Q₀ → Q₁ → … of Atom of Thoughts (arXiv 2502.12018, Algorithm 1): decompose Qᵢ, answer its graph,
 * contract it to Qᵢ₊₁, solve that, and judge the three solutions as answers to Q₀. It goes on while the contracted
 * question wins, to the depth of the first graph or the maximum. Every failure falls back to the best solution so far.
 */
export async function runChain(
  steps: StepsOfChain,
  { mostTransitions, chooser, without, once }: ChainOptions,
): Promise<ChainResult> {
  const failures: StepFailure[] = [];
  const costs: StepCost[] = [];
  const transitions: Transition[] = [];
  let { question } = steps.context.problem;
  // The question does not wait for its graph, nor the graph for it: both are asked in the same batch.
  const first: Steps = { ...steps, failures, costs, transition: 0 };
  let [best, graph] = await Promise.all([solve(first, question), decompose(first, question)]);
  const most = graph ? Math.min(mostTransitions, longestPath(dependenciesOf(graph))) : 0;
  const end = (stopped: StopReason): ChainResult => ({ best, question, transitions, stopped, failures, costs });
  if (!graph) return end("no-graph");
  if (most === 0) return end("atomic");

  for (let index = 0; ; index++) {
    const now: Steps = { ...steps, failures, costs, transition: index };
    const dependent = !without.includes("dependent") && !without.includes("graph");
    const answered = await answerGraph(now, question, graph, dependent);
    const transition = { question, graph: answered };
    const ofGraph = without.includes("graph") ? undefined : graphSolution(answered);
    const known = independent(answered);
    const contracted =
      without.includes("contraction") || known.length === 0 ? undefined : await contract(now, question, known);
    const ofContracted = contracted === undefined ? undefined : await solve(now, contracted);
    const solutions: Record<SolutionSource, Solved | undefined> = {
      question: best,
      graph: ofGraph,
      contracted: ofContracted,
    };
    const candidates: Candidates = (["question", "graph", "contracted"] as const).flatMap((source) => {
      const solved = solutions[source];
      return solved ? [{ source, solved }] : [];
    });
    if (candidates.length === 0) return end("no-contraction");
    const choice = without.includes("judge")
      ? { chosen: lastOf(candidates), chosenBy: "only" as const }
      : await choose(now, candidates, chooser);
    best = solutions[choice.chosen];
    const answers = Object.fromEntries(candidates.map(({ source, solved }) => [source, solved.solution.answer]));
    transitions.push({ ...transition, ...(contracted === undefined ? {} : { contracted }), answers, ...choice });
    if (choice.chosen === "contracted") question = contracted!;
    if (contracted === undefined) return end("no-contraction");
    if (choice.chosenBy === "agreement") return end("agreement");
    if (choice.chosen !== "contracted") return end("judge");
    if (once || index + 1 >= most) return end("depth");
    graph = await decompose({ ...now, transition: index + 1 }, question);
    if (!graph) return end("no-graph");
    if (longestPath(dependenciesOf(graph)) === 0) return end("atomic");
  }
}

const lastOf = (candidates: Candidates): SolutionSource => candidates.at(-1)!.source;

/** The last atomic question is what the question asks; its answer, with those before it as reasoning, is solve(G). */
function graphSolution(graph: readonly AnsweredQuestion[]): Solved | undefined {
  const answer = graph.at(-1)?.answer;
  if (answer === undefined) return undefined;
  const reasoning = graph
    .flatMap((node) => (node.answer === undefined ? [] : [`${node.question} ${node.answer}`]))
    .join("\n");
  return { text: `${reasoning}\n#### ${answer}`, solution: { reasoning, answer } };
}
