import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeError, ThoughtbookError } from "thoughtbook/core";
import { z } from "zod";

const LINE = z.object({
  pp: z.number(),
  tg: z.number(),
  pl: z.number(),
  t_pp: z.number(),
  t_tg: z.number(),
});

/** What llama-batched-bench measured of one combination of sizes. */
export interface BatchedBench {
  rows: number;
  promptTokens: number;
  newTokens: number;
  /** For the prompts of all rows. */
  promptSeconds: number;
  /** For the new tokens of all rows. */
  newSeconds: number;
}

/** Read the output of `llama-batched-bench --output-format jsonl`; other lines are noise. */
export function parseBatchedBench(output: string): BatchedBench[] {
  return output.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw unreadable(line);
    }
    const parsed = LINE.safeParse(value);
    if (!parsed.success) throw unreadable(line);
    const { pp, tg, pl, t_pp, t_tg } = parsed.data;
    return [{ rows: pl, promptTokens: pp, newTokens: tg, promptSeconds: t_pp, newSeconds: t_tg }];
  });
}

const unreadable = (line: string): ThoughtbookError =>
  new ThoughtbookError("execution", `llama-batched-bench wrote ${line.slice(0, 200)}`, {
    hint: "Take a version with --output-format jsonl.",
  });

export interface BatchedBenchOptions {
  /** Holds llama-batched-bench. */
  folder: string;
  file: string;
  threads: number;
  rows: number;
  promptTokens: number;
  newTokens: number;
}

const MAXIMUM_MILLISECONDS = 3_600_000;
/** The positions of a row beside its tokens: contexts are rounded, and a warm-up takes some. */
const SPARE = 64;

/** Run llama-batched-bench once, with its defaults (a cache of f16) except for threads and sizes. */
export async function runBatchedBench(options: BatchedBenchOptions): Promise<BatchedBench> {
  const { folder, file, threads, rows, promptTokens, newTokens } = options;
  const sizes = {
    c: rows * (promptTokens + newTokens + SPARE),
    npp: promptTokens,
    ntg: newTokens,
    npl: rows,
    t: threads,
  };
  const flags = Object.entries(sizes).flatMap(([name, value]) => [`-${name}`, String(value)]);
  const command = join(folder, "llama-batched-bench");
  let output: string;
  try {
    const given = ["-m", file, ...flags, "--output-format", "jsonl"];
    ({ stdout: output } = await promisify(execFile)(command, given, { timeout: MAXIMUM_MILLISECONDS }));
  } catch (error) {
    throw new ThoughtbookError("execution", `${command} failed: ${describeError(error)}`, { cause: error });
  }
  const [measured] = parseBatchedBench(output);
  if (measured) return measured;
  throw new ThoughtbookError("execution", `${command} measured nothing`, {
    hint: "Its context may be too small for these sizes.",
  });
}
