import { totalmem } from "node:os";
import { badInput, parseByteSize } from "../core/index.js";

/*
 * Compiled programs of all functions share one bound of memory, as memory belongs to the process: what was not used for
 * the longest time is let go, and compiled again when it is needed.
 */

/** Bytes that programs may keep where no `memory` is given: 512 MiB. */
export const PROGRAM_BYTES = 2 ** 29;
/**
 * Bytes that training steps may keep besides, where no `memory` is given: a third of the machine's. A step of a real model
 * is larger than all else, and compiled anew for each update it would take twice the time.
 */
const TRAINING_BYTES = totalmem() / 3;
/** What Node and the libraries take before any model: about 140 MB. */
export const RUNTIME_BYTES = 150e6;

/** A program that stays compiled for the next call. */
export interface KeptProgram {
  /** Estimated memory besides inputs and outputs. */
  readonly bytes: number;
  /** Whether it is a step of training. */
  readonly trains: boolean;
  /** Calls that run or wait for it now: it is let go only at 0. */
  users: number;
  /** When it was used last, in calls. */
  lastUse: number;
  /** Forget the program and give its memory back. */
  letGo(): Promise<void>;
}

// Weak, so that functions that nobody refers to any more are collected with their programs.
const known = new Set<WeakRef<KeptProgram>>();
let calls = 0;
/** Whether programs in use kept the last cleaning from reaching the limit. */
let isOver = false;

/**
 * The budget of this process: what a session's options say, else the environment variable THOUGHTBOOK_MEMORY, such as
 * `2GB`; undefined where neither says anything.
 *
 * @throws bad-input for what is no number of bytes
 */
export function memoryLimit({ memory }: { memory?: number | undefined } = {}): number | undefined {
  if (memory !== undefined) {
    if (Number.isFinite(memory) && memory > 0) return memory;
    throw badInput(`memory is ${memory}, expected bytes above 0`, "Give a number of bytes, such as 2e9.");
  }
  const chosen = process.env.THOUGHTBOOK_MEMORY;
  if (!chosen) return undefined;
  const bytes = parseByteSize(chosen);
  if (bytes !== undefined) return bytes;
  throw badInput(
    `THOUGHTBOOK_MEMORY is "${chosen}", expected a size such as 2GB or 1.5GiB`,
    "Correct the environment variable, or unset it.",
  );
}

/** Count a program from now on. */
export function keepProgram(program: KeptProgram): void {
  known.add(new WeakRef(program));
}

export function beginUse(program: KeptProgram): void {
  program.users++;
  program.lastUse = ++calls;
}

export async function endUse(program: KeptProgram, memory: number | undefined): Promise<void> {
  program.users--;
  if (isOver || memory !== undefined) await makeRoom(memory);
}

/**
 * Let programs go that are not in use, the one not used for the longest time first, until the others fit the budget: all
 * together, or without one those that train and those that do not each their own.
 */
export async function makeRoom(memory: number | undefined): Promise<void> {
  const programs = keptPrograms();
  if (memory !== undefined) {
    isOver = await fit(programs, budgetLimit(memory, bytesOf(programs)));
    return;
  }
  const over = [
    await fit(
      programs.filter(({ trains }) => !trains),
      PROGRAM_BYTES,
    ),
    await fit(
      programs.filter(({ trains }) => trains),
      TRAINING_BYTES,
      true,
    ),
  ];
  isOver = over.includes(true);
}

/**
 * Returns whether programs keep the others above the limit.
 *
 * @param keepsLast whether the one used last stays, however large: it is most likely what comes next
 */
async function fit(programs: readonly KeptProgram[], limit: number, keepsLast = false): Promise<boolean> {
  let total = bytesOf(programs);
  const gone: Promise<void>[] = [];
  const idle = programs.filter(({ users }) => users === 0).sort((a, b) => a.lastUse - b.lastUse);
  if (keepsLast && idle.length === programs.length) idle.pop();
  for (const program of idle) {
    if (total <= limit) break;
    total -= program.bytes;
    forget(program);
    gone.push(program.letGo());
  }
  await Promise.all(gone);
  return total > limit;
}

const bytesOf = (programs: readonly KeptProgram[]): number => programs.reduce((sum, { bytes }) => sum + bytes, 0);

/** No longer count a program. */
export function forget(program: KeptProgram): void {
  for (const reference of known) if (reference.deref() === program) known.delete(reference);
}

/** Memory of all programs that are compiled now, as estimated, and their number. */
export function programMemory(): { programs: number; bytes: number } {
  const programs = keptPrograms();
  return { programs: programs.length, bytes: bytesOf(programs) };
}

/** Of a budget, programs get this share at least: with nothing kept, two that take turns would be compiled in every call. */
const LEAST_SHARE = 1 / 8;

/** Of a budget for the whole process, programs get what weights, keys and values and other tensors leave. */
function budgetLimit(memory: number, bytes: number): number {
  const { rss, arrayBuffers } = process.memoryUsage();
  // Memory that was set aside is not resident before it is written; what programs gave back may be resident for a while.
  const others = Math.min(RUNTIME_BYTES + arrayBuffers, Math.max(0, rss - bytes));
  return Math.max(LEAST_SHARE * memory, memory - others);
}

function keptPrograms(): KeptProgram[] {
  const programs: KeptProgram[] = [];
  for (const reference of known) {
    const program = reference.deref();
    if (program) programs.push(program);
    else known.delete(reference);
  }
  return programs;
}
