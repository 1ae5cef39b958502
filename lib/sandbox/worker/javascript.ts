import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from "quickjs-emscripten-core";
import type { Interpreter } from "./interpreter.js";
import { JAVASCRIPT_PRELUDE } from "./javascript-prelude.js";
import type { Limits, ProgramReply, ProgramRequest, WorkerError, WorkerSettings } from "./messages.js";
import { type RunState, startRun } from "./run-state.js";

/*
 * QuickJS. Each program has a runtime of its own, that is heap, globals and limits; nothing of it is left to the next.
 */

const FILE = "program.js";
const STACK_BYTES = 512 * 1024;
/** WebAssembly memory never shrinks: a process that has grown so large is replaced. */
const WORN_BYTES = 96 * 1024 * 1024;
/** Names of Node, Deno, Bun and browsers that are not there: a program that fails for want of one tried a door. */
const DOORS = new RegExp(
  "'?\\b(process|require|__dirname|__filename|Deno|Bun|fetch|XMLHttpRequest|WebSocket|EventSource|Worker|" +
    "SharedWorker|importScripts|navigator|window|document|localStorage|indexedDB|std|os|WebAssembly)\\b'? is not defined",
);

export async function startJavaScript({ memoryMb, modules }: WorkerSettings): Promise<Interpreter> {
  const { newQuickJSWASMModuleFromVariant } = (await import(
    modules.quickjs
  )) as typeof import("quickjs-emscripten-core");
  const variant = (await import(modules.variant)).default as Parameters<typeof newQuickJSWASMModuleFromVariant>[0];
  const quickjs = await newQuickJSWASMModuleFromVariant(variant);
  let kept: Running | undefined;

  const reply = (
    state: RunState,
    outcome: Outcome,
    ends: boolean = quickjs.getWasmMemory().buffer.byteLength > WORN_BYTES,
  ): ProgramReply => ({
    op: "result",
    stdout: state.text("stdout"),
    stderr:
      state.text("stderr") +
      (outcome.stack && !outcome.error?.kind.match(/timeout|output/) ? `${outcome.stack}\n` : ""),
    ...(outcome.value === undefined ? {} : { value: outcome.value }),
    error: errorOf(state, outcome),
    milliseconds: state.milliseconds,
    ends,
  });

  const answer = (running: Running, action: (running: Running) => Outcome, keep: boolean): ProgramReply => {
    const { state } = running;
    let outcome: Outcome;
    try {
      outcome = action(running);
    } catch (error) {
      // WebAssembly itself failed, as where its stack is full: this instance can be used no more.
      return reply(state, { error: { kind: "error", message: oneLine(error) } }, true);
    }
    if (keep) return reply(state, outcome, false);
    const answered = reply(state, outcome);
    kept = undefined;
    try {
      running.prelude.dispose();
      running.context.dispose();
      running.runtime.dispose();
    } catch {
      return { ...answered, ends: true };
    }
    return answered;
  };

  return {
    handle(message) {
      const request = message as ProgramRequest;
      if (request.op === "run") {
        const running = startProgram(quickjs, request, memoryMb);
        kept = running;
        return answer(running, (it) => runProgram(it, request.code), request.keep);
      }
      if (request.op === "end") return kept ? answer(kept, () => ({}), false) : lost();
      if (!kept) return lost();
      const { target, args = [] } = request.request;
      kept.state = startRun(request.limits, new Uint8Array());
      return answer(kept, (it) => callFunction(it, "name" in target ? target.name : "", JSON.stringify(args)), true);
    },
  };
}

const lost = (): ProgramReply => ({
  op: "result",
  stdout: "",
  stderr: "",
  error: { kind: "error", message: "the program has ended" },
  milliseconds: 0,
  ends: false,
});

interface Running {
  runtime: QuickJSRuntime;
  context: QuickJSContext;
  prelude: QuickJSHandle;
  state: RunState;
}

interface Outcome {
  value?: unknown;
  error?: WorkerError;
  stack?: string | undefined;
}

function startProgram(
  quickjs: QuickJSWASMModule,
  { stdin, limits }: { stdin: string; limits: Limits },
  memoryMb: number,
): Running {
  const runtime = quickjs.newRuntime();
  runtime.setMemoryLimit(memoryMb * 1024 * 1024);
  runtime.setMaxStackSize(STACK_BYTES);
  const context = runtime.newContext();
  const running = { runtime, context, prelude: context.undefined, state: startRun(limits, Buffer.from(stdin)) };
  runtime.setModuleLoader((name) => ({ error: new Error(`forbidden: no module ${name} in the sandbox`) }));
  runtime.setInterruptHandler(() => running.state.shouldStop());
  const encoder = new TextEncoder();
  const host_functions = [
    context.newFunction("write", (stream, text) => {
      // Interrupts come only now and then: whoever goes on printing must not cost more than this.
      if (running.state.isOverOutput) return { error: context.newError("the output is over its limit") };
      const name = context.getString(stream) === "stderr" ? "stderr" : "stdout";
      running.state.write(name, encoder.encode(context.getString(text)));
      return undefined;
    }),
    context.newFunction("readLine", () => {
      const line = running.state.readLine();
      return line === undefined ? context.null : context.newString(line);
    }),
    context.newFunction("wait", (milliseconds) => wait(running.state, context.getNumber(milliseconds))),
    context.newFunction("now", () => context.newNumber(running.state.milliseconds)),
  ];
  const make = context.unwrapResult(context.evalCode(JAVASCRIPT_PRELUDE, "sandbox.js", { type: "global" }));
  running.prelude = context.unwrapResult(context.callFunction(make, context.undefined, ...host_functions));
  for (const each of [make, ...host_functions]) each.dispose();
  // What came before is no part of the program's time.
  running.state = startRun(limits, Buffer.from(stdin));
  return running;
}

