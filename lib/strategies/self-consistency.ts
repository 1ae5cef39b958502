import { checkWhole } from "../core/index.js";
import type { Strategy } from "../rollouts/index.js";
import { votes } from "../tasks/index.js";
import { answerWith, solutionIn, solveOnce } from "./calls.js";

export interface SelfConsistencyOptions {
  /** Sampled solutions. Default: 8. */
  samples?: number | undefined;
  /** Their temperature, where the attempt is greedy. Default: 0.7 (arXiv 2203.11171 §3.1). */
  temperature?: number | undefined;
}

/**
 * Sample several solutions and give the answer that most of them have (self-consistency, arXiv 2203.11171). All tokens
 * count. The trace is `{ answers, votes }`: each answer, null where there is none, and how many have the chosen one.
 */
export function selfConsistency({ samples = 8, temperature = 0.7 }: SelfConsistencyOptions = {}): Strategy {
  checkWhole("samples", samples, 1);
  return {
    name: `cot-sc-${samples}`,
    settings: { samples, temperature },
    async attempt(problem, context) {
      const outcomes = await Promise.all(
        Array.from({ length: samples }, (_, index) =>
          solveOnce(context, problem, {
            key: `sample ${index}`,
            temperature: context.sampling.temperature || temperature,
          }),
        ),
      );
      const solutions = outcomes.map(solutionIn);
      const answers = solutions.map((solution) => solution?.answer);
      const [chosen] = votes(problem.kind, answers);
      const best = chosen?.[0] ?? 0;
      const trace = { answers: answers.map((answer) => answer ?? null), votes: chosen?.length ?? 0 };
      return answerWith(outcomes[best]!.text, solutions[best], trace);
    },
  };
}
