import { z } from "zod";
import { ThoughtbookError } from "../../core/index.js";
import { conversationOf, type RawRow, readRows as readRowFile } from "../../data/index.js";
import {
  type ChatMessage,
  type ChatTemplate,
  chatTemplateOf,
  encodeTrainingTexts,
  loadTokenizer,
  type ModelConfig,
  type Tokenizer,
} from "../../model/index.js";
import { checkIds, type Example, exampleOf, sizeOfExample } from "./examples.js";

/** One schema for each kind of row other than a conversation, by the field that identifies it. */
const SCHEMAS = {
  ids: z.object({ ids: z.array(z.int()).min(1), labels: z.array(z.int()).nullish() }),
  prompt: z.object({ prompt: z.string(), completion: z.string() }),
  text: z.object({ text: z.string() }),
};

/**
 * A row to train on. The loss counts the completion, the assistant's learned turns (default: all), the whole text, or
 * the labels other than −100 (all ids if there are none).
 */
export type TrainingRow =
  | { prompt: string; completion: string }
  | {
      messages: readonly ChatMessage[];
      learned?: readonly boolean[] | undefined;
      /** The same as a text, for a model without a chat template. */
      text?: { prompt: string; completion: string } | undefined;
    }
  | { text: string }
  | { ids: readonly number[]; labels?: readonly number[] | null | undefined };

/** Tokenizer and template for rows; each is loaded when a row first needs it. */
export interface RowEncoder {
  tokenizer(): Promise<Tokenizer>;
  template(): Promise<ChatTemplate>;
}

export interface ReadRowsOptions {
  config: Pick<ModelConfig, "vocabularySize" | "maxPositions">;
  encoder: RowEncoder;
  /** Maximum tokens of an example. Default: what the model's positions allow. */
  context?: number;
  /**
   * What to do with a longer row: keep its first tokens, or skip it. A row without remaining counted tokens is always
   * skipped. Default: `cut`.
   */
  tooLong?: "cut" | "drop";
}

/** Counts of what happened to the rows of a file. */
export interface RowCounts {
  rows: number;
  /** Rows that became an example per turn of the assistant, because the template writes earlier turns differently. */
  split: number;
  /** Examples of which only the first tokens are used: rows, or turns of rows that are split. */
  cut: number;
  /** Examples skipped because they are too long. */
  tooLong: number;
  /** Examples skipped because none of their tokens is counted. */
  empty: number;
}

export interface ReadRows {
  examples: Example[];
  /** Weight of each example in the loss; undefined if no row has one. */
  weights: number[] | undefined;
  counts: RowCounts;
}

/** The encoder of a model's folder. Its methods throw as `loadTokenizer` and `chatTemplateOf`. */
export function encoderOf(folder: string): RowEncoder {
  let tokenizer: Promise<Tokenizer> | undefined;
  let template: Promise<ChatTemplate> | undefined;
  return {
    tokenizer() {
      tokenizer ??= loadTokenizer(folder);
      return tokenizer;
    },
    template() {
      template ??= chatTemplateOf(folder);
      return template;
    },
  };
}

/**
 * Read rows to train on from a JSONL file, or a JSON array, CSV or Parquet: `{prompt, completion}`, `{text}`,
 * `{ids, labels?}`, or a conversation in any of the layouts of `conversationOf` (messages, ShareGPT, Alpaca, TRL's lists);
 * each row of any kind.
 *
 * Parts are encoded each and their ids joined. A completion and a text get the token that ends texts, and a prompt and a
 * text what the tokenizer puts before texts; ids are as they are. Conversations are as the chat template writes them: see
 * `trainingTexts` for templates that write earlier turns otherwise, with which a row becomes an example for each turn.
 *
 * A row of any kind may have a `weight`, a number above 0: what each of its tokens counts for in the loss.
 *
 * @throws bad-input and corrupt-data naming file and line; not-found (no file, tokenizer or chat template), file-system
 */
