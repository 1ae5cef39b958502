import { badInput } from "../core/index.js";
import { answerReward, type CombinedReward, combine, formatReward, type Reward } from "../rollouts/index.js";
import { codeOf, runCases, type Sandbox, type SandboxCase } from "../sandbox/index.js";
import { gradeAttempt, type Problem } from "../tasks/index.js";
import { stepScore } from "./steps.js";

/** Calls that a question shows, by function. */
export interface VisibleCases {
  name: string;
  cases: readonly SandboxCase[];
}

/** The calls that the question of a code problem shows; none where it shows none that can be called. */
export function visibleCases({ code }: Pick<Problem, "code">): VisibleCases[] {
  if (code?.language === "javascript") {
    return [code, ...(code.beside ?? [])].map(({ name, examples }) => ({ name, cases: examples }));
  }
  const names = [...new Set((code?.examples ?? []).map(({ name }) => name))];
  return names.map((name) => ({ name, cases: code!.examples!.filter((each) => each.name === name) }));
}

/** What became of a call that the question shows. */
export interface VisibleVerdict {
  /** Number of the call, from 1, in the order of the question. */
  number: number;
  passed: boolean;
  /** Why not, without what was expected. */
  message: string;
}

/** Run a program on the calls that its question shows. */
export async function runVisible(
  problem: Problem,
  program: string,
  sandbox: Sandbox,
  signal?: AbortSignal,
): Promise<VisibleVerdict[]> {
  const verdicts: VisibleVerdict[] = [];
  const { code } = problem;
  if (!code) return verdicts;
  for (const { name, cases } of visibleCases(problem)) {
    const request = { language: code.language, code: codeOf(program, code.language), entryPoint: name, visible: cases };
    const { visible } = await runCases(sandbox, request, { signal });
    for (const { passed, message = "" } of visible) verdicts.push({ number: verdicts.length + 1, passed, message });
  }
  return verdicts;
}

/**
 * Outcome: 1 for a right final answer, and for a program that passes all tests, hidden ones among them; else 0.
 */
export const outcomeReward: Reward = answerReward;

/**
 * Partial reward by steps: λ · (steps of the reference that are there) + (1 − λ) · (the final answer is right), from 0 to 1; of
 * programs the share of the calls that the question shows, in place of steps. Problems without reference steps get the second part alone.
 *
 * @param lambda weight of the steps. Default: 0.5
 * @throws bad-input for a λ outside of 0 to 1; for programs without a sandbox
 */
export function stepReward({ lambda = 0.5 }: { lambda?: number } = {}): Reward {
  if (!(lambda >= 0 && lambda <= 1)) throw badInput(`lambda is ${lambda}`, "Give a number from 0 to 1.");
  return async (problem, group, { sandbox, signal }) =>
    Promise.all(
      group.map(async (attempt) => {
        const { correct } = await gradeAttempt(problem, attempt, { sandbox, signal });
        const isRight = correct.strict ?? false;
        if (problem.kind !== "code") {
          return stepScore(`${attempt.begun ?? ""}${attempt.text}`, problem.steps ?? [], isRight, lambda).reward;
        }
        if (attempt.solution === undefined) return 0;
        const verdicts = await runVisible(problem, attempt.solution, sandbox!, signal);
        const shown = verdicts.length === 0 ? 0 : verdicts.filter(({ passed }) => passed).length / verdicts.length;
        return lambda * shown + (1 - lambda) * Number(isRight);
      }),
    );
}

export interface ReasonerRewardOptions {
  /** Weight of the steps within the partial reward. Default: 0.5. */
  lambda?: number | undefined;
  /** Weights of the parts. Default: outcome 1, partial 0, format 0. */
  weights?: { [Part in "outcome" | "partial" | "format"]?: number | undefined } | undefined;
}

/** Outcome, partial and format reward as one; a part with weight 0 is recorded and counts nothing. */
export const reasonerReward = ({ lambda, weights = {} }: ReasonerRewardOptions = {}): CombinedReward =>
  combine({
    outcome: { weight: weights.outcome ?? 1, reward: outcomeReward },
    partial: { weight: weights.partial ?? 0, reward: stepReward({ ...(lambda === undefined ? {} : { lambda }) }) },
    format: { weight: weights.format ?? 0, reward: formatReward },
  });
