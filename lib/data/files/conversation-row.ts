import { z } from "zod";
import { fail, type Result } from "../../answer/index.js";
import type { ChatMessage } from "../../model/index.js";
import { checkShape, hasField } from "../sets/rows/row-reader.js";

/** A row of a chat data set as the turns of a conversation. */
export interface ConversationRow {
  messages: ChatMessage[];
  /** For each turn whether a model learns it: the assistant's turns, unless the row masks them. */
  learned: boolean[];
  /**
   * For an Alpaca row of one exchange without a system prompt: the same as plain text, for models without a chat
   * template.
   */
  text?: { prompt: string; completion: string };
}

/**
 * Names of the roles in different layouts. Data sets call the author of the instructions `system`, OpenAI's newer
 * models `developer`.
 */
const SPEAKERS: Readonly<Record<string, "system" | "user" | "assistant">> = {
  ...{ system: "system", developer: "system" },
  ...{ user: "user", human: "user" },
  ...{ assistant: "assistant", gpt: "assistant", chatgpt: "assistant", bing: "assistant", bard: "assistant" },
  ...{ model: "assistant", bot: "assistant" },
};

const text = z.string();
const flag = z.union([z.boolean(), z.literal(0), z.literal(1)], { error: "expected 0, 1, true or false" }).nullish();
/**
 * Names under which data sets say whether a turn is learned: OpenAI and Mistral, Axolotl (two), ms-swift, and others.
 */
const FLAGS = ["weight", "train", "training", "loss", "trainable"] as const;
const turnSchema = z.looseObject({
  role: text.nullish(),
  from: text.nullish(),
  content: z.unknown().optional(),
  value: z.unknown().optional(),
  ...(Object.fromEntries(FLAGS.map((name) => [name, flag])) as Record<(typeof FLAGS)[number], typeof flag>),
});
const partsSchema = z.array(z.looseObject({ type: text, text: text.optional() }));
const alpacaSchema = z.looseObject({
  instruction: text,
  input: text.nullish(),
  context: text.nullish(),
  output: text.nullish(),
  response: text.nullish(),
  history: z.array(z.tuple([text, text])).nullish(),
});

type Row = Readonly<Record<string, unknown>>;

/** Fields that may hold the list of turns. */
const TURNS = ["messages", "conversations", "conversation"] as const;

/**
 * Read a row as a conversation; undefined if it has none of these layouts:
 * - `messages` (OpenAI, TRL) or `conversations` (ShareGPT): turns with `role` and `content`, or `from` and `value`
 * - `prompt` and `completion` (TRL), lists of turns or texts; of lists only the completion is learned
 * - `instruction`, `input`, `output`, `history` (Alpaca, and Dolly's `context` and `response`)
 *
 * A field `system` is the first turn. A turn with `weight: 0`, or false as `train`, `training`, `trainable` or `loss`,
 * is not learned. What cannot be represented (turns of tools in ShareGPT, images) is refused, never dropped.
 */
export function conversationOf(row: unknown): Result<ConversationRow> | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const given = row as Row;
  const read = layoutOf(given);
  if (read === undefined) return undefined;
  if (!isBlank(given.tools)) return fail("the row has tools, which are not supported");
  const conversation = read();
  return conversation.ok ? withSystem(given, conversation.value) : conversation;
}

function layoutOf(row: Row): (() => Result<ConversationRow>) | undefined {
  const turns = TURNS.find((name) => isGiven(row, name));
  if (turns) return () => turnsOf(row[turns], turns);
  if (isGiven(row, "prompt")) return () => promptWithCompletion(row);
  const isAlpaca = isGiven(row, "instruction") && ["output", "response"].some((name) => isGiven(row, name));
  return isAlpaca ? () => alpaca(row) : undefined;
}

/** A list of turns. Where no turn names its role, user and assistant alternate. */
function turnsOf(value: unknown, field: string): Result<ConversationRow> {
  if (!Array.isArray(value) || value.length === 0) return fail(`${field}: expected a list of turns`);
  const someoneNamed = value.some((turn) => isGiven(Object(turn), "role") || isGiven(Object(turn), "from"));
  const messages: ChatMessage[] = [];
  const learned: boolean[] = [];
  for (const [index, turn] of value.entries()) {
    const read = turnOf(turn, someoneNamed ? undefined : index % 2 === 0 ? "user" : "assistant");
    if (!read.ok) return fail(`${field}.${index}${read.reason}`);
    messages.push(read.value.message);
    learned.push(read.value.learned);
  }
  return { ok: true, value: { messages, learned } };
}