export async function readRows(file: string, options: ReadRowsOptions): Promise<ReadRows> {
  const { config, encoder, context = config.maxPositions, tooLong = "cut" } = options;
  checkContext(context, config.maxPositions);
  const examples: Example[] = [];
  const weights: number[] = [];
  const counts: RowCounts = { rows: 0, split: 0, cut: 0, tooLong: 0, empty: 0 };
  for await (const { row, place, weight } of trainingRows(file)) {
    const encoded = await encodeRow(row, encoder).catch((error: unknown) => {
      throw atPlace(error, place);
    });
    counts.rows++;
    if (encoded.length > 1) counts.split++;
    for (const example of encoded) {
      checkIds(place, example, config.vocabularySize);
      const isLong = example.ids.length > context;
      if (isLong && tooLong === "drop") counts.tooLong++;
      else {
        const used = isLong ? firstTokens(example, context) : example;
        if (sizeOfExample(used).counted === 0) counts.empty++;
        else {
          examples.push(used);
          weights.push(weight);
          if (isLong) counts.cut++;
        }
      }
    }
  }
  if (examples.length > 0)
    return { examples, weights: weights.some((weight) => weight !== 1) ? weights : undefined, counts };
  throw new ThoughtbookError("bad-input", `${file} has nothing to train on: ${describeCounts(counts)}`, {
    hint: "Give rows with prompt and completion, messages, text, or ids that fit into the model's context.",
  });
}

/**
 * The rows of a file, of any kind that `readRows` takes, one at a time, each with its place such as "rows.jsonl:3".
 *
 * @throws bad-input and corrupt-data naming file and line; not-found, file-system
 */
export async function* trainingRows(
  file: string,
): AsyncGenerator<{ row: TrainingRow; place: string; weight: number }, void, undefined> {
  const onMalformed = ({ place, reason }: { place: string; reason: string }) => {
    throw new ThoughtbookError("corrupt-data", `${placeIn(file, place)}: ${reason}`, {
      hint: "Correct or delete that row.",
    });
  };
  for await (const row of readRowFile(file, { onMalformed, anyName: true })) {
    const place = placeIn(file, row.place);
    yield { row: parseRow(row.value, place), place, weight: weightOf(row.value, place) };
  }
}

/** What a row counts for in the loss, in its field "weight"; 1 without it. */
function weightOf(value: unknown, place: string): number {
  const { weight } = Object(value) as { weight?: unknown };
  if (weight === undefined || weight === null) return 1;
  if (typeof weight === "number" && Number.isFinite(weight) && weight > 0) return weight;
  throw wrongRow(place, `weight: expected a finite number above 0, not ${JSON.stringify(weight)}`);
}

/** Where a row stands: by its line, as editors know it, or by its number. */
const placeIn = (file: string, place: RawRow["place"]): string =>
  place.startsWith("line ") ? `${file}:${place.slice("line ".length)}` : `${file}: ${place}`;

