import { setMaxListeners } from "node:events";
import { ThoughtbookError } from "../core/index.js";
import { type InterpreterProcess, startInterpreterProcess } from "./interpreter-process.js";
import type { WorkerSettings } from "./worker/messages.js";

/** Processes of one kind, started as they are needed and used one by one. */
export interface ProcessPool {
  /** Let one process work; it is the caller's alone meanwhile. A process that has died by then is replaced. */
  use<T>(signal: AbortSignal | undefined, action: (process: InterpreterProcess) => Promise<T>): Promise<T>;
  readonly processes: readonly InterpreterProcess[];
  close(): Promise<void>;
}

export interface ProcessPoolOptions {
  role: WorkerSettings["role"];
  memoryMb: number;
  /** The most processes. */
  size: number;
  /** A process is used once only. */
  once: boolean;
}

export function openProcessPool({ role, memoryMb, size, once }: ProcessPoolOptions): ProcessPool {
  const idle: InterpreterProcess[] = [];
  const all = new Set<InterpreterProcess>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const starting = new Set<Promise<unknown>>();

  const turn = async (signal: AbortSignal | undefined): Promise<void> => {
    if (taken < size) {
      taken++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(interruption());
      };
      waiting.push(go);
      signal?.addEventListener("abort", leave, { once: true });
    });
  };
  const next = () => {
    const go = waiting.shift();
    if (go) go();
    else taken--;
  };

  return {
    get processes() {
      return [...all];
    },
    async use(signal, action) {
      check(signal);
      // Many programs wait for one signal: that is no leak.
      if (signal) setMaxListeners(0, signal);
      await turn(signal);
      let process: InterpreterProcess | undefined;
      const stop = () => void process?.kill();
      try {
        check(signal);
        process = idle.pop();
        if (!process?.alive) {
          if (process) all.delete(process);
          process = await start(signal);
        }
        check(signal);
        signal?.addEventListener("abort", stop, { once: true });
        const result = await action(process);
        check(signal);
        return result;
      } finally {
        signal?.removeEventListener("abort", stop);
        if (process && (once || closing.signal.aborted || signal?.aborted)) await process.kill();
        if (process?.alive) idle.push(process);
        else if (process) all.delete(process);
        next();
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(starting);
      await Promise.all([...all].map((each) => each.kill()));
      all.clear();
    },
  };

  /** Interrupted or closed meanwhile, there is no process; the reason is the caller's to tell. */
  async function start(signal: AbortSignal | undefined): Promise<InterpreterProcess> {
    const stop = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;
    const started = startInterpreterProcess(role, memoryMb, stop);
    starting.add(started);
    try {
      const process = await started;
      all.add(process);
      return process;
    } catch (error) {
      check(signal);
      throw error;
    } finally {
      starting.delete(started);
    }
  }

  function check(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw interruption();
    if (closing.signal.aborted)
      throw new ThoughtbookError("execution", "the sandbox is closed", { hint: "Open another one." });
  }
}

const interruption = () => new ThoughtbookError("interrupted", "interrupted while programs ran");
