import { z } from "zod";
import type { TraceRecord } from "../records.js";
import { hasField, malformed, type RowReader, rowReader } from "./row-reader.js";

/** s1K-1.1: the chains of DeepSeek-R1; `solution` is the reference, graded against which the attempt has a verdict. */
export const s1k: RowReader<TraceRecord> = rowReader(
  z.object({
    question: z.string(),
    deepseek_thinking_trajectory: z.string(),
    deepseek_attempt: z.string(),
    solution: z.string().nullish(),
    deepseek_grade: z.string().nullish(),
  }),
  ({ question, deepseek_thinking_trajectory, deepseek_attempt, solution, deepseek_grade }) => ({
    kind: "trace",
    question,
    thought: deepseek_thinking_trajectory,
    solution: deepseek_attempt,
    ...(solution?.trim() && { reference: solution }),
    ...(deepseek_grade && { isCorrect: /^\s*yes/i.test(deepseek_grade) }),
  }),
);

/** A*-Thought: ShareGPT conversations whose second value has thought and solution between tags; both are trimmed. */
export const astarThought: RowReader<TraceRecord> = rowReader(
  z.object({ system: z.string(), conversations: z.array(z.object({ value: z.string() })).min(2) }),
  ({ system, conversations }) => {
    const [user, assistant] = conversations;
    const thought = between(assistant!.value, "<|begin_of_thought|>", "<|end_of_thought|>");
    if (thought === undefined) return malformed("conversations.1.value: expected a thought between its tags");
    const solution = between(assistant!.value, "<|begin_of_solution|>", "<|end_of_solution|>");
    if (solution === undefined) return malformed("conversations.1.value: expected a solution between its tags");
    return { kind: "trace", system, question: user!.value, thought, solution };
  },
);

const separated: RowReader<TraceRecord> = rowReader(
  z.object({
    id: z.union([z.string(), z.int()]).optional(),
    question: z.string(),
    thought: z.string(),
    solution: z.string(),
    answer: z.string().nullish(),
    reference_answer: z.string().nullish(),
    is_correct: z.boolean().nullish(),
  }),
  ({ id, question, thought, solution, answer, reference_answer, is_correct }) => ({
    kind: "trace",
    ...(id !== undefined && { key: id }),
    question,
    thought,
    solution,
    ...(answer && { answer }),
    ...(reference_answer && { reference: reference_answer }),
    ...(typeof is_correct === "boolean" && { isCorrect: is_correct }),
  }),
);

/** Chat templates put the opening tag into the prompt, so a response may lack it. */
const tagged: RowReader<TraceRecord> = rowReader(
  z.object({
    id: z.union([z.string(), z.int()]).optional(),
    question: z.string(),
    response: z.string(),
    reference_answer: z.string().nullish(),
    is_correct: z.boolean().nullish(),
  }),
  ({ response, ...rest }) => {
    const end = response.indexOf("</think>");
    if (end < 0) return malformed("response: there is no </think>");
    const thought = response
      .slice(0, end)
      .replace(/^\s*<think>/, "")
      .trim();
    const draft = separated({ ...rest, thought, solution: response.slice(end + "</think>".length).trim() })!;
    return draft.ok ? draft.value : draft;
  },
);

/** R1-style chains: `thought` and `solution`, or a `response` with `<think>…</think>` before the solution. */
export const r1Traces: RowReader<TraceRecord> = (row) => (hasField(row, "response") ? tagged : separated)(row);

/** The trimmed text between the first `begin` and the first `end` after it. */
function between(text: string, begin: string, end: string): string | undefined {
  const start = text.indexOf(begin);
  const stop = start < 0 ? -1 : text.indexOf(end, start + begin.length);
  return stop < 0 ? undefined : text.slice(start + begin.length, stop).trim();
}
