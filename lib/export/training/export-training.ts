import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  badInput,
  checkInterrupt,
  fileSystemError,
  interruptible,
  openJsonlWriter,
  writeWhole,
} from "../../core/index.js";
import { loadTokenizer, resolveModel } from "../../model/index.js";
import { ANSWER_REWARD } from "./answer-reward.js";
import type { ExportFile } from "./config-text.js";
import { type Form, learnedReplies } from "./engine-rows.js";
import { litgptFiles, litgptRow } from "./litgpt.js";
import { llamaFactoryFiles, llamaFactoryRow } from "./llama-factory.js";
import { preferenceRows, rewardedRows } from "./preference-rows.js";
import type { Engine, Method, TrainingRecipe } from "./recipes.js";
import { trlFiles, trlRow } from "./trl.js";

export interface ExportTrainingOptions {
  engine: Engine;
  method: Method;
  recipe: TrainingRecipe;
  /** Rows: of `thoughtbook train` for sft; with chosen and rejected for dpo; with an answer for grpo. */
  data: string;
  /** Folder that is written. */
  out: string;
  /** How the rows of sft are written. Default: conversations. */
  form?: Form | undefined;
  /** Model at hand whose chat template writes `texts`. Default: the recipe's. */
  tokenizer?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface ExportedTraining {
  /** Paths in the folder. */
  files: string[];
  rows: number;
  /** Rows of texts that an engine would encode as other ids than this library trains on. */
  inexact: number;
}

/**
 * Write data and complete configurations to train a model elsewhere: TRL (sft, dpo, grpo), LLaMA-Factory and LitGPT (sft).
 * Memory does not grow with the file.
 *
 * @throws bad-input for a method that the engine does not have, a file without rows, or a row that the engine cannot be
 *   given, before anything of it replaces an earlier export; not-found, corrupt-data, file-system, interrupted
 *
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { exportTraining, RECIPES } from "thoughtbook/export";
 *
 * await writeFile("rows.jsonl", JSON.stringify({ prompt: "1 + 1 =", completion: " 2" }));
 * const { rows } = await exportTraining({
 *   engine: "trl",
 *   method: "sft",
 *   recipe: RECIPES.plain,
 *   data: "rows.jsonl",
 *   out: "for-trl",
 * });
 * console.log(rows); // 1
 * ```
 */
export async function exportTraining(options: ExportTrainingOptions): Promise<ExportedTraining> {
  const { engine, method, out } = options;
  const signal = interruptible(options.signal);
  if (engine !== "trl" && method !== "sft") {
    throw badInput(`the export for ${engine} has no ${method}`, `Take sft, or the engine trl for ${method}.`);
  }
  const rows = await openRows({ ...options, signal });
  // Settings first: what does not fit together is told before a long file is read.
  let configs = configsOf(options, options.form ?? "conversations", 0);
  const file = join(out, "data", "train.jsonl");
  const part = `${file}.part`;
  const counts = { rows: 0, inexact: 0 };
  let form: Form | undefined;
  try {
    await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
      throw fileSystemError(error, "create", dirname(file));
    });
    await rm(part, { force: true });
    const writer = await openJsonlWriter(part);
    try {
      for await (const each of rows) {
        checkInterrupt(signal, "the export");
        await writer.append(each.row);
        counts.rows++;
        if (each.inexact) counts.inexact++;
        form ??= each.form;
      }
    } finally {
      await writer.close();
    }
    if (counts.rows === 0) throw badInput(`${options.data} has no rows to train on`, "Give a file with rows.");
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  configs = configsOf(options, form ?? "conversations", counts.rows);
  for (const { name, text } of configs) await writeWhole(join(out, name), text);
  return { files: ["data/train.jsonl", ...configs.map(({ name }) => name)], ...counts };
}

function configsOf({ engine, method, recipe }: ExportTrainingOptions, form: Form, rows: number): ExportFile[] {
  if (engine === "llama-factory") return llamaFactoryFiles(form, recipe);
  if (engine === "litgpt") return litgptFiles(form, recipe, rows);
  const rewards = method === "grpo" ? [{ name: "rewards.py", text: ANSWER_REWARD }] : [];
  return [...trlFiles(method, recipe), ...rewards];
}

interface WrittenRow {
  row: object;
  form?: Form;
  inexact?: boolean;
}

async function openRows({
  engine,
  method,
  recipe,
  data,
  form = "conversations",
  tokenizer = recipe.model,
  signal,
}: ExportTrainingOptions) {
  if (method === "dpo") return wrapped(preferenceRows(data));
  if (method === "grpo") return wrapped(rewardedRows(data));
  // Plain texts of prompt and completion need the end token too, where the model is at hand.
  const folder = form === "texts" ? await resolveModel(tokenizer, { signal }) : undefined;
  const end = folder === undefined ? "" : ((await loadTokenizer(folder)).special.eos?.token ?? "");
  return sftRows(engine, learnedReplies(data, form, folder), end);
}

async function* wrapped(rows: AsyncIterable<object>): AsyncGenerator<WrittenRow> {
  for await (const row of rows) yield { row };
}

async function* sftRows(
  engine: Engine,
  replies: ReturnType<typeof learnedReplies>,
  end: string,
): AsyncGenerator<WrittenRow> {
  for await (const { reply, place } of replies) {
    const row =
      engine === "trl"
        ? trlRow(reply)
        : engine === "litgpt"
          ? litgptRow(reply, place, end)
          : llamaFactoryRow(reply, place, end);
    if (engine === "llama-factory" && reply.form === "texts" && !reply.ended && end === "") {
      throw badInput(
        `${place}: a plain prompt with its completion, and the token that ends the model's texts is not known`,
        "Add --form texts with a model that is at hand.",
      );
    }
    yield { row, form: reply.form, inexact: reply.form === "texts" && !reply.exact };
  }
}