/** Sleep in small steps, so that the program's time limit holds. */
function wait(state: RunState, milliseconds: number): void {
  const end = state.milliseconds + milliseconds;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (state.milliseconds < end && !state.shouldStop()) {
    Atomics.wait(cell, 0, 0, Math.min(20, Math.max(0.1, end - state.milliseconds)));
  }
}

function runProgram(running: Running, code: string): Outcome {
  const { context } = running;
  let result = context.evalCode(code, FILE, { type: "global" });
  let isModule = false;
  if (result.error && isModuleSyntax(context.dump(result.error), code)) {
    result.error.dispose();
    result = context.evalCode(code, FILE, { type: "module" });
    isModule = true;
  }
  if (result.error) return failure(running, result.error);
  const value = result.value;
  const settled = settle(running);
  if (settled) {
    value.dispose();
    return settled;
  }
  const outcome = settledValue(running, value);
  // Of a module it would be what it exports.
  return isModule && !outcome.error ? {} : outcome;
}

function callFunction(running: Running, name: string, args: string): Outcome {
  const { context, prelude } = running;
  if (!/^[A-Za-z_$][\w$]*$/.test(name))
    return { error: { kind: "error", message: `${name} is no name of a function` } };
  const target = context.evalCode(name, FILE, { type: "global" });
  if (target.error) return failure(running, target.error);
  const call = context.getProp(prelude, "call");
  const data = context.newString(args);
  const result = context.callFunction(call, context.undefined, target.value, data);
  for (const each of [target.value, call, data]) each.dispose();
  if (result.error) return failure(running, result.error);
  return settledValue(running, result.value);
}

/** Run what is left to do of promises and timers. */
function settle(running: Running): Outcome | undefined {
  const { context, runtime, prelude } = running;
  const runTimer = context.getProp(prelude, "runTimer");
  try {
    for (;;) {
      const jobs = runtime.executePendingJobs();
      if (jobs.error) return failure(running, jobs.error);
      jobs.dispose();
      if (running.state.shouldStop()) return { error: { kind: "timeout", message: "" } };
      const ran = context.callFunction(runTimer, context.undefined);
      if (ran.error) return failure(running, ran.error);
      const more = context.dump(ran.value) === true;
      ran.value.dispose();
      if (!more) return undefined;
    }
  } finally {
    runTimer.dispose();
  }
}

/** A promise's value is what it is fulfilled with; what is not settled by now never will be. */
function settledValue(running: Running, value: QuickJSHandle): Outcome {
  const { context, prelude } = running;
  const settled = settle(running);
  if (settled) {
    value.dispose();
    return settled;
  }
  const state = context.getPromiseState(value);
  if (state.type === "rejected") {
    value.dispose();
    return failure(running, state.error);
  }
  if (state.type === "pending") {
    value.dispose();
    return {};
  }
  const encode = context.getProp(prelude, "encode");
  const encoded = context.callFunction(encode, context.undefined, state.value);
  encode.dispose();
  if (state.value !== value) state.value.dispose();
  value.dispose();
  if (encoded.error) return failure(running, encoded.error);
  const text = context.getString(encoded.value);
  encoded.value.dispose();
  return { value: JSON.parse(text) as unknown };
}

interface Described {
  name?: string;
  message: string;
  line?: number;
  stack: string;
}

/** Consumes the error. */
function failure(running: Running, error: QuickJSHandle): Outcome {
  const { context, prelude } = running;
  // Described by the prelude, which the program's limits hold for as well: where it fails, by what QuickJS says.
  const describe = context.getProp(prelude, "describe");
  const described = context.callFunction(describe, context.undefined, error);
  describe.dispose();
  let about: Described;
  if (described.error) {
    described.error.dispose();
    const dumped = context.dump(error) as Partial<Described> | string | null;
    const message = typeof dumped === "object" ? (dumped?.message ?? "unknown error") : String(dumped);
    about = { message, stack: message };
  } else {
    about = JSON.parse(context.getString(described.value)) as Described;
    described.value.dispose();
  }
  error.dispose();
  const place = about.line === undefined ? "" : ` (line ${about.line})`;
  return { error: { kind: kindOf(about), message: oneLine(about.message) + place }, stack: about.stack };
}

function kindOf({ message }: Described): WorkerError["kind"] {
  if (/out of memory|invalid array buffer length|Array too long/i.test(message)) return "memory";
  if (/^InternalError: interrupted$/.test(message)) return "timeout";
  if (DOORS.test(message) || /forbidden: no module|could not load module/.test(message)) return "forbidden";
  return "error";
}

function errorOf(state: RunState, { error }: Outcome): WorkerError | null {
  if (state.isOverOutput) return { kind: "output", message: "" };
  if (state.isOverTime) return { kind: "timeout", message: "" };
  return error ?? null;
}

const oneLine = (error: unknown): string =>
  String(error)
    .replace(/\s*\n\s*/g, " ")
    .slice(0, 500);

/** Imports, exports and `await` outside of functions are for modules only. */
function isModuleSyntax(error: unknown, code: string): boolean {
  const name = (error as { name?: string } | undefined)?.name;
  return name === "SyntaxError" && /\b(import|export|await)\b/.test(code);
}
