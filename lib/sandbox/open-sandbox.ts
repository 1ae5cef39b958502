import { availableParallelism } from "node:os";
import { badInput, checkWhole, withoutUndefined } from "../core/index.js";
import type { Died, InterpreterProcess } from "./interpreter-process.js";
import { openProcessPool, type ProcessPool } from "./process-pool.js";
import {
  LANGUAGES,
  type Language,
  PROGRAM_ERRORS,
  type Program,
  type ProgramError,
  type ProgramResult,
} from "./types.js";
import { decodeValue } from "./values.js";
import type { Encoded, JudgeReply, JudgeRequest, ObjectRequest, ProgramReply, WorkerError } from "./worker/messages.js";

export interface SandboxOptions {
  /** Which of them may be run. Default: both. An interpreter starts with the first program that needs it. */
  languages?: readonly Language[];
  /** Wall time of a program. Default 2000. */
  timeLimitMs?: number;
  /** Memory of a program and its interpreter. Default 256; Python itself takes 32. */
  memoryMb?: number;
  /** Bytes of stdout and stderr together. Default 1,000,000. */
  outputBytes?: number;
  /** Programs of one language that run side by side, each in a process of its own. Default: one a core, 4 at most. */
  workers?: number;
  /**
   * What each program finds: "namespace" a new one in an interpreter that goes on (for Python its whole memory is put
   * back, for JavaScript heap and globals are new), "interpreter" a new process as well. Default "namespace".
   */
  fresh?: "namespace" | "interpreter";
  /** Interrupts what runs: it is killed, and the call throws. */
  signal?: AbortSignal;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
}

export interface Sandbox {
  /** Run one program. What it does wrong is in the result; throws only where the sandbox itself cannot work. */
  run(program: Program, options?: RunOptions): Promise<ProgramResult>;
  /** Run programs side by side; results in their order. */
  runAll(programs: readonly Program[], options?: RunOptions): Promise<ProgramResult[]>;
  /** Run a program and keep what it defined, for calls from outside. */
  withProgram<T>(program: Program, action: (loaded: LoadedProgram) => Promise<T>, options?: RunOptions): Promise<T>;
  /** Run tests of Python against a program in another process, see code-tests.ts. */
  judge(
    tests: { setup: string; tests: readonly string[]; entryPoint: string },
    program: LoadedProgram,
    options?: RunOptions,
  ): Promise<JudgeReply | { error: ProgramError }>;
  /** Processes that are alive now, for measurements. */
  processes(): { language: Language | "judge"; startSeconds: number; residentBytes: number | undefined }[];
  /** End all processes. Programs that still run throw. */
  close(): Promise<void>;
}

/** A program that has run, and whose functions can be called until its time is used up. */
export interface LoadedProgram {
  language: Language;
  /** Of the program itself, before any call. */
  result: ProgramResult;
  /** Do something with a function or object of the program. Its time counts as the program's. */
  ask(request: ObjectRequest): Promise<CallReply>;
}

export interface CallReply {
  value?: Encoded;
  changed?: [number, Encoded][];
  error: (WorkerError & { text?: string }) | null;
}

const DEFAULTS = { timeLimitMs: 2000, memoryMb: 256, outputBytes: 1_000_000 };
const LEAST_MEMORY = { javascript: 8, python: 64 };
const MOST_WORKERS = 4;
/** The tests themselves are trusted to end; what they take beside the program's calls. */
const TESTS_MS = 10_000;
/** For an interpreter to forget a program. */
const END_MS = 5000;

/**
 * Open a sandbox for programs that nobody has read. They run in WebAssembly (QuickJS, Pyodide) in processes of their own,
 * which have no files, no network, no environment and no processes, and which are killed when time is over.
 *
 * @throws bad-input if an option is out of range
 */
