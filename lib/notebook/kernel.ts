import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Dealer, Subscriber } from "zeromq";
import { ThoughtbookError } from "../core/index.js";
import { createHeader, decodeMessage, encodeMessage, type Message } from "./protocol.js";

/** How the execution of a piece of code ended. */
export type Outcome =
  | { status: "ok"; executionCount: number }
  | { status: "error"; executionCount: number; ename: string; evalue: string; traceback: string[] }
  | { status: "timeout"; seconds: number }
  | { status: "interrupted" }
  | { status: "died"; reason: string };

export interface ExecuteOptions {
  /** Called with every message on the output channel that belongs to this code, including late ones. */
  onOutput: (message: Message) => void;
  /** Interrupt the code after this many seconds. No limit by default. */
  timeoutSeconds?: number | undefined;
  /** Interrupts the code when aborted. */
  signal?: AbortSignal | undefined;
}

export interface Kernel {
  pid: number;
  execute(code: string, options: ExecuteOptions): Promise<Outcome>;
  /** Ask the kernel to end, then make sure that it and all processes it started are gone. */
  stop(): Promise<void>;
}

/** How long a kernel may take to begin. */
const START_SECONDS = 60;

export interface KernelOptions {
  /** The folder in which the kernel runs; imports are resolved from there. */
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** How long an interrupted cell may take to end before the kernel is killed. */
  graceSeconds?: number;
}

/** The command of the kernel; "{connection_file}" stands for the path of the connection file. */
export function kernelCommand(): string[] {
  const script = fileURLToPath(new URL("./tslab/main.js", import.meta.url));
  return [process.execPath, "--no-force-async-hooks-checks", script, "--config-path", "{connection_file}"];
}

interface Waiter {
  onOutput(message: Message): void;
  onReply(message: Message): void;
  onIdle(): void;
}

const CHANNELS = ["shell", "iopub", "stdin", "control", "hb"] as const;

/**
 * Start a tslab kernel and wait until it answers.
 * @throws ThoughtbookError "execution" with what the kernel printed, if it ends or does not answer in time.
 */
export async function startKernel(options: KernelOptions): Promise<Kernel> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launchKernel(options);
    } catch (error) {
      // Another process may take a free port between our finding it and the kernel's opening it.
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

async function launchKernel(options: KernelOptions): Promise<Kernel> {
  const { cwd, env = process.env, graceSeconds = 5 } = options;
  const key = randomUUID();
  const session = randomUUID();
  const ports = await freePorts(CHANNELS.length);
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-kernel-"));
  const connection = Object.fromEntries(CHANNELS.map((name, index) => [`${name}_port`, ports[index]]));
  const connectionFile = join(folder, "connection.json");
  await writeFile(
    connectionFile,
    JSON.stringify({ transport: "tcp", ip: "127.0.0.1", signature_scheme: "hmac-sha256", key, ...connection }),
    { mode: 0o600 },
  );

  const [command, ...args] = kernelCommand().map((part) => part.replace("{connection_file}", connectionFile));
  // A process group of its own: Ctrl-C in the terminal reaches only us, and stopping reaches what a cell started.
  const child = spawn(command!, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const printed = collectTail(child);
  const exit = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => resolve(signal ? `killed by ${signal}` : `ended with exit code ${code}`));
  });
  let exited: string | undefined;
  void exit.then((reason) => {
    exited = reason;
  });
  const killGroup = () => killProcessGroup(child);
  process.once("exit", killGroup);

  const shell = new Dealer({ linger: 0 });
  const control = new Dealer({ linger: 0 });
  const iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  const waiters = new Map<string, Waiter>();
  for (const [socket, name] of [
    [shell, "shell"],
    [control, "control"],
    [iopub, "iopub"],
  ] as const) {
    socket.connect(`tcp://127.0.0.1:${connection[`${name}_port`]}`);
    void dispatch(socket, key, waiters, name === "iopub");
  }
  iopub.subscribe();

  /** Send a request; resolves with the reply once the kernel is idle again. Outputs are passed on until `forget`. */
  function request(type: string, content: Record<string, unknown>, onOutput: Waiter["onOutput"], socket = shell) {
    const header = createHeader(type, session);
    const done = new Promise<Message>((resolve) => {
      let reply: Message | undefined;
      let idle = false;
      const settle = () => reply && idle && resolve(reply);
      waiters.set(header.msg_id, {
        onOutput,
        onReply: (message) => {
          reply = message;
          settle();
        },
        onIdle: () => {
          idle = true;
          settle();
        },
      });
    });
    const sent = socket.send(encodeMessage(header, content, key));
    return {
      done: Promise.all([done, sent]).then(([message]) => message),
      forget: () => waiters.delete(header.msg_id),
    };
  }

  async function stop(): Promise<void> {
    if (exited === undefined) {
      // A kernel that is busy for ever, or already broken, does not answer: it is killed.
      request("shutdown_request", { restart: false }, () => {}, control).done.catch(() => {});
      await Promise.race([exit, delay(1000)]);
    }
    killGroup();
    await exit;
    process.off("exit", killGroup);
    for (const socket of [shell, control, iopub]) socket.close();
    await rm(folder, { recursive: true, force: true });
  }

  async function execute(code: string, { onOutput, timeoutSeconds, signal }: ExecuteOptions): Promise<Outcome> {
    if (exited !== undefined) return { status: "died", reason: exited };
    const content = {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    };
    const reply = request("execute_request", content, onOutput).done.then(outcomeOf);
    const died = exit.then(async (reason): Promise<Outcome> => {
      // What the kernel sent before it died may still be on its way.
      await delay(100);
      return { status: "died", reason };
    });
    const timers = new AbortController();
    const stopped = [
      ...(timeoutSeconds === undefined ? [] : [timeOut(timeoutSeconds, timers.signal)]),
      ...(signal === undefined ? [] : [aborted(signal, timers.signal)]),
    ];
    const first = await Promise.race([reply, died, ...stopped]);
    timers.abort();
    if (first.status === "timeout" || first.status === "interrupted") {
      interruptProcessGroup(child);
      const ended = await Promise.race([reply, died, delay(graceSeconds * 1000)]);
      if (ended === undefined) killGroup();
    }
    return first;
  }

  try {
    await untilReady();
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid!, execute, stop };

  // Publishers drop what is sent before a subscriber has joined: ask until an answer comes with its "idle".
  async function untilReady(): Promise<void> {
    const deadline = Date.now() + START_SECONDS * 1000;
    while (exited === undefined && Date.now() < deadline) {
      const { done, forget } = request("kernel_info_request", {}, () => {});
      done.catch(() => {});
      const ready = await Promise.race([done.then(() => true), exit.then(() => false), delay(150, false)]);
      forget();
      if (ready) return;
    }
    const reason = exited ?? `gave no answer within ${START_SECONDS} s`;
    throw new ThoughtbookError("execution", `the notebook kernel ${reason}: ${printed() || "it printed nothing"}`, {
      hint: "Run `npm install` again; if that does not help, run with --debug.",
    });
  }
}