/** One line for people: "2,000 rows, 3 cut to the context". */
export function describeCounts({ rows, split, cut, tooLong, empty }: RowCounts): string {
  const parts = [
    [split, "split by turn"],
    [cut, "cut to the context"],
    [tooLong, "left out as too long"],
    [empty, "left out as nothing in them is counted"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count.toLocaleString("en-US")} ${what}`);
  return [`${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`, ...told].join(", ");
}

/**
 * The token ids of a row, and which the loss counts: one example, or for a conversation as many as `trainingTexts` tells.
 * Throws as the tokenizer and the chat template do.
 */
export async function encodeRow(row: TrainingRow, encoder: RowEncoder): Promise<Example[]> {
  if ("ids" in row) {
    return [
      row.labels == null ? exampleOf(row.ids) : { ids: Int32Array.from(row.ids), labels: Int32Array.from(row.labels) },
    ];
  }
  const tokenizer = await encoder.tokenizer();
  if ("messages" in row) {
    const template = await templateFor(row, encoder);
    if (template === undefined) return [encodeCompletion(tokenizer, row.text!)];
    const texts = encodeTrainingTexts(tokenizer, template, row.messages, { learned: row.learned });
    return texts.map(({ ids, assistant }) => exampleOf(ids, (i) => assistant[i]!));
  }
  if ("text" in row) return [exampleOf(ended(tokenizer, begun(tokenizer, row.text)))];
  return [encodeCompletion(tokenizer, row)];
}

/** The chat template; undefined if there is none and the row is a text as well. */
async function templateFor(row: Extract<TrainingRow, { messages: unknown }>, encoder: RowEncoder) {
  try {
    return await encoder.template();
  } catch (error) {
    if (row.text && error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  }
}

function encodeCompletion(tokenizer: Tokenizer, row: { prompt: string; completion: string }): Example {
  const prompt = begun(tokenizer, row.prompt);
  const completion = tokenizer.encode(row.completion, { addSpecialTokens: false, continues: prompt.length > 0 });
  return exampleOf([...prompt, ...ended(tokenizer, completion)], (i) => i >= prompt.length);
}

/** A text with what the tokenizer puts before it, but not with what it puts behind. */
function begun(tokenizer: Tokenizer, text: string): number[] {
  const plain = tokenizer.encode(text, { addSpecialTokens: false });
  const framed = tokenizer.encode(text);
  const isAt = (start: number) => plain.every((id, i) => framed[start + i] === id);
  // Of an empty text everything is before it, apart from the token that ends texts.
  if (plain.length === 0) return framed.filter((id, i) => i === 0 || id !== tokenizer.special.eos?.id);
  const before = Array.from({ length: framed.length - plain.length + 1 }, (_, start) => start).find(isAt);
  return before === undefined ? framed : framed.slice(0, before + plain.length);
}

function ended(tokenizer: Tokenizer, ids: readonly number[]): number[] {
  const end = tokenizer.special.eos?.id;
  return end === undefined || ids.at(-1) === end ? [...ids] : [...ids, end];
}

function parseRow(value: unknown, place: string): TrainingRow {
  const row = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const fields = Object.keys(row).filter((field) => row[field] !== null);
  if (fields.includes("ids")) return checked(SCHEMAS.ids, value, place);
  if (isText(row)) return checked(SCHEMAS.prompt, value, place);
  const conversation = conversationOf(value);
  if (conversation?.ok) return conversation.value;
  if (conversation) throw wrongRow(place, conversation.reason);
  if (fields.includes("text")) return checked(SCHEMAS.text, value, place);
  const given = fields.length === 0 ? "no fields" : `only ${fields.slice(0, 5).join(", ")}`;
  throw new ThoughtbookError("bad-input", `${place}: the row has ${given}`, {
    hint: "Expected prompt and completion, messages, conversations, instruction and output, text, or ids.",
  });
}

/** Whether a row is a prompt and its completion as plain texts, with nothing that only a conversation has a place for. */
const isText = (row: Readonly<Record<string, unknown>>): boolean =>
  typeof row.prompt === "string" &&
  !Array.isArray(row.completion) &&
  ["messages", "conversations", "conversation", "system", "system_prompt"].every(
    (field) => row[field] === undefined || row[field] === null || row[field] === "",
  );

function checked<Row extends TrainingRow>(schema: z.ZodType<Row>, value: unknown, place: string): Row {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw wrongRow(place, `${path.join(".")}: ${message}`);
}

const wrongRow = (place: string, reason: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", `${place}: ${reason}`, { hint: "Correct that row." });

/** The error with the place before its message. */
function atPlace(error: unknown, place: string): unknown {
  if (!(error instanceof ThoughtbookError) || error.code === "not-found") return error;
  const { code, message, hint } = error;
  return new ThoughtbookError(code, `${place}: ${message}`, { ...(hint ? { hint } : {}), cause: error });
}

const firstTokens = ({ ids, labels }: Example, count: number): Example => ({
  ids: ids.slice(0, count),
  labels: labels.slice(0, count),
});

function checkContext(context: number, maxPositions: number): void {
  if (Number.isInteger(context) && context > 1 && context <= maxPositions) return;
  throw new ThoughtbookError(
    "bad-input",
    `the context is ${context} tokens, expected a whole number from 2 to ${maxPositions}`,
    { hint: "The model has no more positions." },
  );
}
