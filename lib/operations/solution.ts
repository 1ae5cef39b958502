import { fail, type Result } from "../answer/index.js";
import { answerIn, numberedLines } from "./text.js";

/** A question alone. */
export interface QuestionInput {
  question: string;
}

/** A question to solve, with the steps of a plan or the sub-questions of a decomposition to follow. */
export interface SolveInput extends QuestionInput {
  plan?: readonly string[] | undefined;
}

/** Reasoning and the answer it ends with. */
export interface Solution {
  reasoning: string;
  /** As written: "42", "(B)", "7/2". */
  answer: string;
}

export const renderQuestion = ({ question }: QuestionInput): string => question.trim();

export const renderSolve = ({ question, plan = [] }: SolveInput): string =>
  plan.length === 0 ? question.trim() : `${question.trim()}\nPlan:\n${numberedLines(plan)}`;

/** The solution as text, its answer after ####. */
export const writeSolution = ({ reasoning, answer }: Solution): string =>
  reasoning === "" ? `#### ${answer}` : `${reasoning}\n#### ${answer}`;

/** A solution from its text: all before the last #### is reasoning; without one, all of it. */
export function readSolution(text: string, complete: boolean): Result<Solution> {
  const answer = answerIn(text, complete);
  if (!answer.ok) return answer;
  const hashes = text.lastIndexOf("####");
  return { ok: true, value: { reasoning: (hashes < 0 ? text : text.slice(0, hashes)).trim(), answer: answer.value } };
}

/** A text that is nothing but an answer, such as "42" or "**(B)**.". */
export function readBareAnswer(text: string): Result<string> {
  const answer = text.trim().replace(/^[*_"`]{1,3}|[*_"`.]{1,4}$/g, "");
  return answer === "" || answer.length > 100 || answer.includes("\n")
    ? fail("no answer: neither ####, \\boxed{}, “answer is” nor a short line alone")
    : { ok: true, value: answer };
}
