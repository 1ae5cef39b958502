import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import {
  badInput,
  canonicalJson,
  fileSystemError,
  type JsonlEntry,
  openJsonlWriter,
  readJsonl,
  sha256,
  ThoughtbookError,
} from "../../core/index.js";
import { type LanguageModel, numericalPath, UNNAMED_PATH } from "../../llm/index.js";
import { type Chain, CONDITION_SENTENCES, type ImportanceCache, type SignalSettings } from "./importance.js";

export interface CacheOptions extends SignalSettings {
  /** How the steps were made from the data (tags, splitting), for a message that says what changed. */
  data?: Record<string, string | number | boolean> | undefined;
}

const count = z.int().nonnegative();
const conditionSchema = z.object({ tokens: count, nll: z.number(), mass: z.number().nonnegative() });
const stepSchema = z.object({ tokens: count, question: conditionSchema, solution: conditionSchema });
const lineSchema = z.object({
  /** {@link hashChain} of the chain. */
  chain: z.string(),
  heads: count,
  sinkTokens: count,
  cutSteps: count,
  cutQuestion: z.boolean(),
  cutSolution: z.boolean(),
  steps: z.array(stepSchema.nullable()),
});
const headSchema = z.object({ importance: z.literal(1), settings: z.record(z.string(), z.unknown()) });

/** SHA-256 of everything in a chain that its signals depend on. */
const hashChain = ({ question, steps, solution }: Chain): string =>
  sha256(canonicalJson({ question, steps, solution }));

/**
 * Open a cache of importance signals, a JSONL file: the first line holds the model's hash and the settings, then there
 * is one line per finished chain with the hash of its texts. A last line left unfinished by a killed run is cut off.
 * The cache does not depend on alpha, normalisation or signal. Only one process at a time may use it.
 *
 * @throws bad-input for a model without a hash, a file that is something else, or a cache of another model or other
 * settings (the message names them); corrupt-data for a malformed line; file-system
 */
export async function openImportanceCache(
  file: string,
  model: LanguageModel,
  { data = {}, sentences = CONDITION_SENTENCES, sink = false }: CacheOptions = {},
): Promise<ImportanceCache> {
  const hash = await model.hash();
  if (hash === undefined) {
    throw badInput(
      `${model.name} has no hash, so a cache could not tell it from another model`,
      "Do without the cache, or use a model from a folder.",
    );
  }
  const settings: Record<string, unknown> = {
    model: hash,
    ...numericalPath(model),
    "question sentence": sentences.question,
    "solution sentence": sentences.solution,
    sink,
    ...data,
  };
  // Check before the writer repairs the end of a file that may not be a cache at all.
  await checkHead(file, settings);
  const writer = await openJsonlWriter(file);
  const lines = readJsonl(file);
  let ended = false;
  const nextLine = async (): Promise<JsonlEntry<unknown> | undefined> => {
    if (ended) return undefined;
    const { value, done } = await lines.next();
    ended = done === true;
    return done ? undefined : value;
  };
  try {
    if ((await nextLine()) === undefined) await writer.append({ importance: 1, settings });
  } catch (error) {
    await writer.close();
    throw error;
  }
  return {
    async take(chain) {
      const entry = await nextLine();
      if (entry === undefined) return undefined;
      const place = `${file}:${entry.line}`;
      const parsed = lineSchema.safeParse(entry.value);
      if (!parsed.success) {
        throw new ThoughtbookError("corrupt-data", `${place} holds no importance of a chain`, {
          hint: "Delete the file; it is computed anew.",
        });
      }
      const { chain: key, ...signals } = parsed.data;
      if (key === hashChain(chain) && signals.steps.length === chain.steps.length) return signals;
      throw badInput(
        `${place} holds the importance of another chain: the data changed`,
        "Choose another cache file, or delete this one to compute it anew.",
      );
    },
    append: (chain, signals) => writer.append({ chain: hashChain(chain), ...signals }),
    async close() {
      await lines.return();
      await writer.close();
    },
  };
}

/** Check the first line of a file, if there is one, before anything is written to it. */
async function checkHead(file: string, settings: Record<string, unknown>): Promise<void> {
  const line = await firstLine(file);
  if (line === undefined) return;
  const head = headSchema.safeParse(line);
  if (!head.success) {
    throw badInput(`${file} is no cache of importance: its first line is something else`, "Choose another cache file.");
  }
  const before: Record<string, unknown> = {
    ...(settings.numerics === undefined ? {} : UNNAMED_PATH),
    ...head.data.settings,
  };
  const changed = [...new Set([...Object.keys(before), ...Object.keys(settings)])].find(
    (key) => before[key] !== settings[key],
  );
  if (changed === undefined) return;
  throw badInput(
    `${file} was made with ${changed} = ${brief(before[changed])}, but now it is ${brief(settings[changed])}`,
    "Choose another cache file, or delete this one to compute it anew.",
  );
}

const HEAD = '{"importance":1,"settings":';
const MOST_OF_HEAD = 1 << 16;

/**
 * Value of the first line, null if it is not JSON; undefined if there is none, or a run was killed while writing it.
 */
async function firstLine(file: string): Promise<unknown> {
  const text = await readStart(file);
  const end = text.indexOf("\n");
  if (end < 0 && (HEAD.startsWith(text) || text.startsWith(HEAD))) return undefined;
  try {
    return JSON.parse(end < 0 ? text : text.slice(0, end));
  } catch {
    return null;
  }
}

async function readStart(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_OF_HEAD), 0, MOST_OF_HEAD, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw fileSystemError(error, "read", file);
  } finally {
    await handle?.close();
  }
}

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "not set";
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};
