import { z } from "zod";
import { extractAnswer } from "../../answer/index.js";
import { type ConversationRow, conversationOf } from "../../data/index.js";
import { thoughtBeside } from "../../model/index.js";
import { readTagged, readThinking, type ThoughtTags } from "./tags.js";

/**
 * Formats of a row in a file:
 * - conversations: in any of the layouts of `conversationOf` (ShareGPT, messages, Alpaca, TRL's prompt and completion) one
 *   question and one reply, which has thought and solution between tags, or its thought before `</think>` or in the field
 *   `reasoning_content` (`reasoning`, `thinking`); or a question with such a reply beside it, by the names of `QUESTIONS` and
 *   `REPLIES`, with the reference as `answer`, as files of sampled chains have it
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
      return (
        responseOf(row, tags) ?? {
          problem: "malformed",
          detail: "no conversations, messages, prompt, instruction with its output, or question with its response",
        }
      );
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

/** Names under which files of sampled chains have the question and the reply. */
const QUESTIONS = ["question", "problem", "query", "input"] as const;
const REPLIES = ["response", "generation", "reply", "output", "completion"] as const;
const REFERENCES = ["answer", "gold", "reference", "target", "ground_truth"] as const;

/** A question and the reply that was sampled for it, in fields of their own; undefined for other rows. */
function responseOf(row: unknown, tags: ThoughtTags): DraftRow | undefined {
  const fields = Object(row) as Readonly<Record<string, unknown>>;
  const textIn = (names: readonly string[]) =>
    names.map((name) => fields[name]).find((each) => typeof each === "string");
  const [question, reply] = [textIn(QUESTIONS), textIn(REPLIES)] as (string | undefined)[];
  if (question === undefined || reply === undefined) return undefined;
  const parts = partsOf(reply, thoughtBeside({ ...fields, role: "assistant", content: reply }), tags);
  if ("missing" in parts) return { problem: "missing tags", detail: `there is no ${parts.missing}, and no </think>` };
  const reference = REFERENCES.map((name) => fields[name]).find((each) => ["string", "number"].includes(typeof each));
  const system = typeof fields.system === "string" && fields.system !== "" ? fields.system : undefined;
  return { value: { id: responseId(fields), question, system, answer: referenceAnswer(reference), ...parts } };
}

/** The answer that a reference states: that of a worked solution, or the whole text. */
function referenceAnswer(reference: unknown): string | undefined {
  if (reference === undefined) return undefined;
  const text = String(reference).trim();
  if (text === "") return undefined;
  const stated = extractAnswer(text, "strict");
  return stated.ok ? stated.value : text;
}

/** The row's id; or else the index of the problem in GSM8K's test split, under the name that the data set has there. */
function responseId({ id: own, gsm8k_test_index: index }: Readonly<Record<string, unknown>>): string | undefined {
  const named = id.safeParse(own);
  if (named.success && named.data !== null && named.data !== undefined) return idText(named.data);
  return typeof index === "number" ? `gsm8k/test/${index}` : undefined;
}

/** Thought and solution of a reply: between tags, in a field beside it, or before and after `</think>`. */
function partsOf(
  content: string,
  beside: string | undefined,
  tags: ThoughtTags,
): { thought: string; solution: string } | { missing: string } {
  const tagged = readTagged(content, tags);
  if (!("missing" in tagged)) return tagged;
  return beside === undefined ? (readThinking(content) ?? tagged) : { thought: beside, solution: content.trim() };
}

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
  const parts = partsOf(assistant.content, thoughtBeside(assistant), tags);
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
