import { z } from "zod";
import type { ChoiceRecord, TextRecord } from "../records.js";
import { malformed, type RowReader, rowReader } from "./row-reader.js";

/**
 * BIG-Bench Hard. A row whose target is a letter is a choice between the options in its input, else a text question: yes or
 * no, words, numbers, brackets. Three rows of ruin_names and movie_recommendation are text although their tasks are
 * choices: commas tore their options apart, and their target is the text of an option that is not there.
 */
export const bbh: RowReader<ChoiceRecord | TextRecord> = rowReader(
  z.object({ input: z.string(), target: z.string() }),
  ({ input, target }) => {
    const letter = /^\(([A-Z])\)$/.exec(target)?.[1];
    if (letter === undefined) return { kind: "text", question: input, answer: target };
    const parts = splitOptions(input);
    if (!parts) return malformed(`input: expected lettered options, as the target is ${target}`);
    return { kind: "choice", ...parts, answer: letter };
  },
);

/** "…\nOptions:\n(A) one\n(B) two" as the question and its choices. */
function splitOptions(input: string): Pick<ChoiceRecord, "question" | "choices"> | undefined {
  const [question, options, ...more] = input.split(/\n?Options:\n/);
  if (!question || !options || more.length > 0) return undefined;
  const choices = options
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => /^\(([A-Z])\) ?(.*)$/.exec(line));
  if (choices.some((choice) => choice === null)) return undefined;
  return {
    question: question.trimEnd(),
    choices: choices.map((choice) => ({ letter: choice![1]!, text: choice![2]! })),
  };
}

/** The MMLU-style split of Atom of Thoughts. */
export const mmlu: RowReader<ChoiceRecord> = rowReader(
  z.object({
    Question: z.string(),
    A: z.string(),
    B: z.string(),
    C: z.string(),
    D: z.string(),
    Answer: z.string(),
  }),
  ({ Question, Answer, ...options }) => ({
    kind: "choice",
    question: Question,
    choices: Object.entries(options).map(([letter, text]) => ({ letter, text: text.trim() })),
    answer: Answer.trim(),
  }),
);
