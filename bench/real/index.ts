import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { describeError } from "thoughtbook/core";
import { describeMachine, type Machine, writeJson } from "../shared/report.js";
import type { Contest } from "./contest.js";
import { CONTESTS } from "./measures/index.js";
import { type Serving, serving } from "./measures/serving.js";
import { prepare, type RealOptions } from "./prepare.js";
import type { Sizes } from "./setting.js";

/** What was measured by one measure, which may be another day than the others were. */
export interface Measured {
  started: string;
  machine: Machine;
  sizes: Sizes;
  threads: number;
  versions: Readonly<Record<string, string>>;
  leftOut: { title: string; reason: string }[];
  contests: Contest[];
  serving?: Serving;
  /** Why it gave nothing. */
  failure?: string;
}

/** Of a file, by measure. */
export type RealResults = Record<string, Record<string, Measured>>;

/**
 * Measure the same work in this engine and others. The results file is written after each measure, and keeps what it has
 * of other measures and other models.
 */
export async function benchReal(measures: readonly string[], file: string, options: RealOptions): Promise<RealResults> {
  const { setting, missing, close } = await prepare(options);
  const results = await readResults(file);
  results[basename(options.file)] ??= {};
  const ofModel = results[basename(options.file)]!;
  try {
    for (const measure of measures) {
      const started = new Date().toISOString();
      const machine = describeMachine();
      const outcome: Pick<Measured, "contests" | "serving" | "failure"> = { contests: [] };
      try {
        if (measure === "serve") outcome.serving = await serving(setting);
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
  return results;
}

async function readResults(file: string): Promise<RealResults> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? {} : (JSON.parse(text) as RealResults);
}
