import { join } from "node:path";
import { dataFolder, readJsonl, ThoughtbookError } from "../../core/index.js";
import { splitEntry } from "../sets/dataset-table.js";
import { type LocateOptions, locateSplit, type Origin } from "../sets/locate-split.js";
import { gsm8kRowSchema, parseWordProblem, type WordProblem } from "./annotated-problem.js";

export type Gsm8kSplit = "train" | "test" | "train_socratic" | "test_socratic";

export interface LoadedProblems {
  problems: WordProblem[];
  split: Gsm8kSplit | "sample";
  /** Path of the file that was read. */
  file: string;
  origin: Origin | "sample";
  /** Malformed rows, by line; they are left out of `problems`. */
  malformed: { line: number; reason: string }[];
}

/**
 * Load a split of GSM8K; see `locateSplit` for where it is looked for.
 * @throws ThoughtbookError if it is not available, or the file is truncated.
 */
export async function loadGsm8k(split: Gsm8kSplit, options: LocateOptions = {}): Promise<LoadedProblems> {
  const { file, origin } = await locateSplit("gsm8k", split, options);
  const { rows } = await splitEntry("gsm8k", split);
  const loaded = await readProblems(file, split, origin);
  const found = loaded.problems.length + loaded.malformed.length;
  if (origin === "path" || rows === undefined || found === rows) return loaded;
  const counted = `${found.toLocaleString("en-US")} row${found === 1 ? "" : "s"}`;
  throw new ThoughtbookError(
    "corrupt-data",
    `${file} holds ${counted}; GSM8K ${split} has ${rows.toLocaleString("en-US")}`,
    {
      hint: "Delete it and download it again; a file of your own is read by its path.",
    },
  );
}

/**
 * The problems written for this project, in GSM8K's socratic format (data/sample/problems.jsonl).
 *
 * @example
 * ```ts
 * import { loadSample } from "thoughtbook/data";
 *
 * const { problems } = await loadSample();
 * console.log(problems[0]?.question);
 * ```
 */
export function loadSample(): Promise<LoadedProblems> {
  return readProblems(join(dataFolder(), "sample", "problems.jsonl"), "sample", "sample");
}

/**
 * Load a split of GSM8K, or the project's own sample if GSM8K is neither on disk nor downloadable. With the environment
 * variable THOUGHTBOOK_SAMPLE=never a missing data set is an error: the committed notebooks need the real one.
 */
export async function loadGsm8kOrSample(split: Gsm8kSplit, options: LocateOptions = {}): Promise<LoadedProblems> {
  try {
    return await loadGsm8k(split, options);
  } catch (error) {
    const missing = error instanceof ThoughtbookError && error.code === "network";
    if (!missing || process.env.THOUGHTBOOK_SAMPLE === "never") throw error;
    return loadSample();
  }
}

/** Description of the problems for the subtitle of a figure: "1,319 problems of GSM8K test_socratic". */
export function sourceName({ problems, origin, split }: LoadedProblems): string {
  const count = problems.length.toLocaleString("en-US");
  return `${count} problems of ${origin === "sample" ? "the project's own sample" : `GSM8K ${split}`}`;
}

/** One sentence on what was loaded, for the first output of a notebook. It contains no path: outputs are committed. */
export function describeLoaded(loaded: LoadedProblems): string {
  const { origin, malformed } = loaded;
  const reason = origin === "sample" ? "; GSM8K is not at hand and could not be downloaded" : "";
  const lines = malformed.map(({ line }) => line).join(", ");
  const leftOut = malformed.length === 0 ? "" : `; ${malformed.length} malformed lines left out (${lines})`;
  return sourceName(loaded) + reason + leftOut;
}

async function readProblems(
  file: string,
  split: LoadedProblems["split"],
  origin: LoadedProblems["origin"],
): Promise<LoadedProblems> {
  const problems: WordProblem[] = [];
  const malformed: LoadedProblems["malformed"] = [];
  const rows = readJsonl(file, {
    schema: gsm8kRowSchema,
    onMalformed: ({ line, reason }) => malformed.push({ line, reason }),
  });
  for await (const { line, value } of rows) problems.push(parseWordProblem(value, `${split}/${line - 1}`));
  return { problems, split, file, origin, malformed };
}
