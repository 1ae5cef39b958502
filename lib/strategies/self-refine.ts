import { checkWhole } from "../core/index.js";
import { feedbackOf, OPERATIONS, type Solution, type Verification, writeSolution } from "../operations/index.js";
import { ask, type Context, type Strategy } from "../rollouts/index.js";
import { solutionIn, solveOnce } from "./calls.js";

export interface SelfRefineOptions {
  /** Maximum revisions. Default: 2. */
  rounds?: number | undefined;
}

/** A solution that is to be checked: its text, and as it was read; undefined if it has no answer. */
interface Checked {
  text: string;
  solution: string | undefined;
}

/** A revision that was asked for: what was found before, if it could be read, and the new solution, if it could. */
interface Revision {
  verification: Verification | undefined;
  revised: Solution | undefined;
}

export interface Refined extends Checked {
  revisions: readonly Revision[];
  /** The check that found nothing wrong; undefined where it could not be read, or the rounds were used up. */
  accepted: Verification | undefined;
}

/**
 * Let the model check a solution and revise it by what it found, until it finds nothing or the rounds are used up. A revision that
 * cannot be read leaves the solution as it was.
 */
export async function refineSolution(
  context: Context,
  question: string,
  first: Checked,
  rounds: number,
): Promise<Refined> {
  let { text, solution } = first;
  const revisions: Revision[] = [];
  for (let round = 0; round < rounds; round++) {
    const input = { question, solution: solution ?? text };
    const key = `round ${round}`;
    const checked = await ask(context, OPERATIONS.verify, input, { attempts: 1, key });
    const verification: Verification | undefined = checked.ok ? checked.value : undefined;
    // What cannot be read is no criticism; a text without an answer is revised whatever was said of it.
    if (solution !== undefined && verification?.verdict !== "wrong") {
      return { text, solution, revisions, accepted: verification };
    }
    const feedback = feedbackIn(verification);
    const revised = await ask(context, OPERATIONS.revise, { ...input, feedback }, { attempts: 1, key });
    const better = solutionIn(revised);
    revisions.push({ verification, revised: better });
    if (!better) continue;
    text = revised.text;
    solution = writeSolution(better);
  }
  return { text, solution, revisions, accepted: undefined };
}

const feedbackIn = (verification: Verification | undefined): string =>
  verification?.verdict === "wrong" ? feedbackOf(verification) : "There is no final answer.";

/**
 * Solve, let the model check its own solution, and revise it by what it found, until it finds nothing or the rounds are
 * used up (Self-Refine, arXiv 2303.17651). A revision that cannot be read leaves the solution as it was. The trace is the
 * feedback of each round, and each solution's answer.
 */
export function selfRefine({ rounds = 2 }: SelfRefineOptions = {}): Strategy {
  checkWhole("rounds", rounds, 1);
  return {
    name: "self-refine",
    settings: { rounds },
    async attempt(problem, context) {
      const first = await solveOnce(context, problem);
      const read = solutionIn(first);
      const start = { text: first.text, solution: read && writeSolution(read) };
      const { text, solution, revisions } = await refineSolution(context, problem.question, start, rounds);
      const feedback = revisions.map(({ verification }) => feedbackIn(verification));
      const answers = [read?.answer ?? null, ...revisions.map(({ revised }) => revised?.answer ?? null)];
      return { text, ...(solution === undefined ? {} : { solution }), trace: { feedback, answers } };
    },
  };
}
