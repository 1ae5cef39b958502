import { z } from "zod";
import {
  type Agreement,
  compareStated,
  evaluate,
  finalAnswer,
  parseArithmetic,
  type Rational,
  type Result,
} from "../../answer/index.js";

/** A row of GSM8K, plain or socratic. */
export const gsm8kRowSchema = z.object({ question: z.string().min(1), answer: z.string().min(1) });
export type Gsm8kRow = z.infer<typeof gsm8kRowSchema>;

/** A calculator annotation `<<48/2=24>>`: the author's computation and its result. */
export interface Annotation {
  expression: string;
  stated: string;
}

/** A line of the solution. */
export interface Step {
  /** The sub-question before `**` in the socratic version. */
  question?: string;
  /** The line without its annotations. */
  text: string;
  annotations: Annotation[];
}

export interface WordProblem {
  /** Split and 0-based row, such as "test/17". */
  id: string;
  question: string;
  steps: Step[];
  /** The number after `####`. */
  answer: Result<Rational>;
}

/** Parse a GSM8K row: steps with their sub-questions and annotations, and the final answer. */
export function parseWordProblem(row: Gsm8kRow, id: string): WordProblem {
  const lines = row.answer.split("\n").map((line) => line.trim());
  const steps = lines.filter((line) => line !== "" && !line.startsWith("####")).map(parseStep);
  return { id, question: row.question.trim(), steps, answer: finalAnswer(row.answer) };
}

function parseStep(line: string): Step {
  const at = line.indexOf("**");
  const text = at < 0 ? line : line.slice(at + 2);
  const annotations = [...text.matchAll(/<<([^<>]*)=([^<>=]*)>>/g)].map(([, expression, stated]) => ({
    expression: expression!,
    stated: stated!,
  }));
  const plain = text.replace(/<<[^<>]*>>/g, "").trim();
  return { ...(at < 0 ? {} : { question: line.slice(0, at).trim() }), text: plain, annotations };
}

/** Comparison of an annotation with exact arithmetic. */
export type Verdict = { status: Agreement; value: Rational } | { status: "unparseable"; reason: string };

/** Evaluate an annotation exactly and compare the result with the stated one. */
export function checkAnnotation({ expression, stated }: Annotation): Verdict {
  const parsed = parseArithmetic(expression);
  const value = parsed.ok ? evaluate(parsed.value) : parsed;
  if (!value.ok) return { status: "unparseable", reason: value.reason };
  const agreement = compareStated(value.value, stated);
  if (!agreement.ok) return { status: "unparseable", reason: `result "${stated}": ${agreement.reason}` };
  return { status: agreement.value, value: value.value };
}
