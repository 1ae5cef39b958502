import { fail, type Result } from "../answer/index.js";
import { defineOperation } from "./operation.js";
import {
  type QuestionInput,
  readBareAnswer,
  readSolution,
  renderQuestion,
  renderSolve,
  type Solution,
  type SolveInput,
  writeSolution,
} from "./solution.js";
import { answerIn, THOUGHT_BEGIN, THOUGHT_END } from "./text.js";

const LAST_LINE = `The last line is "####", a space, and the answer alone (for example "#### 42").`;

/** Answer immediately. The output is the answer as written. */
export const answer = defineOperation<QuestionInput, string>({
  name: "answer",
  instruction: `Answer the question at once, without any explanation. Write only one line: "####", a space, and the answer (for example "#### 42").`,
  render: renderQuestion,
  write: (text) => `#### ${text}`,
  read(text, _, complete) {
    const marked = answerIn(text, complete);
    return marked.ok || !complete ? marked : readBareAnswer(text);
  },
});

/** Think step by step (arXiv 2201.11903), in a few lines; with a plan, along its steps. */
export const cot = defineOperation<SolveInput, Solution>({
  name: "cot",
  instruction: `Solve the problem step by step. Write one short line for each step, with its calculation. If a plan is given, follow it. ${LAST_LINE}`,
  render: renderSolve,
  write: writeSolution,
  read: (text, _, complete) => readSolution(text, complete),
});

/**
 * A long thought and the solution after it; or a thought (or solution) truncated by the budget, which is not an answer
 * and equals none.
 */
export type LongSolution =
  | ({ kind: "solved"; thought: string } & Solution)
  | {
      kind: "cut-off";
      thought: string;
      /** Whether the thought itself ended. */
      thoughtEnded: boolean;
      /** The solution as far as it was written. */
      partial: string;
    };

/** Think at length, in the manner of DeepSeek-R1, then write a solution. */
export const think = defineOperation<QuestionInput, LongSolution>({
  name: "think",
  instruction: `First think about the problem at length between ${THOUGHT_BEGIN} and ${THOUGHT_END}: try, check and correct yourself, in paragraphs with an empty line between them. Then, after ${THOUGHT_END}, write a short solution. ${LAST_LINE}`,
  render: renderQuestion,
  readsThought: true,
  write(output) {
    const thought = `${THOUGHT_BEGIN}\n${output.thought}`;
    if (output.kind === "solved") return `${thought}\n${THOUGHT_END}\n${writeSolution(output)}`;
    return output.thoughtEnded ? `${thought}\n${THOUGHT_END}\n${output.partial}` : thought;
  },
  read: (text, _, complete) => readLong(text, complete),
});

function readLong(text: string, complete: boolean): Result<LongSolution> {
  // Some chat templates write the opening mark themselves, so the text may begin within the thought.
  const begun = text.startsWith(THOUGHT_BEGIN) ? text.slice(THOUGHT_BEGIN.length) : text;
  const end = begun.lastIndexOf(THOUGHT_END);
  const thought = (end < 0 ? begun : begun.slice(0, end)).trim();
  if (end < 0 && (begun !== text || !complete)) {
    return { ok: true, value: { kind: "cut-off", thought, thoughtEnded: false, partial: "" } };
  }
  // A model that ends without any thought may still have solved it.
  const rest = end < 0 ? text : begun.slice(end + THOUGHT_END.length).trim();
  const solution = readSolution(rest, complete);
  if (solution.ok) return { ok: true, value: { kind: "solved", thought: end < 0 ? "" : thought, ...solution.value } };
  if (complete) return fail(solution.reason);
  return { ok: true, value: { kind: "cut-off", thought, thoughtEnded: true, partial: rest } };
}