export function openSandbox(options: SandboxOptions = {}): Sandbox {
  const { languages = LANGUAGES, fresh = "namespace" } = options;
  const { timeLimitMs, memoryMb, outputBytes } = { ...DEFAULTS, ...withoutUndefined(options) };
  const workers = options.workers ?? Math.min(MOST_WORKERS, availableParallelism());
  checkWhole("timeLimitMs", timeLimitMs, 1);
  checkWhole("outputBytes", outputBytes, 0);
  checkWhole("workers", workers, 1);
  for (const language of languages) {
    if (!LANGUAGES.includes(language)) throw unknownLanguage(language);
    checkWhole(`memoryMb for ${language}`, memoryMb, LEAST_MEMORY[language]);
  }
  const pools = new Map<Language | "judge", ProcessPool>();
  const pool = (role: Language | "judge") => {
    const size = { role, memoryMb: role === "judge" ? 512 : memoryMb, size: workers };
    if (!pools.has(role))
      pools.set(role, openProcessPool({ ...size, once: fresh === "interpreter" && role !== "judge" }));
    return pools.get(role)!;
  };
  const poolFor = (language: Language) => {
    if (languages.includes(language)) return pool(language);
    throw unknownLanguage(language, languages);
  };
  const limitsOf = (program: Program) => {
    const limit = program.timeLimitMs ?? timeLimitMs;
    checkWhole("timeLimitMs", limit, 1);
    return { timeLimitMs: limit, outputBytes };
  };
  const either = (signal: AbortSignal | undefined) =>
    signal && options.signal ? AbortSignal.any([signal, options.signal]) : (signal ?? options.signal);

  const start = async (process: InterpreterProcess, program: Program, keep: boolean): Promise<ProgramResult> => {
    const limits = limitsOf(program);
    const { code, stdin = "", language } = program;
    const reply = await process.exchange({ op: "run", code, stdin, keep, limits }, limits.timeLimitMs);
    if (reply.op === "result" && reply.ends) await process.kill();
    return asResult(reply, language, { ...limits, memoryMb });
  };

  const sandbox: Sandbox = {
    run: (program, { signal } = {}) =>
      poolFor(program.language).use(either(signal), (process) => start(process, program, false)),
    async runAll(programs, { signal } = {}) {
      for (const { language } of programs) poolFor(language);
      const failed = new AbortController();
      const both = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
      try {
        return await Promise.all(programs.map((program) => sandbox.run(program, { signal: both })));
      } catch (error) {
        failed.abort();
        throw error;
      }
    },
    withProgram: (program, action, { signal } = {}) =>
      poolFor(program.language).use(either(signal), async (process) => {
        const result = await start(process, program, true);
        const limits = limitsOf(program);
        let left = limits.timeLimitMs - result.milliseconds;
        let ended: WorkerError | undefined = result.error ?? undefined;
        const ask = async (request: ObjectRequest): Promise<CallReply> => {
          if (ended) return { error: ended };
          if (left <= 0) ended = { kind: "timeout", message: messageOf("timeout", { ...limits, memoryMb }) };
          if (ended) return { error: ended };
          const reply = await process.exchange(
            { op: "call", request, limits: { timeLimitMs: left, outputBytes } },
            left,
          );
          if (reply.op !== "result") {
            ended = { kind: reply.op === "died" ? reply.why : "error", message: "" };
            ended.message = messageOf(ended.kind, { ...limits, memoryMb });
            return { error: ended };
          }
          left -= Math.max(0, Number(reply.milliseconds) || 0);
          const error = reply.error && { ...reply.error, ...asError(reply.error, { ...limits, memoryMb }) };
          if (error && (reply.ends || error.kind === "timeout" || error.kind === "output")) ended = error;
          if (reply.ends) {
            ended ??= { kind: "error", message: "the program's interpreter ended" };
            await process.kill();
          }
          return { ...reply, error };
        };
        try {
          return await action({ language: program.language, result, ask });
        } finally {
          if (process.alive) {
            const reply = await process.exchange({ op: "end" }, END_MS);
            if (reply.op !== "result" || reply.ends) await process.kill();
          }
        }
      }),
    judge: ({ setup, tests, entryPoint }, program, { signal } = {}) =>
      pool("judge").use(either(signal), async (process) => {
        const limit = TESTS_MS + 2 * timeLimitMs;
        const request: JudgeRequest = {
          op: "judge",
          setup,
          tests: [...tests],
          entryPoint,
          limits: { timeLimitMs: limit, outputBytes },
        };
        const reply = await process.exchange(request, limit, async (question) => {
          const { value, changed, error } = await program.ask(JSON.parse(question) as ObjectRequest);
          return JSON.stringify({ value: value ?? null, ...(changed ? { changed } : {}), error });
        });
        if (reply.op === "verdict" && !reply.error) return reply;
        await process.kill();
        const error = reply.op === "verdict" ? reply.error! : undefined;
        const message = error?.message || "the tests themselves did not end in time";
        return { error: { kind: error?.kind ?? "error", message } };
      }),
    processes: () =>
      [...pools].flatMap(([language, { processes }]) =>
        processes
          .filter(({ alive }) => alive)
          .map((each) => ({ language, startSeconds: each.startSeconds, residentBytes: each.residentBytes() })),
      ),
    async close() {
      await Promise.all([...pools.values()].map((each) => each.close()));
    },
  };
  return sandbox;
}

interface AllLimits {
  timeLimitMs: number;
  outputBytes: number;
  memoryMb: number;
}

/** The interpreter's process is not believed more than it must be: its answer has no kind or text but those known. */
function asResult(reply: ProgramReply | JudgeReply | Died, language: Language, limits: AllLimits): ProgramResult {
  if (reply.op !== "result") {
    const kind = reply.op === "died" ? reply.why : "error";
    const milliseconds = kind === "timeout" ? limits.timeLimitMs : 0;
    return { ok: false, stdout: "", stderr: "", error: { kind, message: messageOf(kind, limits) }, milliseconds };
  }
  const { error } = reply;
  return {
    ok: !error,
    stdout: String(reply.stdout),
    stderr: String(reply.stderr),
    ...("value" in reply && !error ? { value: decodeValue(reply.value, language) } : {}),
    error: error && asError(error, limits),
    milliseconds: Math.round(1000 * (Number(reply.milliseconds) || 0)) / 1000,
  };
}

function asError({ kind: told, message }: WorkerError, limits: AllLimits): ProgramError {
  const kind = PROGRAM_ERRORS.includes(told) ? told : "error";
  return { kind, message: String(message) || messageOf(kind, limits) };
}

function messageOf(kind: ProgramError["kind"], { timeLimitMs, outputBytes, memoryMb }: AllLimits): string {
  if (kind === "timeout") return `the program took longer than ${timeLimitMs.toLocaleString("en-US")} ms`;
  if (kind === "output") return `the program printed more than ${outputBytes.toLocaleString("en-US")} bytes`;
  if (kind === "memory") return `the program needed more memory than ${memoryMb.toLocaleString("en-US")} MB`;
  return "the program broke its interpreter";
}

const unknownLanguage = (language: string, languages: readonly Language[] = LANGUAGES) =>
  badInput(`no language ${JSON.stringify(language)} in this sandbox`, `There are: ${languages.join(", ")}.`);
