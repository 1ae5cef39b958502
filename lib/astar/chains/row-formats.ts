import { z } from "zod";
import { readTagged, type ThoughtTags } from "./tags.js";

/**
 * How a row of a file looks:
 * - conversations: `system` and `conversations`, whose second value has thought and solution between tags
 * - s1k: s1K-1.1, `question`, `deepseek_thinking_trajectory`, `deepseek_attempt`
 * - word-problems: `thoughtbook word-problems` with the fields question, paragraphs, plainChain, and as a rule id, answer
 */
export type RowFormat = "conversations" | "s1k" | "word-problems";

/**
 * Why a row is left out:
 * - malformed: not the columns of its format
 * - missing tags: thought or solution does not stand between its tags
 * - no question, empty chain, no solution: the part is empty
 */
export type SkipReason = "malformed" | "missing tags" | "no question" | "empty chain" | "no solution";
export const SKIP_REASONS: readonly SkipReason[] = [
  "malformed",
  "missing tags",
  "no question",
  "empty chain",
  "no solution",
];

/** The parts of a row, before its thought is split. */
export type DraftRow =
  | {
      value: {
        id?: string | undefined;
        question: string;
        thought: string;
        solution: string;
        system?: string | undefined;
        answer?: string | undefined;
        necessary?: boolean[] | undefined;
      };
    }
  | { problem: SkipReason; detail: string };

const text = z.string();
const id = z.union([text, z.int()]).nullish();

const conversationsSchema = z.object({
  id,
  system: text.nullish(),
  conversations: z.array(z.object({ value: text })).min(2),
});

const s1kSchema = z.object({ question: text, deepseek_thinking_trajectory: text, deepseek_attempt: text });

const wordProblemSchema = z.object({
  id,
  question: text,
  answer: z.number().optional(),
  plainChain: text,
  paragraphs: z.array(z.object({ text, necessary: z.boolean() })),
});

/** What reads a row of each format. */
export const ROW_FORMATS: Readonly<Record<RowFormat, (row: unknown, tags: ThoughtTags) => DraftRow>> = {
  conversations: reader(conversationsSchema, ({ id, system, conversations: [user, assistant] }, tags) => {
    const parts = readTagged(assistant!.value, tags);
    if ("missing" in parts) return { problem: "missing tags", detail: `there is no ${parts.missing}` };
    return { value: { id: idText(id), question: user!.value, system: system ?? undefined, ...parts } };
  }),
  s1k: reader(s1kSchema, ({ question, deepseek_thinking_trajectory: thought, deepseek_attempt: solution }) => ({
    value: { question, thought, solution },
  })),
  "word-problems": reader(wordProblemSchema, ({ id, question, answer, plainChain, paragraphs }) => ({
    value: {
      id: idText(id),
      question,
      thought: paragraphs.map(({ text }) => text).join("\n\n"),
      solution: plainChain,
      answer: answer === undefined ? undefined : String(answer),
      necessary: paragraphs.map(({ necessary }) => necessary),
    },
  })),
};

export const ROW_FORMAT_NAMES = Object.keys(ROW_FORMATS) as readonly RowFormat[];

const idText = (given: string | number | null | undefined): string | undefined =>
  given === null || given === undefined ? undefined : String(given);

function reader<Row>(schema: z.ZodType<Row>, map: (row: Row, tags: ThoughtTags) => DraftRow) {
  return (row: unknown, tags: ThoughtTags): DraftRow => {
    const parsed = schema.safeParse(row);
    if (parsed.success) return map(parsed.data, tags);
    const { path, message } = parsed.error.issues[0]!;
    return { problem: "malformed", detail: path.length > 0 ? `${path.join(".")}: ${message}` : message };
  };
}
