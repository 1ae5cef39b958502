import { isWholeText } from "../llm/index.js";
import { OPERATIONS, type Outcome, type QuestionInput, type Solution, writeSolution } from "../operations/index.js";
import { type Answer, type AskOptions, ask, type Context } from "../rollouts/index.js";

/** A solution that was read whole: a text that was cut off has no final answer. */
export const solutionIn = (outcome: Outcome<Solution>): Solution | undefined =>
  outcome.ok && isWholeText(outcome) ? outcome.value : undefined;

/** Solve a question step by step, in one call. */
export const solveOnce = (
  context: Context,
  question: QuestionInput,
  options: AskOptions = {},
): Promise<Outcome<Solution>> => ask(context, OPERATIONS.cot, question, { attempts: 1, ...options });

/** The answer of an attempt whose last text is this. */
export function answerWith(text: string, solution: Solution | undefined, trace?: unknown): Answer {
  return {
    text,
    ...(solution ? { solution: writeSolution(solution) } : {}),
    ...(trace === undefined ? {} : { trace }),
  };
}
