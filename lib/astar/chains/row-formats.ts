import { z } from "zod";
import { type ConversationRow, conversationOf } from "../../data/index.js";
import { thoughtBeside } from "../../model/index.js";
import { readTagged, readThinking, type ThoughtTags } from "./tags.js";

/**
 * Formats of a row in a file:
 * - conversations: in any of the layouts of `conversationOf` (ShareGPT, messages, Alpaca, TRL's prompt and completion) one
 *   question and one reply, which has thought and solution between tags, or its thought before `</think>` or in the field
 *   `reasoning_content` (`reasoning`, `thinking`)
 * - s1k: s1K-1.1, `question`, `deepseek_thinking_trajectory`, `deepseek_attempt`
 * - word-problems: `thoughtbook word-problems` with the fields question, paragraphs, plainChain, and as a rule id, answer
 */
export type RowFormat = "conversations" | "s1k" | "word-problems";

/**
 * Reasons to skip a row:
 * - malformed: not the columns of its format, or more than one question and its reply, of which only one could be used, or a reply
 *   that the row masks
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
  conversations(row, tags) {
    const conversation = conversationOf(row);
    if (conversation === undefined) {
      return { problem: "malformed", detail: "no conversations, messages, prompt, or instruction with its output" };
    }
    return conversation.ok
      ? exchangeOf(row as object, conversation.value, tags)
      : { problem: "malformed", detail: conversation.reason };
  },
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

/** The one exchange of a conversation: several would need to be shortened together, and none is left out. */
function exchangeOf(row: object, { messages, learned }: ConversationRow, tags: ThoughtTags): DraftRow {
  const others = messages[0]!.role === "system" ? messages.slice(1) : messages;
  const roles = others.map(({ role }) => role);
  const exchanges = roles.filter((role) => role === "assistant").length;
  if (exchanges > 1)
    return { problem: "malformed", detail: `the conversation has ${exchanges} exchanges, expected one` };
  if (roles.join() !== "user,assistant") {
    return { problem: "malformed", detail: `turns of ${roles.join(", ")}; expected one of user and one of assistant` };
  }
  const [user, assistant] = others as [ConversationRow["messages"][number], ConversationRow["messages"][number]];
  if (!learned.at(-1)) return { problem: "malformed", detail: "its reply is masked (weight 0, or trainable false)" };
  const beside = thoughtBeside(assistant);
  const tagged = readTagged(assistant.content, tags);
  const parts =
    "missing" in tagged
      ? beside !== undefined
        ? { thought: beside, solution: assistant.content.trim() }
        : (readThinking(assistant.content) ?? tagged)
      : tagged;
  if ("missing" in parts) return { problem: "missing tags", detail: `there is no ${parts.missing}` };
  const named = id.safeParse((row as { id?: unknown }).id);
  const system = messages[0]!.role === "system" && messages[0]!.content !== "" ? messages[0]!.content : undefined;
  return { value: { id: named.success ? idText(named.data) : undefined, question: user.content, system, ...parts } };
}

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
