import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describeMachine, formatNumber, formatTable, type Machine } from "../shared/report.js";
import { type RunningServer, startServe } from "./server.js";

export interface LongOptions {
  model: string;
  /** Tokens of the prompts, one after another. */
  prompts: readonly number[];
  threads: number;
  /** What `thoughtbook serve --memory` gets. */
  memory?: string | undefined;
  onProgress?: (line: string) => void;
}

export interface LongPrompt {
  tokens: number;
  seconds: number;
  /** Resident memory of the server in MB, at most while the prompt was in work and after its answer. */
  peakMb: number;
  afterMb: number;
  /** The longest time between two tokens of another stream, in seconds. */
  pause: number;
  /** The longest answer of /health, in seconds. */
  health: number;
}

export interface LongResult {
  machine: Machine;
  model: string;
  /** Resident memory before the first prompt. */
  startMb: number;
  prompts: LongPrompt[];
  /**
   * Seconds until a short answer of a server with one row: alone, and after a client with the longest prompt has left while its
   * prompt was read, while it waited, and while its text was written.
   */
  left: { alone: number; reading: number; waiting: number; writing: number };
}

/** What has to hold: MB, seconds, seconds, and seconds more than alone. */
const LIMITS = { memoryMb: 2000, pause: 1, health: 0.5, left: 1 } as const;

/** Serve a model to clients with long prompts, beside another stream and one that asks whether the server is well. */
export async function benchLong(options: LongOptions): Promise<LongResult> {
  const { model, prompts: lengths, threads, memory, onProgress } = options;
  const flags = ["--timeout", "3600", ...(memory === undefined ? [] : ["--memory", memory])];
  const machine = describeMachine();
  const server = await startServe(model, threads, flags);
  const prompts: LongPrompt[] = [];
  let startMb: number;
  try {
    await complete(server, idsOf(20, 0), 4);
    startMb = await residentMb(server);
    for (const [at, tokens] of lengths.entries()) {
      const prompt = await readLong(server, tokens, at);
      prompts.push(prompt);
      onProgress?.(
        `${tokens} tokens: ${formatNumber(prompt.seconds)} s, ${prompt.peakMb} MB at most, ${prompt.afterMb} MB after`,
      );
    }
  } finally {
    await server.close();
  }
  const single = await startServe(model, threads, [...flags, "--batch-size", "1"]);
  try {
    const left = await leave(single, Math.max(...lengths));
    return { machine, model, startMb, prompts, left };
  } finally {
    await single.close();
  }
}

/** Whether memory, pauses and answers stay within what is promised. */
export function holdsLong({ prompts, left }: LongResult): boolean {
  return (
    prompts.every(
      ({ peakMb, pause, health }) => peakMb <= LIMITS.memoryMb && pause <= LIMITS.pause && health <= LIMITS.health,
    ) && [left.reading, left.waiting, left.writing].every((seconds) => seconds <= left.alone + LIMITS.left)
  );
}

export function summariseLong(result: LongResult): string {
  const { model, startMb, prompts, left } = result;
  const head = ["prompt", "s", "MB at most", "MB after", "longest pause, s", "longest /health, s"];
  const rows = prompts.map(({ tokens, seconds, peakMb, afterMb, pause, health }) => [
    String(tokens),
    seconds.toFixed(1),
    String(peakMb),
    String(afterMb),
    pause.toFixed(2),
    health.toFixed(2),
  ]);
  const { alone, reading, waiting, writing } = left;
  const after = `reading ${reading.toFixed(2)} s, waiting ${waiting.toFixed(2)} s, writing ${writing.toFixed(2)} s`;
  return [
    `${model}: ${startMb} MB before the first prompt`,
    formatTable(head, rows),
    `A short answer takes ${alone.toFixed(2)} s alone; in the row of a client that left while ${after}.`,
    `Limits (${Object.entries(LIMITS)
      .map(([name, limit]) => `${name} ${limit}`)
      .join(", ")}): ${holdsLong(result) ? "hold" : "do not hold"}.`,
  ].join("\n\n");
}

async function readLong(server: RunningServer, tokens: number, seed: number): Promise<LongPrompt> {
  const controller = new AbortController();
  const { signal } = controller;
  const watching = watchStream(server, signal);
  await watching.begun;
  let [peakMb, health] = [0, 0];
  const probe = (async () => {
    while (!signal.aborted) {
      peakMb = Math.max(peakMb, await residentMb(server));
      const start = performance.now();
      await fetch(`${server.url.replace(/\/v1$/, "")}/health`).then((answer) => answer.arrayBuffer());
      health = Math.max(health, (performance.now() - start) / 1000);
      await sleep(50);
    }
  })();
  const start = performance.now();
  let seconds: number;
  try {
    await complete(server, idsOf(tokens, seed + 1), 16);
    seconds = (performance.now() - start) / 1000;
    // The pause that the end of the prompt makes counts too.
    await sleep(1000);
  } finally {
    controller.abort();
    await probe;
  }
  const pause = await watching.longest;
  await sleep(1000);
  return { tokens, seconds, peakMb, afterMb: await residentMb(server), pause, health };
}

/** A stream that goes on until the signal; the longest time between two of its events. */
function watchStream(server: RunningServer, signal: AbortSignal): { begun: Promise<void>; longest: Promise<number> } {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const longest = (async () => {
    let [most, last] = [0, 0];
    try {
      const answer = await post(server, { prompt: idsOf(10, 1000), max_tokens: 4000, stream: true }, signal);
      for await (const _ of answer.body!) {
        const now = performance.now();
        if (last > 0) most = Math.max(most, now - last);
        last = now;
        begin();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return Math.max(most, performance.now() - last) / 1000;
  })();
  return { begun: Promise.race([begun, longest.then(() => {})]), longest };
}

async function leave(server: RunningServer, tokens: number): Promise<LongResult["left"]> {
  const short = async () => {
    const start = performance.now();
    await complete(server, idsOf(20, 2000), 4);
    return (performance.now() - start) / 1000;
  };
  const abandon = async (body: object, milliseconds: number) => {
    const controller = new AbortController();
    const asked = post(server, body, controller.signal)
      .then((answer) => answer.text())
      .catch(() => {});
    await sleep(milliseconds);
    controller.abort();
    await asked;
  };
  await short();
  const alone = await short();
  await abandon({ prompt: idsOf(tokens, 2001), max_tokens: 1000 }, 1500);
  const reading = await short();
  const first = complete(server, idsOf(20, 2002), 100);
  await abandon({ prompt: idsOf(tokens, 2003), max_tokens: 1000 }, 200);
  await first;
  const waiting = await short();
  await abandon({ prompt: idsOf(20, 2004), max_tokens: 4000 }, 1500);
  const writing = await short();
  return { alone, reading, waiting, writing };
}

async function complete(server: RunningServer, prompt: readonly number[], tokens: number): Promise<void> {
  const answer = await post(server, { prompt, max_tokens: tokens });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the server answered ${answer.status}: ${text}`);
}

function post({ url }: RunningServer, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "bench", ignore_eos: true, temperature: 0, ...body }),
    ...(signal ? { signal } : {}),
  });
}

/** Ids without a common beginning for different seeds, below the vocabulary of every model. */
const idsOf = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => 300 + (((i + 1) * 7919 + seed * 104_729) % 600));

async function residentMb({ pid }: RunningServer): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round((Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024) / 1e6);
}
