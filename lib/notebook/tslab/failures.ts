import { writeSync } from "node:fs";
import { inspect } from "node:util";

/** What an `error` message of the Jupyter protocol holds. */
export interface Failure {
  ename: string;
  evalue: string;
  traceback: string[];
}

// What went wrong in the running cell, and what escaped while no cell ran: the next request reports it.
const failures: Failure[] = [];
let running = false;
let started = false;

export function cellStarts(): void {
  running = started = true;
}

export function cellEnds(): void {
  running = false;
}

/** The error of a running cell. */
export function recordFailure(failure: Failure): void {
  failures.push(failure);
}

/** All that went wrong since the last call, as one failure; undefined if nothing did. */
export function takeFailure(): Failure | undefined {
  const all = failures.splice(0);
  if (all.length === 0) return undefined;
  return {
    ename: all[0]!.ename,
    evalue: all.map((f) => f.evalue).join("\n"),
    traceback: all.flatMap((f) => f.traceback),
  };
}

export function describe(value: unknown, escaped = false): Failure {
  const isError = value instanceof Error;
  const ename = isError ? value.name : "Error";
  const text = isError ? value.message : inspect(value);
  const hint = isError && "hint" in value && typeof value.hint === "string" ? value.hint : undefined;
  const message = hint ? `${text.replace(/[.:]?$/, ".")} ${hint}` : text;
  const prefix = escaped ? "from work that an earlier cell left unawaited: " : "";
  const stack = isError ? (value.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  const ours = (line: string) =>
    !/node:internal|node:vm|[\\/]node_modules[\\/](@tslab|tslab)[\\/]|[\\/]notebook[\\/]tslab[\\/]/.test(line);
  return {
    ename,
    evalue: `${prefix}${message}`,
    traceback: [`${ename}: ${prefix}${message}`, ...stack.filter(ours)],
  };
}

/** Unhandled rejections and exceptions in timers, which tslab prints and passes as success, fail a cell. */
export function catchEscaped(): void {
  for (const [event, kind] of [
    ["unhandledRejection", "unhandled rejection"],
    ["uncaughtException", "uncaught exception"],
  ] as const) {
    process.removeAllListeners(event);
    process.on(event, (value: unknown) => recordEscaped(kind, value));
  }
}

function recordEscaped(kind: string, value: unknown): void {
  if (!started) {
    // Before the first cell it is our own: a port that another process has taken, say. Nobody would ever get an answer.
    writeSync(2, `the kernel cannot start: ${inspect(value)}\n`);
    process.exit(1);
  }
  // What an interrupted cell left unawaited ends as asked.
  if (isInterruption(value) && !running) return;
  const failure = describe(value, !running);
  failures.push({
    ...failure,
    evalue: `${kind}: ${failure.evalue}`,
    traceback: [`${kind}: ${failure.traceback[0]}`, ...failure.traceback.slice(1)],
  });
  if (!running) process.stderr.write(`${kind} after the cell had ended: ${failure.traceback.join("\n")}\n`);
}

const isInterruption = (value: unknown): boolean =>
  value instanceof Error && "code" in value && value.code === "interrupted";
