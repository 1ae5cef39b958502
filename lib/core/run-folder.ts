import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ZodType } from "zod";
import { badInput, fileSystemError, ThoughtbookError } from "./errors.js";
import { canonicalJson, isPlainObject } from "./json.js";
import { openJsonlWriter, readJsonl } from "./jsonl.js";
import { readIfThere, writeWhole } from "./whole-file.js";

export interface RunOptions<T> {
  /** Folder of the run; made if missing. */
  folder: string;
  /** All settings that the records depend on, as JSON. */
  config: Record<string, unknown>;
  seed: number | string;
  /** What settings were in runs of earlier versions, which do not name them. */
  unnamed?: Readonly<Record<string, unknown>> | undefined;
  /** The id of a record, unique within the run. */
  idOf: (record: T) => string;
  /**
   * For runs that may be asked for more or fewer items later. Gets the config of an earlier run in the folder; returns
   * the present config with that run's number of items, and whether there are now more. Undefined: compare as it is.
   */
  resized?: ((earlier: unknown) => ResizedConfig | undefined) | undefined;
  /** Schema of each record that is read back; without it they are not checked. */
  schema?: ZodType<T> | undefined;
}

export interface ResizedConfig {
  config: Record<string, unknown>;
  /** Whether there are more items now: the run continues under the new config; else it keeps the larger one. */
  grows: boolean;
}

/** A run that can be stopped at any time and resumes where it stopped. */
export interface Run<T> {
  readonly folder: string;
  /** Ids of the records written so far. */
  readonly done: ReadonlySet<string>;
  /** The records written so far, in the order of writing. */
  records(): AsyncIterable<T>;
  /** Resolves once the record is written. Throws bad-input if its id is in {@link done}, file-system. */
  append(record: T): Promise<void>;
  close(): Promise<void>;
}

/**
 * Start a run, or resume the one in the folder. `run.json` keeps what the run is (config, seed, versions, time of
 * creation), `records.jsonl` one record per line; a record truncated when a run was killed is dropped.
 *
 * A run that is `resized` keeps the records it has, those of extra items included.
 *
 * @throws bad-input if the folder holds a run with another config or seed (names the first difference), corrupt-data,
 *   file-system
 */
export async function openRun<T>({
  folder,
  config,
  seed,
  unnamed,
  idOf,
  schema,
  resized,
}: RunOptions<T>): Promise<Run<T>> {
  const runFile = join(folder, "run.json");
  const recordsFile = join(folder, "records.jsonl");
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(error, "make the folder", folder);
  });
  const settings = asJson({ config, seed }); // Throws for what JSON cannot hold, before anything is written.
  const found = await readSettings(runFile);
  const earlier = found && { ...found, config: withUnnamed(found.config, { now: config, unnamed }) };
  if (earlier !== undefined) {
    const size = resized?.(earlier.config);
    const now = size === undefined ? settings : asJson({ config: size.config, seed });
    requireSameSettings({ config: earlier.config, seed: earlier.seed }, now, folder);
    if (size?.grows) await writeWhole(runFile, `${JSON.stringify({ ...earlier, config }, null, 2)}\n`);
  } else if (await exists(recordsFile)) {
    throw new ThoughtbookError("corrupt-data", `${folder} holds records but no run.json that says what they are`, {
      hint: "Choose another folder or remove this one.",
    });
  } else {
    await writeRunFile(runFile, { config, seed });
  }

  const writer = await openJsonlWriter(recordsFile);
  const done = new Set<string>();
  const checkedId = (record: T): string => {
    const id: unknown = idOf(record);
    if (typeof id !== "string" || id === "") throw badRecord(`the id ${JSON.stringify(id)} is not a text`);
    if (done.has(id)) throw badRecord(`the id ${JSON.stringify(id)} is there already`);
    return id;
  };
  try {
    for await (const { line, value } of readJsonl(recordsFile, { schema })) {
      try {
        done.add(checkedId(value));
      } catch (error) {
        throw new ThoughtbookError("corrupt-data", `${recordsFile}:${line}: ${(error as Error).message}`, {
          hint: "Delete that line.",
          cause: error,
        });
      }
    }
  } catch (error) {
    await writer.close();
    throw error;
  }

  return {
    folder,
    done,
    async *records() {
      for await (const { value } of readJsonl(recordsFile, { schema })) yield value;
    },
    async append(record) {
      const id = checkedId(record);
      done.add(id); // Reserve the id at once, so that a second append cannot take it while this one is being written.
      try {
        await writer.append(record);
      } catch (error) {
        done.delete(id);
        throw error;
      }
    },
    close: () => writer.close(),
  };
}

/** The config of an earlier run, with those of the settings it does not name that there are now. */
function withUnnamed(earlier: unknown, { now, unnamed = {} }: { now: object; unnamed?: object | undefined }): unknown {
  if (!isPlainObject(earlier)) return earlier;
  return { ...Object.fromEntries(Object.entries(unnamed).filter(([name]) => name in now)), ...earlier };
}

const asJson = (settings: object): unknown => JSON.parse(canonicalJson(settings));

type RunFile = Record<string, unknown> & { config: unknown; seed: unknown };

async function readSettings(runFile: string): Promise<RunFile | undefined> {
  const text = await readIfThere(runFile);
  if (text === undefined) return undefined;
  try {
    const run: unknown = JSON.parse(text);
    if (!isPlainObject(run)) throw new SyntaxError("it is no object");
    return { ...run, config: run.config, seed: run.seed };
  } catch (cause) {
    throw new ThoughtbookError("corrupt-data", `${runFile} is not the JSON object of a run`, {
      hint: "Choose another folder or remove this one.",
      cause,
    });
  }
}

async function writeRunFile(runFile: string, settings: { config: unknown; seed: unknown }): Promise<void> {
  const packageFile = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(await readFile(packageFile, "utf8")) as { version: string };
  const run = {
    ...settings,
    versions: { node: process.versions.node, thoughtbook: version },
    created: new Date().toISOString(),
  };
  await writeWhole(runFile, `${JSON.stringify(run, null, 2)}\n`);
}

/**
 * Check that the contents of a folder were made with the same settings, given as JSON values.
 *
 * @throws bad-input that names the first difference
 */
export function requireSameSettings(earlier: unknown, now: unknown, folder: string): void {
  const difference = firstDifference(earlier, now, []);
  if (difference === undefined) return;
  const { path, before, after } = difference;
  throw badInput(
    `${folder} holds a run with ${path} = ${brief(before)}, but now it is ${brief(after)}`,
    "Choose another folder, or remove this one to start anew.",
  );
}

interface Difference {
  path: string;
  before: unknown;
  after: unknown;
}

/** The first place, with keys in alphabetical order, where two JSON values differ. */
function firstDifference(before: unknown, after: unknown, keys: readonly string[]): Difference | undefined {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      const difference = firstDifference(before[key], after[key], [...keys, key]);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return before === after ? undefined : { path: keys.join("."), before, after };
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return Array.isArray(value) || isPlainObject(value);
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "not set";
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function badRecord(message: string): ThoughtbookError {
  return badInput(message, "Give each record of a run an id of its own.");
}
