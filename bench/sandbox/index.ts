import { readdirSync, readFileSync } from "node:fs";
import { type Language, openSandbox, type Program, type Sandbox } from "thoughtbook/sandbox";
import { describeMachine, formatNumber, formatTable, type Machine } from "../shared/report.js";

export interface SandboxBenchOptions {
  /** Small programs of each language whose rate is measured. */
  programs: number;
  /** Programs of which each gets a process of its own. */
  interpreters: number;
  workers: number;
  /** After how many programs of one process its memory is read. */
  checkpoints?: readonly number[];
  onProgress: (line: string) => void;
}

export interface SandboxBenchRow {
  language: Language;
  /** Of one process, from its start to its readiness, and to the end of its first program. */
  startSeconds: number;
  firstSeconds: number;
  /** A new namespace for each, one process; all workers; a new process for each, all workers. */
  programsPerSecond: number;
  programsPerSecondOfAll: number;
  interpretersPerSecond: number;
  /** Memory of one process by the number of programs it has run, in MB. */
  memoryAfter: { programs: number; megabytes: number | undefined }[];
}

export interface SandboxBenchResult {
  benchmark: "sandbox";
  started: string;
  machine: Machine;
  settings: { programs: number; interpreters: number; workers: number };
  rows: SandboxBenchRow[];
  /** Interpreters that are there after all sandboxes are closed; undefined where they cannot be counted. */
  processesLeft: number | undefined;
}

/** Small programs as models write them: they define, compute and print. */
const PROGRAMS: Record<Language, (at: number) => string> = {
  javascript: (at) => `
const numbers = Array.from({ length: 50 }, (_, i) => i * ${at});
const total = numbers.filter((n) => n % 3 === 0).reduce((sum, n) => sum + n, 0);
console.log(total);`,
  python: (at) => `
import math
def share(whole, parts):
    return whole / parts
numbers = [i * ${at} for i in range(50)]
total = sum(n for n in numbers if n % 3 == 0)
print(total, math.floor(share(total, 4)))`,
};

/** What the sandbox costs: programs a second, start of an interpreter, memory and processes left behind. */
export async function benchSandbox({
  programs,
  interpreters,
  workers,
  checkpoints = [100, 1000],
  onProgress,
}: SandboxBenchOptions): Promise<SandboxBenchResult> {
  const [started, machine] = [new Date().toISOString(), describeMachine()];
  const before = countInterpreters();
  const rows: SandboxBenchRow[] = [];
  for (const language of ["javascript", "python"] as const) {
    onProgress(`${language}: ${programs} programs`);
    const one = await measureOne(language, programs, checkpoints);
    onProgress(`${language}: ${workers} workers, then a new process each`);
    const programsPerSecondOfAll = await withSandbox({ workers }, async (sandbox) => {
      await rate(sandbox, language, workers * 4);
      return rate(sandbox, language, programs);
    });
    const interpretersPerSecond = await withSandbox({ workers, fresh: "interpreter" }, (sandbox) =>
      rate(sandbox, language, interpreters),
    );
    rows.push({ language, ...one, programsPerSecondOfAll, interpretersPerSecond });
  }
  const after = countInterpreters();
  const processesLeft = before === undefined || after === undefined ? undefined : after - before;
  return { benchmark: "sandbox", started, machine, settings: { programs, interpreters, workers }, rows, processesLeft };
}

async function measureOne(language: Language, programs: number, checkpoints: readonly number[]) {
  const began = performance.now();
  return withSandbox({ workers: 1 }, async (sandbox) => {
    await rate(sandbox, language, 1);
    const firstSeconds = (performance.now() - began) / 1000;
    const startSeconds = sandbox.processes()[0]!.startSeconds;
    const memoryAfter: SandboxBenchRow["memoryAfter"] = [];
    let done = 1;
    for (const checkpoint of checkpoints) {
      await rate(sandbox, language, checkpoint - done);
      done = checkpoint;
      const bytes = sandbox.processes()[0]?.residentBytes;
      memoryAfter.push({ programs: checkpoint, megabytes: bytes === undefined ? undefined : bytes / 1e6 });
    }
    const programsPerSecond = await rate(sandbox, language, programs);
    return { startSeconds, firstSeconds, programsPerSecond, memoryAfter };
  });
}

async function withSandbox<T>(
  options: { workers: number; fresh?: "interpreter" },
  action: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const sandbox = openSandbox({ ...options, timeLimitMs: 30_000 });
  try {
    return await action(sandbox);
  } finally {
    await sandbox.close();
  }
}

async function rate(sandbox: Sandbox, language: Language, count: number): Promise<number> {
  const programs = Array.from({ length: count }, (_, at): Program => ({ language, code: PROGRAMS[language](at) }));
  const began = performance.now();
  const results = await sandbox.runAll(programs);
  const seconds = (performance.now() - began) / 1000;
  const failed = results.find(({ ok, stdout }) => !ok || !/^\d+( \d+)?\n$/.test(stdout));
  if (failed) throw new Error(`a program of the benchmark failed: ${JSON.stringify(failed)}`);
  return count / seconds;
}

function countInterpreters(): number | undefined {
  try {
    const commands = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return commands.filter((pid) => isOurs(pid)).length;
  } catch {
    return undefined;
  }
}

function isOurs(pid: string): boolean {
  try {
    const [, after] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    return (
      Number(after!.split(" ")[1]) === process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sandbox")
    );
  } catch {
    return false;
  }
}

export function summariseSandbox({ rows, settings, processesLeft }: SandboxBenchResult): string {
  const table = formatTable(
    ["", ...rows.map(({ language }) => language)],
    [
      ["start of an interpreter, s", ...rows.map((row) => formatNumber(row.startSeconds))],
      ["start and first program, s", ...rows.map((row) => formatNumber(row.firstSeconds))],
      ["programs/s, new namespace each, 1 process", ...rows.map((row) => formatNumber(row.programsPerSecond))],
      [
        `programs/s, new namespace each, ${settings.workers} processes`,
        ...rows.map((row) => formatNumber(row.programsPerSecondOfAll)),
      ],
      [
        `programs/s, new interpreter each, ${settings.workers} at a time`,
        ...rows.map((row) => formatNumber(row.interpretersPerSecond)),
      ],
      ...rows[0]!.memoryAfter.map(({ programs: checkpoint }, at) => [
        `resident memory after ${checkpoint.toLocaleString("en-US")} programs, MB`,
        ...rows.map(({ memoryAfter }) => formatNumber(memoryAfter[at]?.megabytes ?? Number.NaN)),
      ]),
    ],
  );
  return `${table}\n\nprocesses left: ${processesLeft ?? "cannot be counted here"}`;
}
