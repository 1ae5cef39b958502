import { checkInterrupt, sum } from "../../core/index.js";
import { isWholeText } from "../../llm/index.js";
import { OPERATIONS, type Operation, type Outcome, type Solution, writeSolution } from "../../operations/index.js";
import { type Answer, ask, type Context } from "../../rollouts/index.js";
import { programOperation } from "../../strategies/index.js";
import type { Problem } from "../../tasks/index.js";
import { runVisible } from "../rewards.js";
import { firstWrongStep, stepScore, validShare } from "../steps.js";
import { LEAST_CALL, type TokenBudget } from "./budget.js";
import { type Candidate, steady } from "./candidates.js";
import type { CompleteSettings, SearchParts } from "./settings.js";

/** What a search works with: one problem, and what may still be spent on it. */
export interface SearchFrame {
  problem: Problem;
  context: Context;
  settings: CompleteSettings;
  parts: SearchParts;
  budget: TokenBudget;
}

/** A candidate before it is scored. */
export type Draft = Omit<Candidate, "score">;

/** What is asked for a solution: a program for problems of code, else steps and an answer. */
export function solving(
  problem: Problem,
  context: Pick<Context, "model">,
): { operation: Operation<unknown, unknown>; input: unknown } {
  if (problem.kind === "code") return programOperation(problem, context.model) as never;
  return { operation: OPERATIONS.cot as unknown as Operation<unknown, unknown>, input: problem };
}

/** Ask for a solution within the budget; undefined if too little is left. The same key gives the same solution. */
export async function draftSolution(
  { problem, context, settings, budget }: SearchFrame,
  key: string,
  granted: number,
  asked: { operation: Operation<unknown, unknown>; input: unknown } = solving(problem, context),
  source: Candidate["source"] = "sample",
): Promise<Draft> {
  const outcome = await ask(context, asked.operation, asked.input, {
    attempts: 1,
    key,
    temperature: settings.temperature,
    maxNewTokens: granted,
  });
  budget.settle(granted, outcome.completionTokens);
  return { ...draftOf(problem, outcome), source };
}

function draftOf(problem: Problem, outcome: Outcome<unknown>): Omit<Draft, "source"> {
  const { text, begun, tokens, completionTokens } = outcome;
  const isRead = outcome.ok && isWholeText(outcome);
  const solution = !isRead
    ? undefined
    : problem.kind === "code"
      ? (outcome.value as string)
      : writeSolution(outcome.value as Solution);
  const logProbs = tokens?.logProbs ?? [];
  return {
    ...{ text, begun, solution, tokens: completionTokens },
    ...(logProbs.length === 0 ? {} : { logProb: steady(sum([...logProbs]) / logProbs.length) }),
  };
}

/** An answer in the form that rewards take. */
const answerOfDraft = ({ text, begun, solution }: Draft): Answer => ({ text, begun, solution });

/** Score a solution; one without an answer is worth nothing, except for steps under a labelled reward. */
export async function scored(frame: SearchFrame, draft: Draft): Promise<Candidate> {
  return { ...draft, score: await scoreOf(frame, draft) };
}

async function scoreOf(frame: SearchFrame, draft: Draft): Promise<number> {
  const { problem, context, settings, parts } = frame;
  checkInterrupt(context.signal, "the search");
  if (settings.score === "reward") {
    const attempt = { ...answerOfDraft(draft), problem: problem.id, sample: context.sample, calls: [] };
    const { model, seed, sandbox, signal } = context;
    const [reward] = await parts.reward!(problem, [attempt], { model, seed, sandbox, signal });
    return reward!;
  }
  if (draft.solution === undefined) return 0;
  if (settings.score === "probability") return draft.logProb === undefined ? 0 : Math.exp(draft.logProb);
  if (settings.score === "checks") {
    if (problem.kind !== "code") return validShare(draft.text) ?? 0;
    const verdicts = await runVisible(problem, draft.solution, context.sandbox, context.signal);
    return verdicts.length === 0 ? 0 : verdicts.filter(({ passed }) => passed).length / verdicts.length;
  }
  return (await verified(frame, draft)).score;
}

/** Tokens that a check may take at most. */
export const CHECK_TOKENS = 160;

/** The model's own verdict on a solution, and the step that it calls wrong. */
export async function verified(
  { problem, context, budget }: SearchFrame,
  { text, solution }: Draft,
): Promise<{ score: number; step?: number | undefined }> {
  const granted = budget.reserve(CHECK_TOKENS);
  if (granted < LEAST_CALL) {
    budget.settle(granted, 0);
    return { score: 0.5 };
  }
  const input = { question: problem.question, solution: solution ?? text };
  const outcome = await ask(context, OPERATIONS.verify, input, { attempts: 1, temperature: 0, maxNewTokens: granted });
  budget.settle(granted, outcome.completionTokens);
  // What cannot be read says nothing for or against it.
  if (!outcome.ok) return { score: 0.5 };
  return outcome.value.verdict === "right" ? { score: 1 } : { score: 0, step: outcome.value.step };
}

/** What a revision is told: where the fault is, never what would be right. Undefined if no fault is known. */
export async function faultOf(frame: SearchFrame, candidate: Candidate): Promise<string | undefined> {
  const { problem, context, settings } = frame;
  if (settings.score === "reward" && (await isRight(frame, candidate))) return undefined;
  if (problem.kind === "code") {
    if (candidate.solution === undefined) return "There is no whole program.";
    const verdicts = await runVisible(problem, candidate.solution, context.sandbox, context.signal);
    const failed = verdicts.find(({ passed }) => !passed);
    if (failed) return `Example ${failed.number} fails: ${failed.message}.`;
    return settings.score === "reward" ? "The examples pass, and another test fails." : undefined;
  }
  if (candidate.solution === undefined) return "There is no final answer.";
  const said = (step: number | undefined) =>
    step === undefined ? "The solution is wrong." : `Step ${step + 1} is wrong.`;
  if (settings.score === "reward") return said(firstWrongStep(candidate.text, problem.steps));
  if (settings.score === "verifier") {
    const { score, step } = await verified(frame, candidate);
    return score === 0 ? said(step) : undefined;
  }
  const step = firstWrongStep(candidate.text);
  return step === undefined ? undefined : said(step);
}

async function isRight({ problem, context }: SearchFrame, { text, begun, solution }: Candidate): Promise<boolean> {
  const { gradeAttempt } = await import("../../tasks/index.js");
  const { sandbox, signal } = context;
  return (await gradeAttempt(problem, { text, begun, solution }, { sandbox, signal })).correct.strict ?? false;
}

/** The share of the reference's steps that a beginning has; without labels the share of its equations that hold. */
export function stepValue({ problem, settings }: SearchFrame, text: string): number {
  if (settings.score !== "reward") return validShare(text) ?? 0.5;
  const wanted = problem.steps ?? [];
  return wanted.length === 0 ? 0.5 : stepScore(text, wanted, false, 1).reward;
}
