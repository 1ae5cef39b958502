import { basename, join } from "node:path";
import { describeError, readIfThere } from "thoughtbook/core";
import { describeMachine, formatNumber, type Machine, writeJson } from "../../shared/report.js";
import { prepare, type RealOptions } from "../prepare.js";
import { sameAccuracy } from "./accuracy.js";
import { sameInBatch } from "./batches.js";
import { type CheckSetting, type Finding, numberText } from "./check.js";
import { fastLogProbs, sameLogProbs } from "./log-probs.js";
import { sameIds } from "./same-ids.js";
import { sameTokenizers } from "./tokenizers.js";

const ALL: Readonly<Record<string, (setting: CheckSetting) => Promise<Finding[]>>> = {
  ids: sameIds,
  logprobs: sameLogProbs,
  tokenizers: sameTokenizers,
  fast: async (setting) => [await fastLogProbs(setting)],
  accuracy: async (setting) => [await sameAccuracy(setting)],
  batch: async (setting) => {
    const findings: Finding[] = [];
    for (const path of ["fast", "exact"] as const) {
      if (setting.has(path)) findings.push(await sameInBatch(setting, path));
    }
    return findings;
  },
};

export const CHECKS: readonly string[] = Object.keys(ALL);

export interface Checked {
  started: string;
  seconds: number;
  machine: Machine;
  versions: Readonly<Record<string, string>>;
  findings: Finding[];
  /** Why it found nothing. */
  failure?: string;
}

/** Of a file, by check. */
export type CheckResults = Record<string, Record<string, Checked>>;

const FILE = "real-checks.json";

export type CheckOptions = RealOptions & Pick<CheckSetting, "prompts" | "problems" | "multiarith">;

/** Check that the engine is right on a real model. The file is written after each check, and keeps what it has of others. */
export async function checkReal(
  checks: readonly string[],
  out: string,
  options: CheckOptions,
): Promise<{ file: string; results: CheckResults }> {
  const { prompts, problems, multiarith } = options;
  const { setting, close, f32File } = await prepare(options);
  const own = { ...setting, prompts, problems, multiarith, f32File };
  const file = join(out, FILE);
  const results = await readCheckResults(out);
  results[basename(options.file)] ??= {};
  const ofModel = results[basename(options.file)]!;
  try {
    for (const check of checks) {
      const started = new Date();
      const machine = describeMachine();
      const outcome: Pick<Checked, "findings" | "failure"> = { findings: [] };
      try {
        outcome.findings = await ALL[check]!(own);
      } catch (error) {
        outcome.failure = describeError(error);
        options.onProgress(`${check} FAILED: ${outcome.failure}`);
      } finally {
        await setting.processes.close();
      }
      const seconds = Math.round((Date.now() - started.getTime()) / 1000);
      const versions = { ...setting.processes.versions };
      ofModel[check] = { started: started.toISOString(), seconds, machine, versions, ...outcome };
      await writeJson(file, results);
    }
  } finally {
    await close();
  }
  return { file, results };
}

/** What is in a folder of results. */
export async function readCheckResults(folder: string): Promise<CheckResults> {
  const text = await readIfThere(join(folder, FILE));
  return text === undefined ? {} : (JSON.parse(text) as CheckResults);
}

/** The results as text for the terminal. */
export function summariseChecks(results: CheckResults): string {
  return Object.entries(results)
    .flatMap(([model, checks]) => [
      model,
      ...Object.entries(checks).map(([name, { seconds, findings, failure }]) =>
        [
          `${name} (${seconds} s)`,
          ...findings.flatMap(findingLines),
          ...(failure === undefined ? [] : [`  FAILED: ${failure}`]),
        ].join("\n"),
      ),
    ])
    .join("\n\n");
}

function findingLines({ statement, holds, numbers, intervals = {}, exceptions }: Finding): string[] {
  const said = Object.entries(numbers).map(([name, value]) => {
    const interval = intervals[name];
    return `${name} ${numberText(value)}${interval ? ` (${interval.map(formatNumber).join("–")})` : ""}`;
  });
  return [
    `  ${holds ? "holds" : "DOES NOT HOLD"}: ${statement}: ${said.join(", ")}`,
    ...exceptions.map((each) => `    ${each}`),
  ];
}
