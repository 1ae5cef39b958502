import { z } from "zod";
import { readJsonl, ThoughtbookError } from "../../core/index.js";
import {
  type ChatMessage,
  type ChatTemplate,
  chatTemplateOf,
  encodeConversation,
  loadTokenizer,
  type ModelConfig,
  type Tokenizer,
} from "../../model/index.js";
import { checkIds, type Example, exampleOf, sizeOfExample } from "./examples.js";

const messageSchema = z.looseObject({ role: z.string(), content: z.string() });

/** One schema for each kind of row, by the field that tells the kind. */
const SCHEMAS = {
  ids: z.object({ ids: z.array(z.int()).min(1), labels: z.array(z.int()).optional() }),
  messages: z.object({ messages: z.array(messageSchema).min(1) }),
  prompt: z.object({ prompt: z.string(), completion: z.string() }),
  text: z.object({ text: z.string() }),
};

/**
 * A row to train on. What the loss counts is the completion, the assistant's turns, the whole text, or the labels that
 * are not −100 (all ids where there are none).
 */
export type TrainingRow =
  | { prompt: string; completion: string }
  | { messages: readonly ChatMessage[] }
  | { text: string }
  | { ids: readonly number[]; labels?: readonly number[] | undefined };

/** Where the tokenizer and the template of rows come from; each is loaded when a row first needs it. */
export interface RowEncoder {
  tokenizer(): Promise<Tokenizer>;
  template(): Promise<ChatTemplate>;
}

export interface ReadRowsOptions {
  config: Pick<ModelConfig, "vocabularySize" | "maxPositions">;
  encoder: RowEncoder;
  /** The most tokens of an example. Default: what the model's positions allow. */
  context?: number;
  /**
   * What becomes of a row with more tokens: its first ones are kept, or it is left out. A row of which nothing is left
   * to count is left out either way. Default: `cut`.
   */
  tooLong?: "cut" | "drop";
}

/** What became of the rows of a file. */
export interface RowCounts {
  rows: number;
  /** Rows of which only the first tokens are used. */
  cut: number;
  /** Rows left out because they are too long. */
  tooLong: number;
  /** Rows left out because no token of theirs is counted. */
  empty: number;
}

export interface ReadRows {
  examples: Example[];
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
 * Read rows to train on from a JSONL file: `{prompt, completion}`, `{messages: [{role, content}]}`, `{text}` or
 * `{ids, labels?}`, each line of any kind.
 *
 * Parts are encoded each and their ids joined. A completion and a text get the token that ends texts, and a prompt and a
 * text what the tokenizer puts before texts; conversations are as the chat template writes them, ids as they are.
 *
 * @throws bad-input and corrupt-data naming file and line; not-found (no file, tokenizer or chat template), file-system
 */
export async function readRows(file: string, options: ReadRowsOptions): Promise<ReadRows> {
  const { config, encoder, context = config.maxPositions, tooLong = "cut" } = options;
  checkContext(context, config.maxPositions);
  const examples: Example[] = [];
  const counts: RowCounts = { rows: 0, cut: 0, tooLong: 0, empty: 0 };
  for await (const { line, value } of readJsonl(file)) {
    const place = `${file}:${line}`;
    const example = await encodeRow(parseRow(value, place), encoder).catch((error: unknown) => {
      throw atPlace(error, place);
    });
    checkIds(place, example, config.vocabularySize);
    counts.rows++;
    const isLong = example.ids.length > context;
    if (isLong && tooLong === "drop") counts.tooLong++;
    else {
      const used = isLong ? firstTokens(example, context) : example;
      if (sizeOfExample(used).counted === 0) counts.empty++;
      else {
        examples.push(used);
        if (isLong) counts.cut++;
      }
    }
  }
  if (examples.length > 0) return { examples, counts };
  throw new ThoughtbookError("bad-input", `${file} has nothing to train on: ${describeCounts(counts)}`, {
    hint: "Give rows with prompt and completion, messages, text, or ids that fit into the model's context.",
  });
}

/** One line for people: "2,000 rows, 3 cut to the context". */
export function describeCounts({ rows, cut, tooLong, empty }: RowCounts): string {
  const parts = [
    [cut, "cut to the context"],
    [tooLong, "left out as too long"],
    [empty, "left out as nothing in them is counted"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count.toLocaleString("en-US")} ${what}`);
  return [`${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`, ...told].join(", ");
}

/** The token ids of a row, and which the loss counts. Throws as the tokenizer and the chat template do. */
export async function encodeRow(row: TrainingRow, encoder: RowEncoder): Promise<Example> {
  if ("ids" in row) {
    return row.labels === undefined
      ? exampleOf(row.ids)
      : { ids: Int32Array.from(row.ids), labels: Int32Array.from(row.labels) };
  }
  const tokenizer = await encoder.tokenizer();
  if ("messages" in row) {
    const { ids, assistant } = encodeConversation(tokenizer, await encoder.template(), row.messages);
    return exampleOf(ids, (i) => assistant[i]!);
  }
  if ("text" in row) return exampleOf(ended(tokenizer, begun(tokenizer, row.text)));
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
  const fields = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const kinds = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[];
  const kind = kinds.find((each) => fields.includes(each));
  if (kind === undefined) {
    const given = fields.length === 0 ? "no fields" : `only ${fields.slice(0, 5).join(", ")}`;
    throw new ThoughtbookError("bad-input", `${place}: the row has ${given}`, {
      hint: "Expected prompt and completion, messages, text, or ids.",
    });
  }
  const parsed = SCHEMAS[kind].safeParse(value);
  if (parsed.success) return parsed.data as TrainingRow;
  const { path, message } = parsed.error.issues[0]!;
  throw new ThoughtbookError("bad-input", `${place}: ${path.join(".")}: ${message}`, { hint: "Correct that line." });
}

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
