import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type AstarStudy,
  type CompressionSummary,
  chainLines,
  needsOf,
  readStudy,
  type StudySet,
} from "thoughtbook/astar";
import { projectFolder, ThoughtbookError } from "thoughtbook/core";
import { longChain, type ProceduralProblem, wordProblems } from "thoughtbook/data";
import { describeMachine, formatNumber, formatTable, type Machine } from "../shared/report.js";

export interface CompressBenchOptions {
  /** Number of chains, all with the same number of steps. */
  traces: number;
  steps: number;
  seed: number;
  /** Study file whose searches are measured. */
  study: string;
  onProgress: (line: string) => void;
}

/** One search over all chains. */
export interface CompressBenchRow {
  set: string;
  method: string;
  seconds: number;
  /** Peak memory of the whole process, in GiB. */
  peakMemory: number;
  /** Means per chain: paths scored and solved by the validator, steps weighed by the scorer on both sides. */
  scored: number;
  verified: number;
  weighed: number;
  keptTokens: number;
  acceptedShare: number;
}

export interface CompressBenchResult {
  benchmark: "compress";
  started: string;
  machine: Machine;
  settings: { traces: number; steps: number; seed: number; models: AstarStudy["models"] };
  rows: CompressBenchRow[];
}

/** How long `thoughtbook compress` takes with the searches of a study, from the start of the process to its end. */
export async function benchCompress(options: CompressBenchOptions): Promise<CompressBenchResult> {
  const { traces, steps, seed, onProgress } = options;
  const [started, machine] = [new Date().toISOString(), describeMachine()];
  const { models, sets, chains } = await readStudy(options.study);
  if ("file" in chains) {
    throw new ThoughtbookError("bad-input", `${options.study} compresses the chains of a file`, {
      hint: "Name a study of word problems: chains of a given length are drawn from these.",
    });
  }
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-bench-"));
  const rows: CompressBenchRow[] = [];
  try {
    const data = join(folder, "chains.jsonl");
    await writeFile(data, chainLines(chainsOfLength({ ...chains, seed }, { traces, steps })));
    for (const set of sets.filter(({ mode }) => mode !== "accepted" && needsOf(mode).validator)) {
      onProgress(`${set.method}: ${traces} chains of ${steps} steps`);
      rows.push(await compressed(set, models, { data, output: join(folder, `${set.name}.jsonl`), seed }));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { benchmark: "compress", started, machine, settings: { traces, steps, seed, models }, rows };
}

/** Stop after this many consecutive problems without a chain of the wanted length. */
const PATIENCE = 10_000;

function chainsOfLength(
  { operations, seed }: Pick<Extract<AstarStudy["chains"], { operations: unknown }>, "operations" | "seed">,
  { traces, steps }: Pick<CompressBenchOptions, "traces" | "steps">,
): ProceduralProblem[] {
  const found: ProceduralProblem[] = [];
  let others = 0;
  for (const problem of wordProblems({ operations, seed, split: "train" })) {
    const fits = longChain(problem).paragraphs.length === steps;
    others = fits ? 0 : others + 1;
    if (fits) found.push(problem);
    if (found.length === traces) break;
    if (others < PATIENCE) continue;
    throw new ThoughtbookError("bad-input", `${PATIENCE} problems in a row had no chain of ${steps} steps`, {
      hint: `Problems of ${operations.join("-")} operations are asked for; give --steps another number, 20 for example.`,
    });
  }
  return found;
}

interface Work {
  data: string;
  output: string;
  seed: number;
}

async function compressed(
  { name, method, mode, importance, search }: StudySet,
  models: AstarStudy["models"],
  { data, output, seed }: Work,
): Promise<CompressBenchRow> {
  const flags: Record<string, string | number | undefined> = {
    "data-path": data,
    "output-path": output,
    format: "word-problems",
    "validator-model-path": models.validator,
    "scorer-model-path": models.scorer,
    ...{ mode, seed, alpha: importance.alpha, normalisation: importance.normalisation, signal: importance.signal },
    ...{ beta: search.beta, samples: search.samples, needed: search.needed },
    "a-star-expand-size": search.expandSize,
    neighbours: search.neighbours,
    "min-search-steps": search.minSteps,
    "max-search-steps": search.maxSteps,
    "max-new-tokens": search.maxNewTokens,
  };
  const given = Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, `${value}`],
  );
  const bin = join(projectFolder(), "lib", "bin.mjs");
  const start = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [bin, "compress", "--json", ...given]);
  const seconds = (performance.now() - start) / 1000;
  const summary = JSON.parse(stdout) as CompressionSummary & { peakMemory: number };
  if (summary.rows.used !== summary.rows.rows) {
    throw new ThoughtbookError("execution", `only ${summary.rows.used} of ${summary.rows.rows} chains were used`);
  }
  const { scored, verified, weighed, keptTokens, acceptedShare, peakMemory } = summary;
  return { set: name, method, seconds, peakMemory, scored, verified, weighed, keptTokens, acceptedShare };
}

/** The results as text for the terminal. */
export function summariseCompress({ machine, settings, rows }: CompressBenchResult): string {
  const { traces, steps, models } = settings;
  return [
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}; load before: ${machine.loadBefore}`,
    `${traces} chains of ${steps} steps; validator ${models.validator}, scorer ${models.scorer}; calls a chain`,
    formatTable(
      ["", "s", "GiB", "scored", "solved", "weighed", "tokens kept %", "accepted %"],
      rows.map((row) => [
        row.method,
        ...[row.seconds, row.peakMemory, row.scored, row.verified, row.weighed].map(formatNumber),
        ...[row.keptTokens, row.acceptedShare].map((share) => formatNumber(100 * share)),
      ]),
    ),
  ].join("\n");
}
