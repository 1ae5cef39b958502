import { writeSolution } from "../operations/index.js";
import { votes } from "../tasks/index.js";
import type { SolutionSource, Transition } from "./record.js";
import { judge, type Solved, type Steps, verify } from "./steps.js";

/** Who chooses among solve(Q), solve(G) and solve(Q′): the model (AoT), a majority, or the model as verifier of each. */
export type Chooser = "model" | "majority" | "verifier";

export type Candidates = readonly { source: SolutionSource; solved: Solved }[];

/** Where nothing else decides: what was contracted furthest is nearest to the answer. */
const PREFERENCE: readonly SolutionSource[] = ["contracted", "question", "graph"];

/**
 * Choose the best solution of the original question. Equal answers need no choice, nor does a single solution. Where
 * the chooser names none, the majority decides, and without one the order S′, S, G.
 *
 * @param order which source counts where nothing else decides
 * @param always whether the model is asked also where there is nothing to choose
 */
export async function choose(
  steps: Steps,
  candidates: Candidates,
  chooser: Chooser,
  { order = PREFERENCE, always = false }: { order?: readonly SolutionSource[]; always?: boolean } = {},
): Promise<Pick<Transition, "chosen" | "chosenBy">> {
  const { problem } = steps.context;
  const preferred = order.find((source) => candidates.some((each) => each.source === source))!;
  const asks = always && chooser === "model";
  if (candidates.length === 1 && !asks) return { chosen: preferred, chosenBy: "only" };
  const groups = votes(
    problem.kind,
    candidates.map(({ solved }) => solved.solution.answer),
  );
  if (groups.length === 1 && !asks) return { chosen: preferred, chosenBy: "agreement" };
  const of = (indices: readonly number[]) =>
    order.find((source) => indices.some((index) => candidates[index]!.source === source))!;
  if (chooser === "model") {
    const best = await judge(
      steps,
      problem.question,
      candidates.map(({ solved }) => solved),
    );
    if (best !== undefined) return { chosen: candidates[best]!.source, chosenBy: "judge" };
  }
  if (chooser === "verifier") {
    const verdicts = await Promise.all(candidates.map(({ solved }) => verify(steps, problem.question, solved)));
    const right = verdicts.flatMap((verdict, index) => (verdict ? [index] : []));
    if (right.length > 0 && right.length < candidates.length) return { chosen: of(right), chosenBy: "verifier" };
  }
  // The released code knows no majority.
  if (asks) return { chosen: preferred, chosenBy: "fallback" };
  const [largest] = groups;
  if (largest!.length > 1) return { chosen: of(largest!), chosenBy: chooser === "majority" ? "majority" : "fallback" };
  return { chosen: preferred, chosenBy: chooser === "majority" ? "majority" : "fallback" };
}

/** The text of a solution that strict grading reads. */
export const solutionText = ({ solution }: Solved): string => writeSolution(solution);