function outcomeOf({ content }: Message): Outcome {
  const executionCount = Number(content.execution_count ?? 0);
  if (content.status === "ok") return { status: "ok", executionCount };
  return {
    status: "error",
    executionCount,
    ename: String(content.ename ?? "Error"),
    evalue: String(content.evalue ?? "not run, because a cell before it failed"),
    traceback: Array.isArray(content.traceback) ? content.traceback.map(String) : [],
  };
}

async function timeOut(seconds: number, signal: AbortSignal): Promise<Outcome> {
  // An aborted timer never settles the race: the cell has ended.
  await delay(seconds * 1000, undefined, { signal, ref: false }).catch(() => new Promise(() => {}));
  return { status: "timeout", seconds };
}

function aborted(signal: AbortSignal, unless: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const settle = () => resolve({ status: "interrupted" });
    if (signal.aborted) settle();
    else signal.addEventListener("abort", settle, { once: true, signal: unless });
  });
}

async function dispatch(
  socket: Dealer | Subscriber,
  key: string,
  waiters: Map<string, Waiter>,
  isOutput: boolean,
): Promise<void> {
  for await (const frames of socket) {
    const message = decodeMessage(frames, key);
    const waiter = waiters.get(message?.parentHeader.msg_id ?? "");
    if (!message || !waiter) continue;
    if (!isOutput) waiter.onReply(message);
    else if (message.header.msg_type !== "status") waiter.onOutput(message);
    else if (message.content.execution_state === "idle") waiter.onIdle();
  }
}

function killProcessGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // Windows has no process groups; elsewhere none of the group is left.
  }
}

/** As Jupyter does: what a cell has started is interrupted with it. */
function interruptProcessGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, "SIGINT");
  } catch {
    child.kill("SIGINT"); // Windows has no process groups.
  }
}

/** Keeps the last characters that a process prints outside of its cells, for the message if it does not start. */
function collectTail(child: ChildProcess): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      tail = (tail + text).slice(-2000);
    });
  }
  return () => tail.trim();
}

async function freePorts(count: number): Promise<number[]> {
  const listen = () =>
    new Promise<Server>((resolve, reject) => {
      const server = createServer().once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(server));
    });
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