/** A turn; a failure's reason is appended to its place. */
function turnOf(value: unknown, speaker: string | undefined): Result<{ message: ChatMessage; learned: boolean }> {
  const shape = checkShape(turnSchema, value);
  // Zod's reasons begin with the path, if there is one.
  if (!shape.ok) return fail(`${/^\w+: /.test(shape.reason) ? "." : ": "}${shape.reason}`);
  const { role: named, from, content, value: said, ...rest } = shape.value;
  const name = named ?? from ?? speaker;
  if (name === undefined) return fail(".role: expected a text");
  const role = SPEAKERS[name.trim().toLowerCase()];
  // Other roles are left to the chat template to write or to refuse.
  if (role === undefined && named === undefined) {
    return fail(`: ${JSON.stringify(name)} speaks; only system, human and gpt (or user and assistant) are supported`);
  }
  const written = contentOf(content ?? said);
  if (!written.ok)
    return fail(`.${content === undefined && said !== undefined ? "value" : "content"}${written.reason}`);
  const flags = FLAGS.map((each) => rest[each]);
  const fields = Object.entries(rest).filter(([key]) => !(FLAGS as readonly string[]).includes(key));
  return {
    ok: true,
    value: {
      message: { ...Object.fromEntries(fields), role: role ?? name, content: written.value },
      learned: role === "assistant" && !flags.some((each) => each === false || each === 0),
    },
  };
}

/** The text of a turn, which may be a list of parts. */
function contentOf(content: unknown): Result<string> {
  if (typeof content === "string") return { ok: true, value: content };
  if (!Array.isArray(content)) return fail(": expected a text");
  const parts = checkShape(partsSchema, content);
  if (!parts.ok) return fail(`.${parts.reason}`);
  const other = parts.value.findIndex((part) => part.type !== "text" || part.text === undefined);
  if (other >= 0)
    return fail(`.${other}: a part of the type ${JSON.stringify(parts.value[other]!.type)}, expected text`);
  return { ok: true, value: parts.value.map((part) => part.text).join("") };
}

/** In plain texts the prompt is the user's turn. */
function promptWithCompletion({ prompt, completion }: Row): Result<ConversationRow> {
  const asked = typeof prompt === "string" ? said("user", prompt) : turnsOf(prompt, "prompt");
  if (!asked.ok) return asked;
  if (Array.isArray(completion) && typeof prompt === "string") {
    return fail("prompt is a text and completion a list of turns: give both in the same way");
  }
  if (typeof completion !== "string" && !Array.isArray(completion)) {
    return fail("completion: expected a text or a list of turns");
  }
  const answered = typeof completion === "string" ? said("assistant", completion) : turnsOf(completion, "completion");
  if (!answered.ok) return answered;
  return {
    ok: true,
    value: {
      messages: [...asked.value.messages, ...answered.value.messages],
      learned: [...asked.value.messages.map(() => false), ...answered.value.learned],
    },
  };
}

const said = (role: "user" | "assistant", content: string): { ok: true; value: ConversationRow } => ({
  ok: true,
  value: { messages: [{ role, content }], learned: [role === "assistant"] },
});

/** The input stands below its instruction, as in LLaMA-Factory. */
function alpaca(row: Row): Result<ConversationRow> {
  const shape = checkShape(alpacaSchema, row);
  if (!shape.ok) return shape;
  const { instruction, input, context, output, response, history } = shape.value;
  const below = input ?? context ?? "";
  const exchanges: [string, string][] = [
    ...(history ?? []),
    [below.trim() === "" ? instruction : `${instruction}\n${below}`, (output ?? response)!],
  ];
  const messages = exchanges.flatMap(([question, reply]): ChatMessage[] => [
    { role: "user", content: question },
    { role: "assistant", content: reply },
  ]);
  return {
    ok: true,
    value: {
      messages,
      learned: messages.map(({ role }) => role === "assistant"),
      ...(exchanges.length > 1 ? {} : { text: alpacaText(instruction, below, (output ?? response)!) }),
    },
  };
}

/** The format that Stanford's Alpaca was trained with. */
function alpacaText(instruction: string, input: string, completion: string): { prompt: string; completion: string } {
  const [further, below] =
    input.trim() === ""
      ? ["", ""]
      : [", paired with an input that provides further context", `### Input:\n${input}\n\n`];
  const task = `Below is an instruction that describes a task${further}. Write a response that appropriately completes the request.`;
  return { prompt: `${task}\n\n### Instruction:\n${instruction}\n\n${below}### Response:\n`, completion };
}

/** The conversation with the system prompt that its row names beside it. */
function withSystem(row: Row, conversation: ConversationRow): Result<ConversationRow> {
  const field = ["system", "system_prompt"].find((name) => !isBlank(row[name]));
  if (field === undefined) return { ok: true, value: conversation };
  const content = row[field];
  if (typeof content !== "string") return fail(`${field}: expected a text`);
  const { messages, learned } = conversation;
  const own = messages.find(({ role }) => role === "system");
  if (own?.content === content) return { ok: true, value: conversation };
  if (own) return fail(`${field} says something else than the system's turn`);
  return { ok: true, value: { messages: [{ role: "system", content }, ...messages], learned: [false, ...learned] } };
}

const isGiven = (row: object, name: string): boolean => hasField(row, name) && (row as Row)[name] != null;

/** Whether a field is empty in the way that tables write missing values. */
function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return /^\s*(?:\[\s*\])?\s*$/.test(value);
  return Array.isArray(value) && value.length === 0;
}
