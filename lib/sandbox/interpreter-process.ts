import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ThoughtbookError } from "../core/index.js";
import type { JudgeRequest, ProgramRequest, WorkerReply, WorkerSettings } from "./worker/messages.js";

/** The program's process ended before it answered, or was ended. */
export interface Died {
  op: "died";
  why: "timeout" | "memory" | "output" | "error";
}

export interface InterpreterProcess {
  readonly role: WorkerSettings["role"];
  /** From the start of the process to its readiness. */
  readonly startSeconds: number;
  readonly alive: boolean;
  /** Resident memory in bytes, as the system tells it; undefined where it does not. */
  residentBytes(): number | undefined;
  /**
   * Send a request and wait for its answer. Where none comes in time the process is killed.
   *
   * @param answer what to say to the questions that the process asks meanwhile
   */
  exchange(
    request: ProgramRequest | JudgeRequest,
    timeLimitMs: number,
    answer?: (question: string) => Promise<string>,
  ): Promise<Exclude<WorkerReply, { op: "ready" | "ask" }> | Died>;
  kill(): Promise<void>;
}

/** The longest answer that is read, beyond the output: results are bounded by the interpreter, this by us. */
const MOST_BYTES = 64 * 1024 * 1024;
const START_SECONDS = 120;
const WATCH_EVERY_MS = 50;
/** What an interpreter may take beside the program's memory: its own, and that of Node. */
const OWN_BYTES = { javascript: 160, python: 320, judge: 320 };
const MEBIBYTE = 1024 * 1024;

const running = new Set<ChildProcess>();
let endsWithUs = false;

/** Start the process of one interpreter: Node's permission model, no environment, nothing to read but its own code. */
export async function startInterpreterProcess(
  role: WorkerSettings["role"],
  memoryMb: number,
  signal?: AbortSignal,
): Promise<InterpreterProcess> {
  const started = performance.now();
  const files = workerFiles();
  const settings: WorkerSettings = { role, memoryMb, modules: files.modules };
  const child = spawn(process.execPath, [...flags(files.readable), files.main, JSON.stringify(settings)], {
    env: {},
    cwd: dirname(files.main),
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  killWithUs(child);
  const channel = child.stdio[3] as Duplex;
  let said = "";
  child.stderr!.on("data", (bytes: Buffer) => {
    said = (said + bytes.toString("utf8")).slice(-2000);
  });
  let alive = true;
  let limitBytes = Number.POSITIVE_INFINITY;
  let received: ((reply: WorkerReply | Died) => void) | undefined;
  let why: Died["why"] = "error";
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      alive = false;
      running.delete(child);
      received?.({ op: "died", why });
      resolve();
    };
    child.once("exit", end);
    child.once("error", end);
  });
  const end = (reason: Died["why"]) => {
    if (alive) why = reason;
    child.kill("SIGKILL");
  };
  channel.on("error", () => end("error"));
  readFrames(
    channel,
    (reply) => received?.(reply),
    () => end("output"),
  );

  const residentBytes = () => residentBytesOf(child.pid);
  /** Kill a process that takes more memory than it may, however it got it. */
  const watch = () => {
    const timer = setInterval(() => {
      if ((residentBytes() ?? 0) > limitBytes) end("memory");
    }, WATCH_EVERY_MS);
    timer.unref();
    return () => clearInterval(timer);
  };
  const receive = (): Promise<WorkerReply | Died> =>
    alive
      ? new Promise((resolve) => {
          received = resolve;
        })
      : Promise.resolve({ op: "died", why });
  const hold = (holds: boolean) => {
    for (const each of [child, channel as Duplex & { ref?(): void; unref?(): void }]) {
      if (holds) each.ref?.();
      else each.unref?.();
    }
  };
  (child.stderr as unknown as { unref?(): void }).unref?.();

  const timer = setTimeout(() => end("timeout"), START_SECONDS * 1000);
  const stop = () => end("error");
  signal?.addEventListener("abort", stop, { once: true });
  const first = await receive();
  signal?.removeEventListener("abort", stop);
  clearTimeout(timer);
  if (first.op !== "ready") {
    await ended;
    throw new ThoughtbookError("execution", `the ${role} interpreter of the sandbox did not start: ${lastLine(said)}`, {
      hint: "It needs Node 20.20, 22.13 or 24 and memory for WebAssembly.",
    });
  }
  limitBytes = first.residentBytes + (memoryMb + OWN_BYTES[role]) * MEBIBYTE;
  hold(false);

  const send = (message: unknown) => {
    if (alive && channel.writable) channel.write(frame(message));
  };
  return {
    role,
    startSeconds: (performance.now() - started) / 1000,
    get alive() {
      return alive;
    },
    residentBytes,
    async exchange(request, timeLimitMs, answer) {
      hold(true);
      const unwatch = watch();
      const timer = setTimeout(() => end("timeout"), timeLimitMs + KILL_AFTER_MS);
      try {
        let next = receive();
        send(request);
        for (;;) {
          const reply = await next;
          if (reply.op === "ask" && answer) {
            const said = await answer(String(reply.request));
            next = receive();
            send({ op: "answer", answer: said });
            continue;
          }
          if (reply.op === "result" || reply.op === "verdict" || reply.op === "died") return reply;
          end("error");
          next = receive();
        }
      } finally {
        clearTimeout(timer);
        unwatch();
        received = undefined;
        hold(false);
      }
    },
    async kill() {
      // Held, so that whoever waits for its end sees it.
      child.ref();
      child.kill("SIGKILL");
      await ended;
      channel.destroy();
    },
  };
}

