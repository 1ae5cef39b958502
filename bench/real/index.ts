import { basename, join } from "node:path";
import { describeError, readIfThere } from "thoughtbook/core";
import { benchLong, type LongResult } from "../serve/long.js";
import { describeMachine, type Machine, writeJson } from "../shared/report.js";
import type { Contest } from "./contest.js";
import { CONTESTS } from "./measures/index.js";
import { prepare, type RealOptions } from "./prepare.js";
import type { Setting, Sizes } from "./setting.js";

/** What was measured by one measure, which may be another day than the others were. */
export interface Measured {
  started: string;
  machine: Machine;
  sizes: Sizes;
  threads: number;
  versions: Readonly<Record<string, string>>;
  leftOut: { title: string; reason: string }[];
  contests: Contest[];
  /** What `bench serve --long` measures. */
  serving?: LongResult;
  /** Why it gave nothing. */
  failure?: string;
}

/** Of a file, by measure. */
export type RealResults = Record<string, Record<string, Measured>>;

const FILE = "real.json";
/** Room for what the server writes after a prompt. */
const SERVED_TOKENS = 64;

/**
 * Measure the same work in this engine and others. The results file is written after each measure, and keeps what it has
 * of other measures and other models.
 */
export async function benchReal(
  measures: readonly string[],
  folder: string,
  options: RealOptions,
): Promise<{ file: string; results: RealResults }> {
  const { setting, missing, close } = await prepare(options);
  const file = join(folder, FILE);
  const results = await readRealResults(folder);
  results[basename(options.file)] ??= {};
  const ofModel = results[basename(options.file)]!;
  try {
    for (const measure of measures) {
      const started = new Date().toISOString();
      const machine = describeMachine();
      const outcome: Pick<Measured, "contests" | "serving" | "failure"> = { contests: [] };
      try {
        if (measure === "serve") outcome.serving = await serveLong(setting);
        else outcome.contests = await CONTESTS[measure]!(setting);
      } catch (error) {
        outcome.failure = describeError(error);
        options.onProgress(`${measure} FAILED: ${outcome.failure}`);
      } finally {
        await setting.processes.close();
      }
      const { sizes, threads, processes } = setting;
      ofModel[measure] = {
        started,
        machine,
        sizes,
        threads,
        versions: { ...processes.versions },
        leftOut: missing,
        ...outcome,
      };
      await writeJson(file, results);
    }
  } finally {
    await close();
  }
  return { file, results };
}

/** A server of the model, with prompts as long as the model takes. */
async function serveLong({ model, threads, tokens, sizes, onProgress }: Setting): Promise<LongResult> {
  const room = tokens.contextLength ?? Number.POSITIVE_INFINITY;
  const prompts = sizes.servePrompts.filter((length) => length + SERVED_TOKENS <= room);
  return benchLong({ model, prompts, threads, onProgress: (line) => onProgress(`serve: ${line}`) });
}

/** What is in a folder of results. */
export async function readRealResults(folder: string): Promise<RealResults> {
  const text = await readIfThere(join(folder, FILE));
  return text === undefined ? {} : (JSON.parse(text) as RealResults);
}
