import { badInput, ThoughtbookError } from "../../core/index.js";
import type { ChatMessage, Tokenizer } from "../../model/index.js";
import { encodeRow, encoderOf, type RowEncoder, type TrainingRow, trainingRows } from "../../train/index.js";

/**
 * One reply that a model learns, with everything before it: as turns, for engines that write them by a template of theirs,
 * or as the texts that this library's own training counts.
 */
export type LearnedReply =
  | { form: "conversations"; before: readonly ChatMessage[]; reply: ChatMessage }
  | {
      form: "texts";
      prompt: string;
      completion: string;
      /** Whether the completion has the token that ends texts; engines that add it themselves need to know. */
      ended: boolean;
      /** Whether an engine that encodes the two texts gets the ids that this library trains on. */
      exact: boolean;
    };

/**
 * - conversations: turns; the engine's template writes them
 * - texts: what the model's own chat template writes, exactly as `thoughtbook train` counts it
 */
export const FORMS = ["conversations", "texts"] as const;
export type Form = (typeof FORMS)[number];

/**
 * The replies that the rows of a file teach, one for each turn of the assistant that is learned. Rows of plain prompt and
 * completion stay texts in both forms.
 *
 * @param folder of the model, for `texts`
 * @throws bad-input naming file and row for what no engine can be given exactly (texts without a prompt, rows of ids), or
 *   where forms would mix; as `trainingRows`
 */
export async function* learnedReplies(
  file: string,
  form: Form,
  folder: string | undefined,
): AsyncGenerator<{ reply: LearnedReply; place: string }, void, undefined> {
  const encoder = folder === undefined ? undefined : encoderOf(folder);
  let first: LearnedReply["form"] | undefined;
  for await (const { row, place } of trainingRows(file)) {
    const replies = form === "texts" && "messages" in row ? await textsOf(row, encoder!, place) : asGiven(row, place);
    for (const reply of replies) {
      first ??= reply.form;
      if (reply.form !== first) {
        throw badInput(
          `${place}: a row of ${reply.form} after rows of ${first}`,
          "One configuration is for one kind of rows: write two exports, or all rows as texts.",
        );
      }
      yield { reply, place };
    }
  }
}

function asGiven(row: TrainingRow, place: string): LearnedReply[] {
  if ("messages" in row) {
    const { messages, learned } = row;
    return messages.flatMap((reply, at): LearnedReply[] =>
      reply.role === "assistant" && learned?.[at] !== false
        ? [{ form: "conversations", before: messages.slice(0, at), reply }]
        : [],
    );
  }
  if ("prompt" in row) return [{ form: "texts", ...row, ended: false, exact: true }];
  throw badInput(
    `${place}: a row of ${"ids" in row ? "token ids" : "a text without a prompt"} is not a prompt with its reply`,
    "Give prompts with completions, or conversations.",
  );
}

/** The texts of a conversation, from the ids that training counts: cut where a part that is counted begins and ends. */
async function textsOf(row: TrainingRow, encoder: RowEncoder, place: string): Promise<LearnedReply[]> {
  const tokenizer = await encoder.tokenizer();
  const examples = await encodeRow(row, encoder).catch((error: unknown) => {
    if (!(error instanceof ThoughtbookError)) throw error;
    const { code, message, hint } = error;
    throw new ThoughtbookError(code, `${place}: ${message}`, { ...(hint ? { hint } : {}), cause: error });
  });
  return examples.flatMap(({ ids, labels }) => {
    const replies: LearnedReply[] = [];
    let at = 0;
    while (at < ids.length) {
      while (at < ids.length && labels[at]! < 0) at++;
      if (at === ids.length) break;
      const start = at;
      while (at < ids.length && labels[at]! >= 0) at++;
      const [prompt, completion] = [textOf(tokenizer, ids.slice(0, start)), textOf(tokenizer, ids.slice(start, at))];
      const again = [...plainIds(tokenizer, prompt), ...plainIds(tokenizer, completion)];
      const exact = again.length === at && again.every((id, i) => id === ids[i]);
      replies.push({ form: "texts", prompt, completion, ended: true, exact });
    }
    return replies;
  });
}

const plainIds = (tokenizer: Tokenizer, text: string): number[] =>
  tokenizer.encode(text, { addSpecialTokens: false, continues: true });

const textOf = (tokenizer: Tokenizer, ids: Int32Array): string =>
  tokenizer.decode([...ids], { skipSpecialTokens: false });
