import { z } from "zod";
import { lastBox } from "../../../answer/index.js";
import { inexactNumber } from "../../../core/index.js";
import type { MathRecord } from "../records.js";
import { malformed, type RowReader, rowReader } from "./row-reader.js";

/** Numbers are written as JavaScript does: 27.0 stands in the files for 27. */
const numberOrText = z
  .union([z.string(), z.number()])
  .superRefine((value, context) => {
    const message = inexactNumber(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .transform(String);

/** GSM8K, plain or socratic: the answer follows `####`. */
export const gsm8k: RowReader<MathRecord> = rowReader(
  z.object({ question: z.string(), answer: z.string() }),
  ({ question, answer }) => {
    const at = answer.lastIndexOf("####");
    if (at < 0) return malformed("answer: there is no ####");
    const solution = answer.slice(0, at).trimEnd();
    return { kind: "math", question, ...(solution && { solution }), answer: answer.slice(at + 4).trim() };
  },
);

/** MATH-500: https://huggingface.co/datasets/HuggingFaceH4/MATH-500 */
export const math500: RowReader<MathRecord> = rowReader(
  z.object({
    problem: z.string(),
    solution: z.string(),
    answer: z.string(),
    subject: z.string(),
    level: z.int(),
    unique_id: z.string(),
  }),
  ({ problem, unique_id, ...rest }) => ({ kind: "math", key: unique_id, question: problem, ...rest }),
);

/** MATH: problem, level ("Level 5"; a few have "Level ?"), type, solution with the answer in a box. */
export const math: RowReader<MathRecord> = rowReader(
  z.object({ problem: z.string(), solution: z.string(), level: z.string().optional(), type: z.string().optional() }),
  ({ problem, solution, level, type }) => {
    const answer = lastBox(solution);
    if (answer === undefined) return malformed("solution: there is no \\boxed{} with balanced braces");
    const number = /\d+/.exec(level ?? "")?.[0];
    return {
      kind: "math",
      question: problem,
      solution,
      answer,
      ...(number && { level: Number(number) }),
      ...(type && { subject: type }),
    };
  },
);

/** AMC 2023: the rows of aimo-validation-amc whose url names that year. Contest and number are the id. */
export const amc23: RowReader<MathRecord> = rowReader(
  z.object({ problem: z.string(), answer: numberOrText, url: z.string() }),
  ({ problem, answer, url }) => {
    if (!url.includes("2023")) return undefined;
    const [, contest, number] = /\/(2023_[^/]+)_Problems\/Problem_(\d+)/.exec(url) ?? [];
    return { kind: "math", ...(contest && { key: `${contest}/${number}` }), question: problem, answer };
  },
);

/** OlympiadBench, open-ended and text only. Several solutions may be given; the first one is taken. */
export const olympiadBench: RowReader<MathRecord> = rowReader(
  z.object({
    id: z.int(),
    subfield: z.string(),
    context: z.string().nullish(),
    question: z.string(),
    solution: z.array(z.string()).nullish(),
    final_answer: z.array(z.string()).min(1),
  }),
  ({ id, subfield, context, question, solution, final_answer }) => ({
    kind: "math",
    key: id,
    question: context ? `${context}\n\n${question}` : question,
    ...(solution?.[0] && { solution: solution[0] }),
    answer: final_answer[0]!,
    ...(final_answer.length > 1 && { answers: final_answer }),
    subject: subfield,
  }),
);

/** SVAMP: the question follows the body, which often lacks its full stop. */
export const svamp: RowReader<MathRecord> = rowReader(
  z.object({
    ID: z.string(),
    Body: z.string(),
    Question: z.string(),
    Equation: z.string(),
    Answer: numberOrText,
    Type: z.string(),
  }),
  ({ ID, Body, Question, Equation, Answer, Type }) => {
    const body = Body.trim();
    const question = `${body}${/[\w)]$/.test(body) ? "." : ""} ${Question.trim()}`;
    return { kind: "math", key: ID, question, solution: Equation, answer: Answer, subject: Type };
  },
);

/**
 * The sets in the form of PAL (arXiv 2211.10435): MultiArith, SingleEq, AddSub, SingleOp, GSM-Hard. Of answers that were
 * computed in floating point, digits beyond the twelfth are rounding.
 */
export const pal: RowReader<MathRecord> = rowReader(
  z.object({ input: z.string(), target: z.number() }),
  ({ input, target }) => {
    const inexact = inexactNumber(target);
    if (inexact !== undefined) return malformed(`target: ${inexact}`);
    return { kind: "math", question: input.trim(), answer: String(Number(target.toPrecision(12))) };
  },
);

/** TheoremQA: the answer is a number, a list of numbers, a truth value or an option. */
export const theoremQA: RowReader<MathRecord> = rowReader(
  z.object({
    Question: z.string(),
    Answer: z.union([z.string(), z.number(), z.boolean(), z.array(z.number())]),
    Answer_type: z.string(),
    Picture: z.unknown(),
  }),
  ({ Question, Answer, Answer_type, Picture }) => {
    const inexact = [Answer].flat().map(inexactNumber).find(Boolean);
    if (inexact !== undefined) return malformed(`Answer: ${inexact}`);
    return {
      kind: "math",
      question: Question,
      answer: pythonText(Answer),
      subject: Answer_type,
      ...(Picture !== null && Picture !== undefined && Picture !== "NONE" && { needsPicture: true as const }),
    };
  },
);

/** As the Parquet file writes it, whose answers are Python's `str` of the value: True, [1, 2]. */
function pythonText(value: string | number | boolean | number[]): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}
