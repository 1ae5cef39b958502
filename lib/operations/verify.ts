import { z } from "zod";
import { fail, type Result } from "../answer/index.js";
import { mayHoldJson, readJson } from "./json.js";
import { defineOperation } from "./operation.js";
import { type QuestionInput, readSolution, type Solution, writeSolution } from "./solution.js";
import { numberedLines, solutionSteps, wholeNumber, withoutLastLine } from "./text.js";

export interface SolutionInput extends QuestionInput {
  /** A solution in lines, each a step. */
  solution: string;
}

export type Verification = {
  /** What was checked before the verdict. */
  work: string;
} & (
  | { verdict: "right" }
  | {
      verdict: "wrong";
      /** Index of the first wrong step, from 0, as `solutionSteps` counts them; undefined if it was not named. */
      step?: number;
      /** The error, or the correction; may be empty. */
      reason: string;
    }
);

const renderSteps = ({ question, solution }: SolutionInput): string => {
  const answer = solution.lastIndexOf("####");
  const last = answer < 0 ? "" : `\n${solution.slice(answer).trim()}`;
  return `${question.trim()}\nSolution:\n${numberedLines(solutionSteps(solution))}${last}`;
};

/** Check a solution step by step: right, or wrong at the first step that is. */
export const verify = defineOperation<SolutionInput, Verification>({
  name: "verify",
  instruction: `Check the solution of the question below step by step: does each step follow from the question, and is its calculation right? Redo each calculation in one short line. End with JSON, either {"verdict": "right"} or {"verdict": "wrong", "step": K, "reason": "..."}, where K is the number of the first wrong step and the reason says what it should be.`,
  render: renderSteps,
  write(output) {
    const work = output.work === "" ? "" : `${output.work}\n`;
    if (output.verdict === "right") return `${work}right`;
    const place = output.step === undefined ? "wrong" : `wrong at step ${output.step + 1}`;
    return `${work}${place}${output.reason === "" ? "" : `: ${output.reason}`}`;
  },
  read(text, input, complete) {
    const verification = readVerification(complete ? text : withoutLastLine(text), text);
    if (!verification.ok || verification.value.verdict === "right") return verification;
    const { step } = verification.value;
    const steps = solutionSteps(input.solution).length;
    return step !== undefined && (step < 0 || step >= steps)
      ? fail(`step ${step + 1} of ${steps} does not exist`)
      : verification;
  },
});

const schema = z.looseObject({
  verdict: z.union([z.string().max(200), z.boolean()]).transform((said, context) => {
    const verdict = said === true ? "right" : said === false ? "wrong" : verdictOf(said);
    if (verdict) return verdict;
    context.addIssue({ code: "custom", message: "expected right or wrong" });
    return z.NEVER;
  }),
  step: wholeNumber.nullish().catch(undefined),
  reason: z.string().nullish().catch(undefined),
});

const NOTHING_WRONG = /\b(?:not\s{1,3}(?:wrong|incorrect|false|invalid)|no\s{1,3}(?:errors?|mistakes?))\b/gi;

/** "correct", "The solution is not right.", "There is no mistake.": wrong if it says so in any way. */
function verdictOf(said: string): "right" | "wrong" | undefined {
  const text = said.replace(NOTHING_WRONG, "right");
  if (/\b(?:wrong|incorrect|false|error|mistake|invalid|not\s{1,3}(?:right|correct|valid))\b/i.test(text))
    return "wrong";
  return /\b(?:right|correct|true|valid)\b/i.test(text) ? "right" : undefined;
}

const WRONG =
  /^[\s*_]{0,8}(?:verdict[\s*_]{0,4}:)?[\s*_]{0,8}(?:wrong|incorrect)[\s*_]{0,4}(?:(?:at|in)\s{1,3}step\s{1,3}(\d{1,4}))?[\s*_]{0,4}(?:[:.,–—-](.*))?$/i;
const RIGHT = /^[\s*_]{0,8}(?:verdict[\s*_]{0,4}:)?[\s*_]{0,8}(?:right|correct)[\s*_.!]{0,8}$/i;

function readVerification(text: string, whole: string): Result<Verification> {
  if (mayHoldJson(whole)) {
    const json = readJson(whole, schema);
    if (json.ok) {
      const { verdict, step, reason } = json.value;
      const work = whole.slice(0, Math.max(0, whole.search(/```|\{/))).trim();
      if (verdict === "right") return { ok: true, value: { work, verdict } };
      return { ok: true, value: { work, verdict, ...stepAt(step), reason: reason?.trim() ?? "" } };
    }
  }
  const lines = text.split("\n");
  for (let at = lines.length - 1; at >= 0; at--) {
    const work = () => lines.slice(0, at).join("\n").trim();
    const wrong = WRONG.exec(lines[at]!);
    if (wrong) {
      const [, step, reason = ""] = wrong;
      return { ok: true, value: { work: work(), verdict: "wrong", ...stepAt(step), reason: reason.trim() } };
    }
    if (RIGHT.test(lines[at]!)) return { ok: true, value: { work: work(), verdict: "right" } };
  }
  return readProse(lines.findLast((line) => line.trim() !== "") ?? "", text);
}

/** A verdict in a last sentence: "The answer is: incorrect" (DOTS), "Step 3 is wrong because …". */
function readProse(last: string, text: string): Result<Verification> {
  const verdict = last.length > 1000 ? undefined : verdictOf(last);
  if (!verdict) return fail("no verdict");
  const work = text.slice(0, text.length - last.length).trim();
  if (verdict === "right") return { ok: true, value: { work, verdict } };
  return {
    ok: true,
    value: { work, verdict, ...stepAt(/\bstep\s{1,3}(\d{1,4})/i.exec(last)?.[1]), reason: last.trim() },
  };
}

const stepAt = (number: string | number | null | undefined): { step?: number } =>
  number === undefined || number === null ? {} : { step: Number(number) - 1 };

/** Feedback to a solver on its solution: "Step 2 is wrong: 33-13=20." */
export function feedbackOf(verification: Verification): string {
  if (verification.verdict === "right") return "The solution is right.";
  const { step, reason } = verification;
  const what = step === undefined ? "The solution is wrong" : `Step ${step + 1} is wrong`;
  return reason === "" ? `${what}.` : `${what}: ${reason.replace(/\.$/, "")}.`;
}

export interface ReviseInput extends SolutionInput {
  /** What is wrong with it, if somebody said; see `feedbackOf`. */
  feedback?: string | undefined;
}

/** Write a better solution than an earlier one (Self-Refine, arXiv 2303.17651; sequential revision). */
export const revise = defineOperation<ReviseInput, Solution>({
  name: "revise",
  instruction: `Below are a question and an earlier solution, which may be wrong, perhaps with feedback. Write a new, complete, right solution: one short line for each step, with its calculation. The last line is "####", a space, and the answer alone (for example "#### 42").`,
  render(input) {
    const { feedback = "" } = input;
    return feedback === "" ? renderSteps(input) : `${renderSteps(input)}\nFeedback: ${feedback}`;
  },
  write: writeSolution,
  read: (text, _, complete) => readSolution(text, complete),
});
