import { constants } from "node:fs";
import { dirname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host, Interpreter } from "./interpreter.js";
import type {
  JudgeReply,
  JudgeRequest,
  Limits,
  ProgramReply,
  ProgramRequest,
  WorkerError,
  WorkerSettings,
} from "./messages.js";
import { pythonDriver } from "./python-driver.js";
import { interpreterMemory, limitMemory, type PyodideModule } from "./python-memory.js";
import { type RunState, startRun } from "./run-state.js";

/*
 * Pyodide. All that Python knows lies in its WebAssembly memory: a copy of it, taken once after the start, is put back
 * after each program. So a program finds the interpreter as if newly started, whatever the one before did to it.
 */

const IDLE: Limits = { timeLimitMs: Number.POSITIVE_INFINITY, outputBytes: 0 };
/** An interrupt that a program swallowed is sent again after so long. */
const INTERRUPT_EVERY_MS = 60;
const SIGINT = 2;

interface DriverOutcome {
  value?: unknown;
  changed?: [number, unknown][];
  error?: (WorkerError & { stack?: string; text?: string }) | null;
}

export async function startPython(settings: WorkerSettings, host: Host): Promise<Interpreter> {
  const { memoryMb, modules, role } = settings;
  // Emscripten asks for the constants of the file system in an old way, which the permission model refuses.
  (process as unknown as { binding: unknown }).binding = () => ({ fs: constants });
  // What programs leave to JavaScript is not collected one by one: it would be freed in the memory of a later program.
  (globalThis as { FinalizationRegistry: unknown }).FinalizationRegistry = class {
    register(): void {}
    unregister(): void {}
  };
  const memory = limitMemory(memoryMb);
  const { loadPyodide } = (await import(modules.pyodide)) as typeof import("pyodide");
  const pyodide = await loadPyodide({
    indexURL: dirname(fileURLToPath(modules.pyodide)) + sep,
    jsglobals: Object.create(null) as object,
    env: { PYTHONHASHSEED: "0" },
    fullStdLib: false,
  });
  let state: RunState = startRun(IDLE, new Uint8Array());
  const stream = (name: "stdout" | "stderr") => ({
    write(bytes: Uint8Array) {
      state.write(name, bytes);
      return bytes.length;
    },
    isatty: false,
  });
  pyodide.setStdout(stream("stdout"));
  pyodide.setStderr(stream("stderr"));
  pyodide.setStdin({ read: (into: Uint8Array) => state.readInput(into), isatty: false });

  const globals = pyodide.toPy({});
  if (role === "judge") {
    // Only where no program runs can Python ask the sandbox something.
    globals.set("rpc", (text: string): string => {
      host.channel.send({ op: "ask", request: text });
      return (host.channel.receive() as { answer: string }).answer;
    });
  }
  pyodide.runPython(pythonDriver(role === "judge"), { globals, filename: "<sandbox>" });
  type Entry = (request: string) => string;
  const [run, call, judge] = ["run", "call", "judge"].map((name) => globals.get(name) as Entry) as [
    Entry,
    Entry,
    Entry,
  ];
  pyodide.unregisterJsModule("js");
  pyodide.unregisterJsModule("pyodide_js");

  let judging = false;
  let interrupted = Number.NEGATIVE_INFINITY;
  pyodide.setInterruptBuffer(
    interruptWhen(() => {
      if (!state.shouldStop()) return false;
      if (state.isHopeless() && !judging) host.leave(reply({}, true));
      if (performance.now() - interrupted < INTERRUPT_EVERY_MS) return false;
      interrupted = performance.now();
      return true;
    }),
  );

  const reply = (outcome: DriverOutcome, ends = false): ProgramReply => {
    const { error } = outcome;
    const stopped = state.isOverOutput || state.isOverTime;
    return {
      op: "result",
      stdout: state.text("stdout"),
      stderr: state.text("stderr") + (error?.stack && !stopped ? error.stack : ""),
      ...("value" in outcome ? { value: outcome.value } : {}),
      ...(outcome.changed ? { changed: outcome.changed } : {}),
      error: errorOf(state, error ? ({ ...error, stack: undefined } as WorkerError) : null),
      milliseconds: state.milliseconds,
      ends,
    };
  };

  const image = interpreterMemory(pyodide as unknown as { _module: PyodideModule });
  /** Let the driver do something; a failure of WebAssembly itself ends the process. */
  const attempt = (request: unknown, entry: Entry, limits: Limits, stdin = ""): ProgramReply => {
    state = startRun(limits, Buffer.from(stdin));
    interrupted = Number.NEGATIVE_INFINITY;
    memory.refused = false;
    try {
      return reply(JSON.parse(entry(JSON.stringify(request))) as DriverOutcome);
    } catch (error) {
      return reply({ error: fatalError(error, memory.refused) }, true);
    }
  };
  const restored = (answer: ProgramReply): ProgramReply => {
    state = startRun(IDLE, new Uint8Array());
    if (answer.ends || image.restore()) return answer;
    return { ...answer, ends: true };
  };

  return {
    handle(message) {
      if (role === "judge") return judgeTests(message as JudgeRequest);
      const request = message as ProgramRequest;
      if (request.op === "end") return restored(reply({}));
      if (request.op === "call") return attempt(request.request, call, request.limits);
      const answer = attempt({ code: request.code }, run, request.limits, request.stdin);
      return request.keep ? answer : restored(answer);
    },
  };

  function judgeTests(request: JudgeRequest): JudgeReply {
    if (request.op !== "judge") throw new Error(`unexpected ${request.op}`);
    judging = true;
    state = startRun(request.limits, new Uint8Array());
    let answer: JudgeReply;
    try {
      const verdict = JSON.parse(judge(JSON.stringify(request))) as Omit<JudgeReply, "op" | "ends">;
      answer = { op: "verdict", ...verdict, ends: false };
      if (state.isOverTime) answer.error = { kind: "timeout", message: "" };
    } catch (error) {
      answer = { op: "verdict", verdicts: [], calls: 0, error: fatalError(error, memory.refused), ends: true };
    }
    state = startRun(IDLE, new Uint8Array());
    return answer.ends || image.restore() ? answer : { ...answer, ends: true };
  }
}

/** Python reads the signal that waits for it as the first number of an array, and then sets that to 0. */
function interruptWhen(isTime: () => boolean): Uint8Array {
  return Object.defineProperty({}, 0, { get: () => (isTime() ? SIGINT : 0), set: () => {} }) as unknown as Uint8Array;
}

function errorOf(state: RunState, error: WorkerError | null): WorkerError | null {
  if (state.isOverOutput) return { kind: "output", message: "" };
  if (state.isOverTime) return { kind: "timeout", message: "" };
  return error;
}

function fatalError(error: unknown, memoryRefused: boolean): WorkerError {
  const text = String(error).split("\n")[0]!.slice(0, 300);
  if (memoryRefused) return { kind: "memory", message: "the interpreter had no memory left" };
  if (/call stack/i.test(text))
    return { kind: "error", message: "RecursionError: the stack of the interpreter is full" };
  return { kind: "error", message: `the interpreter failed: ${text}` };
}
