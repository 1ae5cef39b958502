import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ThoughtbookError } from "thoughtbook/core";
import type { z } from "zod";

/** How to start the process that is one of the compared systems. */
export interface PeerCommand {
  name: string;
  command: string;
  arguments: readonly string[];
  /** Added to this process's environment. */
  environment?: Readonly<Record<string, string>>;
}

/**
 * A running process that answers requests one after another: a request is a JSON line on its standard input,
 * the reply a JSON line on its standard output, `{"ok": …}` or `{"error": "…"}`. Other lines there are noise.
 */
export interface Peer {
  readonly name: string;
  /**
   * Ask and wait for the reply.
   *
   * @throws ThoughtbookError when the peer reports an error, ends, is silent for longer than `seconds`, or its reply
   *   does not fit the schema
   */
  request<T>(what: string, parameters: object, reply: z.ZodType<T>, seconds?: number): Promise<T>;
  /** Close its input and wait until it has ended; it is killed when it takes longer than some seconds. */
  close(): Promise<void>;
}

const MAXIMUM_SECONDS = 900;
const GRACE_SECONDS = 10;
/** Of what a peer wrote to standard error: the end is where the reason stands. */
const KEPT_CHARACTERS = 2000;

interface Waiting {
  resolve(line: unknown): void;
  reject(error: Error): void;
}

export function startPeer({ name, command, arguments: given, environment }: PeerCommand): Peer {
  const child = spawn(command, given, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let waiting: Waiting | null = null;
  let failure: Error | null = null;
  let complaint = "";
  const settle = (action: (waiting: Waiting) => void) => {
    const current = waiting;
    waiting = null;
    if (current) action(current);
  };
  const fail = (message: string, hint?: string) => {
    failure ??= new ThoughtbookError("execution", `${name} ${message}`, hint === undefined ? {} : { hint });
    settle(({ reject }) => reject(failure as Error));
  };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-KEPT_CHARACTERS);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const reply = parseReply(line);
    if (reply !== null) settle(({ resolve }) => resolve(reply));
  });
  const ended = new Promise<void>((resolve) => {
    child.on("error", (error) => {
      fail(`cannot be started: ${error.message}`, `Check the path ${command}.`);
      resolve();
    });
    child.on("close", (code, signal) => {
      fail(`ended (${signal ?? `exit code ${code}`})${complaint.trim() ? `: ${complaint.trim()}` : ""}`);
      resolve();
    });
  });
  // A write to a process that has ended fails here as well as by its `close`; the latter is reported.
  child.stdin.on("error", () => {});

  return {
    name,
    async request<T>(what: string, parameters: object, schema: z.ZodType<T>, seconds = MAXIMUM_SECONDS): Promise<T> {
      if (failure) throw failure;
      if (waiting) throw new Error(`${name} was asked before it had answered`);
      const line = new Promise<unknown>((resolve, reject) => {
        waiting = { resolve, reject };
      });
      const timer = setTimeout(() => {
        fail(`gave no answer to "${what}" in ${seconds} s`);
        child.kill("SIGKILL");
      }, seconds * 1000);
      child.stdin.write(`${JSON.stringify({ ...parameters, do: what })}\n`);
      try {
        const reply = (await line) as { ok?: unknown; error?: unknown };
        if (reply.error !== undefined) throw new ThoughtbookError("execution", `${name}: ${String(reply.error)}`);
        const parsed = schema.safeParse(reply.ok);
        if (parsed.success) return parsed.data;
        throw new ThoughtbookError("execution", `${name} answered "${what}" with ${JSON.stringify(reply)}`, {
          cause: parsed.error,
        });
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      failure ??= new Error(`${name} is closed`);
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_SECONDS * 1000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function parseReply(line: string): object | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && ("ok" in value || "error" in value) ? value : null;
  } catch {
    return null;
  }
}
