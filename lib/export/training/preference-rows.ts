import { z } from "zod";
import { badInput } from "../../core/index.js";
import { conversationOf, readRows } from "../../data/index.js";
import type { ChatMessage } from "../../model/index.js";
import { OPERATIONS, operationMessage } from "../../operations/index.js";

/** A prompt with a reply that is preferred to another one: texts, or turns. */
export interface PreferenceRow {
  prompt: string | ChatMessage[];
  chosen: string | ChatMessage[];
  rejected: string | ChatMessage[];
}

/** A prompt whose attempts are rewarded by comparing their answers with the reference. */
export interface RewardedRow {
  prompt: ChatMessage[];
  answer: string;
}

type Row = Readonly<Record<string, unknown>>;

/** Rows of a file with their places. Throws corrupt-data naming one that cannot be read. */
async function* rowsOf(file: string): AsyncGenerator<{ row: Row; place: string }> {
  const onMalformed = ({ place, reason }: { place: string; reason: string }) => {
    throw badInput(`${file}: ${place}: ${reason}`, "Correct or delete that row.");
  };
  for await (const { value, place } of readRows(file, { onMalformed, anyName: true })) {
    yield { row: Object(value) as Row, place: `${file}: ${place}` };
  }
}

/**
 * Read preferences: `prompt`, `chosen`, `rejected` as texts or turns (TRL), or `conversations` with a turn each as `chosen`
 * and `rejected` (LLaMA-Factory).
 *
 * @throws bad-input naming the row, as for one whose two replies are equal
 */
export async function* preferenceRows(file: string): AsyncGenerator<PreferenceRow> {
  for await (const { row, place } of rowsOf(file)) {
    const [chosen, rejected] = ["chosen", "rejected"].map((field) =>
      partOf(row[field], "assistant", `${place}: ${field}`),
    );
    const given = row.prompt ?? row.conversations ?? row.messages;
    const prompt = partOf(given, "user", `${place}: prompt`);
    const asTurns = [prompt, chosen, rejected].some((part) => typeof part !== "string");
    const read = asTurns
      ? {
          prompt: [...systemOf(row, prompt!), ...turns(prompt!, "user")],
          chosen: turns(chosen!, "assistant"),
          rejected: turns(rejected!, "assistant"),
        }
      : { prompt: prompt!, chosen: chosen!, rejected: rejected! };
    if (JSON.stringify(read.chosen) === JSON.stringify(read.rejected)) {
      throw badInput(`${place}: chosen and rejected are equal`, "There is nothing to prefer: delete that row.");
    }
    yield read;
  }
}

const systemOf = ({ system }: Row, prompt: string | ChatMessage[]): ChatMessage[] =>
  typeof system === "string" && system !== "" && (typeof prompt === "string" || prompt[0]?.role !== "system")
    ? [{ role: "system", content: system }]
    : [];

const turns = (part: string | ChatMessage[], role: string): ChatMessage[] =>
  typeof part === "string" ? [{ role, content: part }] : part;

/** A text, one turn, or a list of turns. */
function partOf(value: unknown, speaker: string, place: string): string | ChatMessage[] {
  if (typeof value === "string" && value.trim() !== "") return value;
  const list = Array.isArray(value) ? value : typeof value === "object" && value !== null ? [value] : [];
  const read = list.length > 0 ? conversationOf({ messages: list }) : undefined;
  if (read?.ok) return read.value.messages;
  const found = read
    ? read.reason
    : value === undefined
      ? "it is missing"
      : `it is ${JSON.stringify(value)?.slice(0, 40)}`;
  throw badInput(`${place}: ${found}`, `Expected a text, or turns of ${speaker}.`);
}

const questionSchema = z.object({
  question: z.string().min(1).optional(),
  problem: z.string().min(1).optional(),
  prompt: z.unknown().optional(),
  answer: z.union([z.string().min(1), z.number()]).optional(),
  solution: z.string().min(1).optional(),
  ground_truth: z.union([z.string().min(1), z.number()]).optional(),
});

/**
 * Read problems with their answers: `question` (or `problem`), or a `prompt` of text or turns, and `answer` (or
 * `ground_truth`, or `solution`). Of GSM8K's solutions the number after `####` is the answer. A bare question is asked as
 * the operation `cot` asks it.
 *
 * @throws bad-input naming the row
 */
export async function* rewardedRows(file: string): AsyncGenerator<RewardedRow> {
  for await (const { row, place } of rowsOf(file)) {
    const parsed = questionSchema.safeParse(row);
    if (!parsed.success) {
      const { path, message } = parsed.error.issues[0]!;
      throw badInput(`${place}: ${path.join(".")}: ${message}`, "Correct that row.");
    }
    const { question, problem, prompt, answer, ground_truth, solution } = parsed.data;
    const asked = question ?? problem;
    const reference = answer ?? ground_truth ?? solution;
    if (reference === undefined)
      throw badInput(`${place}: there is no answer`, "Give it as answer, ground_truth or solution.");
    yield {
      prompt:
        asked === undefined
          ? turns(partOf(prompt, "user", `${place}: prompt`), "user")
          : [operationMessage(OPERATIONS.cot, { question: asked }, "instruction")],
      answer: referenceOf(String(reference)),
    };
  }
}

/** What stands after the last `####`, or the whole text. */
const referenceOf = (text: string): string => text.split("####").at(-1)!.trim();
