import { fail } from "../answer/index.js";
import { defineOperation } from "./operation.js";
import { readQuestion } from "./question-text.js";
import { type QuestionInput, renderQuestion } from "./solution.js";
import { listItems, numberedLines } from "./text.js";

export interface ContractInput extends QuestionInput {
  /** Sub-questions that were answered; their answers may be bare values. */
  solved: readonly { question: string; answer: string }[];
}

/**
 * AoT's contraction (arXiv 2502.12018): answers of sub-questions become facts of a new question, which is simpler, stands
 * by itself, and has the same answer.
 */
export const contract = defineOperation<ContractInput, string>({
  name: "contract",
  instruction: `Some sub-questions of the question below are answered already. Write a simpler question with the same answer: state these answers as known facts, leave out everything that is needed only to find them, and keep the rest. The new question must be understood without the old one. Do not solve it. Write it between <question> and </question>.`,
  render: ({ question, solved }) =>
    `${question.trim()}\nKnown:\n${solved.map((each) => `${each.question} ${each.answer}`).join("\n")}`,
  write: (question) => question,
  read: (text, _, complete) => readQuestion(text, complete),
});

/** DOTS's query rewriting: the question with what it needs, in order, and nothing else. */
export const rewrite = defineOperation<QuestionInput, string>({
  name: "rewrite",
  instruction: `Rewrite the question so that it is easier to solve: keep every fact that the answer needs, in the order in which a solution uses them, leave out what it does not need, and end with what is asked. Change no number and do not solve it. Write the new question between <question> and </question>.`,
  render: renderQuestion,
  write: (question) => question,
  read: (text, _, complete) => readQuestion(text, complete),
});

/** More than any problem needs. */
const MOST_STEPS = 50;

/** DOTS's planning: what to do, step by step, with nothing computed. */
export const plan = defineOperation<QuestionInput, readonly string[]>({
  name: "plan",
  instruction: `Write a plan for solving the problem: a numbered list of steps, one line each, in the order of a solution. Say what each step finds and from what. Compute nothing and do not give the answer.`,
  render: renderQuestion,
  write: numberedLines,
  read(text, _, complete) {
    if (!complete) return fail("the plan was cut off");
    const steps = listItems(text).map((item) => item.text);
    if (steps.length === 0) return fail("no list of steps");
    return steps.length > MOST_STEPS
      ? fail(`${steps.length} steps, more than ${MOST_STEPS}`)
      : { ok: true, value: steps };
  },
});
