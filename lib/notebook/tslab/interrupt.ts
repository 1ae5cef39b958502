import { setMaxListeners } from "node:events";
import { Worker } from "node:worker_threads";
import { resumeSending } from "./sockets.js";

/** How long what obeys may take to end by itself, and code that does not return to return after all. */
const GRACE_MS = 700;
const BLOCKED_MS = 400;
/** How long the library and the compiler may: the one has its turns of the event loop, and both would leave things half done. */
const PATIENT_MS = 10_000;

/** Shared with the watching thread: when this thread last took note of an interruption, and whether it was torn from its work. */
const noted = new BigInt64Array(new SharedArrayBuffer(8));
const torn = new Int32Array(new SharedArrayBuffer(4));

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let controller = newController();
let endCell: (() => void) | undefined;
let timer: NodeJS.Timeout | undefined;

function newController(): AbortController {
  const fresh = new AbortController();
  setMaxListeners(0, fresh.signal);
  return fresh;
}

/**
 * The bridge that lib/core/interrupt.ts looks for: the signal that long work obeys. Once aborted it stays so until the next
 * cell: a loop of the interrupted one that catches errors cannot go on.
 */
export function installInterrupt(): void {
  Object.defineProperty(globalThis, Symbol.for("thoughtbook.interrupt"), { value: () => controller.signal });
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", interrupt);
  startWatcher();
}

/**
 * Tell the library to stop, which ends the cell with what it says; after a while, or the second time, end the cell in any
 * case. Work that it had begun goes on only where it neither obeys the signal nor blocks the thread.
 */
export function interrupt(): void {
  Atomics.store(noted, 0, BigInt(Date.now()));
  const wasTorn = Atomics.exchange(torn, 0, 0) === 1;
  if (wasTorn) resumeSending();
  const isLast = wasTorn || timer !== undefined;
  controller.abort(new Error("the notebook was interrupted"));
  if (isLast) endCell?.();
  else if (endCell) timer = setTimeout(endCell, GRACE_MS);
}

/** Do the work of a cell; `interrupted` if that did not end by itself when it was asked to. */
export async function untilInterrupted<T>(work: () => Promise<T>): Promise<T | "interrupted"> {
  const ended = new Promise<"interrupted">((resolve) => {
    endCell = () => resolve("interrupted");
  });
  if (controller.signal.aborted) controller = newController();
  try {
    // In a turn of its own: code that is stopped because it blocks takes with it what called it, and what else was due.
    await nextTurn();
    await nextTurn();
    return await Promise.race([Promise.resolve().then(work), ended]);
  } finally {
    endCell = undefined;
    clearTimeout(timer);
    timer = undefined;
  }
}

/**
 * A thread that stops what blocks this one when it is interrupted, and that kills this process when its front end is gone:
 * nothing else can while a cell runs a loop without an end. Signals reach the main thread's JavaScript only between two
 * turns of its event loop, but libuv's handle of any thread.
 */
const WATCHER = `
  const { Session } = require("node:inspector");
  const { noted, torn, blockedMs, patientMs, library, kernel } = require("node:worker_threads").workerData;
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 500);

  const { SIGINT } = require("node:os").constants.signals;
  const handle = new (process.binding("signal_wrap").Signal)();
  handle.onsignal = () => {
    const sent = Date.now();
    setTimeout(() => stopUnlessNoted(sent), blockedMs);
  };
  handle.start(SIGINT);

  function stopUnlessNoted(sent) {
    const isNoted = () => Atomics.load(noted, 0) >= BigInt(sent - 50);
    if (isNoted()) return;
    const session = new Session();
    session.connectToMainThread();
    session.on("Debugger.paused", ({ params: { callFrames } }) => {
      const isSpared = ({ url }) =>
        (url.startsWith(library) && !url.startsWith(kernel)) || url.includes("typescript-for-tslab");
      // It may have gone on while it was asked to pause.
      const terminateOnResume = !isNoted() && (!callFrames.some(isSpared) || Date.now() > sent + patientMs);
      if (terminateOnResume) Atomics.store(torn, 0, 1);
      session.post("Debugger.resume", { terminateOnResume }, () => {
        session.disconnect();
        setTimeout(() => stopUnlessNoted(sent), blockedMs);
      });
    });
    session.post("Debugger.enable");
    session.post("Debugger.pause");
  }`;

function startWatcher(): void {
  const [kernel, library] = [new URL("./", import.meta.url).href, new URL("../../", import.meta.url).href];
  const workerData = { noted, torn, blockedMs: BLOCKED_MS, patientMs: PATIENT_MS, library, kernel };
  new Worker(WATCHER, { eval: true, stdout: true, stderr: true, workerData }).unref();
}
