import { sameAnswer } from "../tasks/index.js";
import { type ChainOptions, type ChainResult, independent } from "./chain.js";
import { type Candidates, choose } from "./choose.js";
import type { AnsweredQuestion, SolutionSource, StepCost, StepFailure, StopReason, Transition } from "./record.js";
import { contract, judge, labelledGraph, type Solved, type Steps, type StepsOfChain, solve } from "./steps.js";

/** Where answers agree with the judge's choice, the released code takes the first of these. */
const ORDER: readonly SolutionSource[] = ["question", "graph", "contracted"];

/**
 * One transition as the released code of Atom of Thoughts makes it, in six calls: the question is solved, solved again by
 * sub-questions, these are labelled with what they depend on, the independent ones contracted, the contracted question
 * solved, and the judge is asked whatever the answers are. What it chooses stands for its answer: the first solution with
 * that answer is taken, and the question's own where it names none.
 */
export async function runReleased(
  steps: StepsOfChain,
  { chooser, without }: Pick<ChainOptions, "chooser" | "without">,
): Promise<ChainResult> {
  const now: Steps = { ...steps, failures: [], costs: [], transition: 0 };
  const { question, kind } = steps.context.problem;
  const [direct, reworded] = await Promise.all([
    solve(now, question),
    contracted(now, without.includes("contraction") ? "label" : "contract"),
  ]);
  const end = (
    best: Solved | undefined,
    stopped: StopReason,
    transitions: readonly Transition[] = [],
  ): ChainResult => ({
    ...{ best, question, transitions, stopped, failures: now.failures, costs: now.costs },
  });
  if (!reworded) return end(direct, "no-graph");
  const { graph } = reworded;
  const solutions: Record<SolutionSource, Solved | undefined> = {
    question: direct,
    graph: without.includes("graph") ? undefined : reworded.ofGraph,
    contracted: reworded.ofContracted,
  };
  const candidates: Candidates = ORDER.flatMap((source) => {
    const solved = solutions[source];
    return solved ? [{ source, solved }] : [];
  });
  if (candidates.length === 0) return end(undefined, "no-contraction");
  const choice = await choose(now, candidates, chooser, { order: ORDER, always: true });
  const { answer } = solutions[choice.chosen]!.solution;
  const chosen = candidates.find(({ solved }) => sameAnswer(kind, solved.solution.answer, answer))?.source;
  const answers = Object.fromEntries(candidates.map(({ source, solved }) => [source, solved.solution.answer]));
  const transition: Transition = {
    ...{ question, graph },
    ...(reworded.question === undefined ? {} : { contracted: reworded.question }),
    ...{ answers, chosenBy: choice.chosenBy, chosen: chosen ?? choice.chosen },
  };
  return {
    ...end(solutions[transition.chosen], reworded.question === undefined ? "no-contraction" : "depth", [transition]),
    question: transition.chosen === "contracted" ? reworded.question! : question,
  };
}

interface Contracted {
  graph: readonly AnsweredQuestion[];
  ofGraph: Solved;
  question: string | undefined;
  ofContracted: Solved | undefined;
}

/** Solve by sub-questions, label, contract, and solve what came out: four calls. Undefined without labels. */
async function contracted(now: Steps, to: "label" | "contract"): Promise<Contracted | undefined> {
  const { question: asked } = now.context.problem;
  const labelled = await labelledGraph(now, asked);
  if (!labelled) return undefined;
  const { graph, solved: ofGraph } = labelled;
  const question = to === "label" ? undefined : await contract(now, asked, independent(graph));
  return { graph, ofGraph, question, ofContracted: question === undefined ? undefined : await solve(now, question) };
}

/** What a plug-in found: the question to ask instead, and what its samples were. */
export interface PluginResult {
  question: string;
  contractions: string[];
  failures: StepFailure[];
  costs: StepCost[];
}

/**
 * The released plug-in: several sampled contractions, one solution of the question itself, and the judge over all of these
 * solutions: 4 · samples + 2 calls. Of the contracted questions whose answer is the chosen one, the one with the shortest
 * solution is asked instead; without any, the question as it is.
 *
 * @param chains one for each sample, with a key and a temperature of its own
 */
export async function releasedPlugin(steps: StepsOfChain, chains: readonly StepsOfChain[]): Promise<PluginResult> {
  const { question, kind } = steps.context.problem;
  const own: Steps = { ...steps, failures: [], costs: [], transition: 0 };
  const shared = { failures: own.failures, costs: own.costs, transition: 0 };
  const [direct, ...samples] = await Promise.all([
    solve(own, question),
    ...chains.map((chain) => contracted({ ...chain, ...shared }, "contract")),
  ]);
  const found = samples.flatMap((sample) =>
    sample?.question !== undefined && sample.ofContracted
      ? [{ question: sample.question, solved: sample.ofContracted }]
      : [],
  );
  const shown = [...(direct ? [direct] : []), ...found.map(({ solved }) => solved)];
  const best = shown.length === 0 ? undefined : await judge(own, question, shown);
  const answer = best === undefined ? undefined : shown[best]!.solution.answer;
  const words = (text: string) => text.split(/\s+/).length;
  const [chosen] = found
    .filter(({ solved }) => answer !== undefined && sameAnswer(kind, solved.solution.answer, answer))
    .sort((a, b) => words(a.solved.text) - words(b.solved.text));
  return {
    question: chosen?.question ?? question,
    contractions: found.map((each) => each.question),
    failures: own.failures,
    costs: own.costs,
  };
}
