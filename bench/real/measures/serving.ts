import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { ThoughtbookError } from "thoughtbook/core";
import { startServe } from "../../serve/server.js";
import { peakDuring } from "../memory.js";
import type { Setting } from "../setting.js";
import { textsOfLength } from "../texts.js";

const NEW_TOKENS = 16;
const HEALTH_MILLISECONDS = 200;
const STREAM_TOKENS = 200;
/** When the client of the last request leaves, while its prompt is still being read. */
const LEAVES_AFTER_MILLISECONDS = 1500;
const IDLE_PROCESSORS = 0.25;
const IDLE_SAMPLE_MILLISECONDS = 250;
const IDLE_PATIENCE_SECONDS = 120;

export interface Serving {
  prompts: { tokens: number; seconds: number; megabytes: number | null }[];
  /** The most resident memory throughout, in MiB. */
  megabytes: number | null;
  health: { asked: number; failed: number; slowestSeconds: number };
  /** The longest time between two pieces of another stream. */
  longestPauseSeconds: number;
  /** Until the server was idle after a client left in the middle of its prompt; null where the system does not tell. */
  idleAfterLeavingSeconds: number | null;
}

/** How `thoughtbook serve` stands long prompts: its memory, its health, and what becomes of other streams. */
export async function serving({ model, threads, tokens, seed, sizes, onProgress }: Setting): Promise<Serving> {
  const lengths = sizes.servePrompts.filter(
    (length) => length + NEW_TOKENS <= (tokens.contextLength ?? Number.POSITIVE_INFINITY),
  );
  const server = await startServe(model, threads);
  try {
    const stream = startStream(server.url);
    const health = startHealth(new URL("/health", server.url));
    await stream.begun;
    const prompts: Serving["prompts"] = [];
    const { megabytes } = await peakDuring(server.pid, async () => {
      for (const length of lengths) {
        const [prompt] = textsOfLength(tokens, 1, length, `${seed}/serve/${length}`);
        const start = performance.now();
        const asked = { prompt, max_tokens: NEW_TOKENS, temperature: 0, ignore_eos: true };
        const { megabytes } = await peakDuring(server.pid, async () => {
          const response = await post(server.url, asked);
          await response.text();
        });
        const seconds = (performance.now() - start) / 1000;
        prompts.push({ tokens: length, seconds, megabytes: megabytes ?? null });
        onProgress(`serve: a prompt of ${length} tokens: ${seconds.toFixed(1)} s, ${Math.round(megabytes ?? 0)} MiB`);
      }
    });
    const longestPauseSeconds = await stream.stop();
    const longest = lengths.at(-1) ?? NEW_TOKENS;
    const left = textsOfLength(tokens, 1, longest, `${seed}/serve/left`)[0]!;
    const idleAfterLeavingSeconds = await leave(server.url, server.pid, left);
    return {
      prompts,
      megabytes: megabytes ?? null,
      health: await health.stop(),
      longestPauseSeconds,
      idleAfterLeavingSeconds,
    };
  } finally {
    await server.close();
  }
}

async function post(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(`${url}/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "bench", ...body }),
    ...(signal ? { signal } : {}),
  });
  if (response.ok) return response;
  throw new ThoughtbookError("execution", `the server answered ${response.status}: ${await response.text()}`);
}

/** Stream short texts one after another, and note the longest pause within one. */
function startStream(url: string): { begun: Promise<void>; stop(): Promise<number> } {
  let isStopped = false;
  let longest = 0;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const run = (async () => {
    while (!isStopped) {
      const prompt = "A story about a bear who counts the fish in the river:";
      const response = await post(url, { prompt, max_tokens: STREAM_TOKENS, ignore_eos: true, stream: true });
      let last: number | undefined;
      for await (const _ of response.body!) {
        const now = performance.now();
        if (last !== undefined) longest = Math.max(longest, (now - last) / 1000);
        last = now;
        begin();
        if (isStopped) break;
      }
    }
  })();
  return {
    begun: Promise.race([begun, run]),
    async stop() {
      isStopped = true;
      await run;
      return longest;
    },
  };
}

/** Ask for the server's health again and again. */
function startHealth(url: URL): { stop(): Promise<Serving["health"]> } {
  let isStopped = false;
  const result = { asked: 0, failed: 0, slowestSeconds: 0 };
  const run = (async () => {
    while (!isStopped) {
      const start = performance.now();
      const isWell = await fetch(url).then(
        async (response) => {
          await response.text();
          return response.ok;
        },
        () => false,
      );
      result.asked++;
      if (!isWell) result.failed++;
      result.slowestSeconds = Math.max(result.slowestSeconds, (performance.now() - start) / 1000);
      await sleep(HEALTH_MILLISECONDS);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await run;
      return result;
    },
  };
}

/** Leave in the middle of a prompt, and wait until the server works no more. */
async function leave(url: string, pid: number, prompt: readonly number[]): Promise<number | null> {
  const client = new AbortController();
  const asked = post(url, { prompt, max_tokens: STREAM_TOKENS, ignore_eos: true, stream: true }, client.signal);
  const left = asked.catch(() => undefined);
  await sleep(LEAVES_AFTER_MILLISECONDS);
  client.abort();
  await left;
  const start = performance.now();
  let before = await processorSeconds(pid);
  if (before === undefined) return null;
  while (performance.now() - start < IDLE_PATIENCE_SECONDS * 1000) {
    const begun = performance.now();
    await sleep(IDLE_SAMPLE_MILLISECONDS);
    const now = await processorSeconds(pid);
    if (now === undefined) break;
    const busy = (now - before) / ((performance.now() - begun) / 1000);
    // The sample in which it was idle is not counted.
    if (busy <= IDLE_PROCESSORS) return (begun - start) / 1000;
    before = now;
  }
  throw new ThoughtbookError(
    "execution",
    `the server was still at work ${IDLE_PATIENCE_SECONDS} s after its client left`,
  );
}

/** Hundredths of a second are what Linux counts in. */
const TICKS_A_SECOND = 100;

async function processorSeconds(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // After the name, which stands in brackets and may have blanks: user and system time are the 12th and 13th.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields && (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