/** So long after its time limit a program is killed that did not end itself: longer than GRACE_MS, on a busy machine. */
const KILL_AFTER_MS = 1500;

/** Processes end when their channel closes; where ours ends while one computes, it is killed. */
function killWithUs(child: ChildProcess): void {
  running.add(child);
  if (endsWithUs) return;
  endsWithUs = true;
  process.on("exit", () => {
    for (const each of running) each.kill("SIGKILL");
  });
}

interface WorkerFiles {
  main: string;
  readable: string[];
  modules: WorkerSettings["modules"];
}

let found: WorkerFiles | undefined;

/** The files that the process loads, and so the only ones that it may read. */
function workerFiles(): WorkerFiles {
  if (found) return found;
  const here = realpathSync(dirname(fileURLToPath(import.meta.url)));
  const resolve = (name: string) => realpathSync(fileURLToPath(import.meta.resolve(name)));
  const [pyodide, quickjs, variant] = [
    resolve("pyodide"),
    resolve("quickjs-emscripten-core"),
    resolve("@jitl/quickjs-ng-wasmfile-release-sync"),
  ];
  const folder = join(here, "worker");
  const packages = [pyodide, quickjs, variant].map(packageFolder);
  const types = packageFolder(realpathSync(createRequire(quickjs).resolve("@jitl/quickjs-ffi-types")));
  found = {
    main: join(folder, "main.js"),
    readable: [folder, ...packages, types, join(here, "..", "..", "package.json")],
    modules: {
      pyodide: pathToFileURL(pyodide).href,
      quickjs: pathToFileURL(quickjs).href,
      variant: pathToFileURL(variant).href,
    },
  };
  return found;
}

/** The folder of the package.json that names a package. */
function packageFolder(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      if (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name) return folder;
    } catch {
      // Not there: look further up.
    }
  }
  throw new ThoughtbookError("not-found", `${file} is in no package`, { hint: "Install the packages again: npm ci." });
}

function flags(readable: readonly string[]): string[] {
  const permission = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  return [
    permission,
    ...readable.map((path) => `--allow-fs-read=${path}${path.endsWith(".json") ? "" : "/*"}`),
    "--no-warnings",
    "--disallow-code-generation-from-strings",
    "--max-old-space-size=192",
    // What short programs leave is collected soon, so that memory stays level.
    "--max-semi-space-size=1",
    // Deeper than Node's default, so that recursion meets the interpreter's own limit first; Windows has less stack.
    ...(process.platform === "win32" ? [] : ["--stack-size=3900"]),
  ];
}

function frame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const header = Buffer.allocUnsafe(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

/** Read frames of JSON; whoever sends something else, or too much, is broken. */
function readFrames(channel: Duplex, onFrame: (reply: WorkerReply) => void, onBroken: () => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  channel.on("data", (bytes: Buffer) => {
    chunks.push(bytes);
    size += bytes.length;
    while (size >= 4) {
      if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks)];
      const length = chunks[0]!.readUInt32BE();
      if (length > MOST_BYTES) {
        onBroken();
        return;
      }
      if (size < 4 + length) return;
      const all = Buffer.concat(chunks);
      chunks = [all.subarray(4 + length)];
      size -= 4 + length;
      try {
        const reply = JSON.parse(all.toString("utf8", 4, 4 + length)) as WorkerReply;
        if (typeof reply === "object" && reply !== null) onFrame(reply);
        else onBroken();
      } catch {
        onBroken();
        return;
      }
    }
  });
}

function residentBytesOf(pid: number | undefined): number | undefined {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
    return Number(pages) * 4096;
  } catch {
    return undefined;
  }
}

const lastLine = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /error/i.test(line))[0] ??
  (text.trim().split("\n").at(-1) || "no reason given");
