import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSession, type SessionOptions } from "./session.js";
import type { TensorData } from "./tensor-data.js";

/** What one operator cost in one call, on average. */
export interface ProfileRow {
  operator: string;
  /** Milliseconds a call. */
  milliseconds: number;
  /** Nodes of this operator that ran in a call. */
  nodes: number;
  /** Share of the time of all nodes, 0 to 1. */
  share: number;
}

interface TraceEvent {
  cat: string;
  name: string;
  dur: number;
  args?: { op_name?: string };
}

/** Run a program with ONNX Runtime's profiler on and add its events up by operator. */
export async function profileProgram(
  model: Uint8Array,
  inputNames: readonly string[],
  outputNames: readonly string[],
  options: SessionOptions,
  { inputs, outputs, runs }: { inputs: readonly TensorData[]; outputs: readonly TensorData[]; runs: number },
): Promise<ProfileRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-profile-"));
  try {
    const session = await createSession(model, inputNames, outputNames, options, join(folder, "trace"));
    for (let i = 0; i < runs; i++) await session.run(inputs, outputs);
    session.endProfiling();
    await session.dispose();
    const [file] = await readdir(folder);
    return summarise(JSON.parse(await readFile(join(folder, file!), "utf8")) as TraceEvent[], runs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summarise(events: readonly TraceEvent[], runs: number): ProfileRow[] {
  const byOperator = new Map<string, { microseconds: number; count: number }>();
  let total = 0;
  for (const { cat, name, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time") || args?.op_name === undefined) continue;
    const row = byOperator.get(args.op_name) ?? { microseconds: 0, count: 0 };
    byOperator.set(args.op_name, { microseconds: row.microseconds + dur, count: row.count + 1 });
    total += dur;
  }
  return [...byOperator]
    .map(([operator, { microseconds, count }]) => ({
      operator,
      milliseconds: microseconds / 1000 / runs,
      nodes: count / runs,
      share: total === 0 ? 0 : microseconds / total,
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

/** A profile as lines of text: operator, milliseconds a call, nodes, share. */
export function formatProfile(rows: readonly ProfileRow[]): string {
  const width = Math.max(8, ...rows.map(({ operator }) => operator.length));
  const lines = rows.map(
    ({ operator, milliseconds, nodes, share }) =>
      `${operator.padEnd(width)} ${milliseconds.toFixed(3).padStart(10)} ${String(nodes).padStart(6)} ${(share * 100).toFixed(1).padStart(6)}%`,
  );
  return [
    `${"operator".padEnd(width)} ${"ms a call".padStart(10)} ${"nodes".padStart(6)} ${"share".padStart(7)}`,
    ...lines,
  ].join("\n");
}
