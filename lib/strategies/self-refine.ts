import { checkWhole } from "../core/index.js";
import { feedbackOf, OPERATIONS, type Verification, writeSolution } from "../operations/index.js";
import { ask, type Strategy } from "../rollouts/index.js";
import { answerWith, solutionIn, solveOnce } from "./calls.js";

export interface SelfRefineOptions {
  /** Maximum revisions. Default: 2. */
  rounds?: number | undefined;
}

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
      let { text } = first;
      let solution = solutionIn(first);
      const feedback: string[] = [];
      const answers = [solution?.answer ?? null];
      for (let round = 0; round < rounds; round++) {
        const input = { question: problem.question, solution: solution ? writeSolution(solution) : text };
        const checked = await ask(context, OPERATIONS.verify, input, { attempts: 1, key: `round ${round}` });
        const verification: Verification | undefined = checked.ok ? checked.value : undefined;
        // What cannot be read is no criticism; a text without an answer is revised whatever was said of it.
        if (solution && verification?.verdict !== "wrong") break;
        feedback.push(verification?.verdict === "wrong" ? feedbackOf(verification) : "There is no final answer.");
        const revised = await ask(
          context,
          OPERATIONS.revise,
          { ...input, feedback: feedback.at(-1) },
          { attempts: 1, key: `round ${round}` },
        );
        const better = solutionIn(revised);
        answers.push(better?.answer ?? null);
        if (!better) continue;
        text = revised.text;
        solution = better;
      }
      return answerWith(text, solution, { feedback, answers });
    },
  };
}
