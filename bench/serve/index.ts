import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { waitUntilQuiet } from "../shared/quiet.js";
import { describeMachine, formatNumber, formatSpread, formatTable, type Machine } from "../shared/report.js";
import { runRounds } from "../shared/rounds.js";
import { ratioByRound, type Spread, spreadOf } from "../shared/statistics.js";
import { writeModel } from "./model.js";
import { startServe } from "./server.js";

export interface ServeOptions {
  rounds: number;
  /** That ask at the same time. */
  clients: number;
  /** New tokens of each answer. */
  tokens: number;
  /** Of the server. */
  threads: number;
  /** Answers of a turn in which one client asks after another. */
  inTurn: number;
  /** How long to wait before a turn for other programs to finish. */
  patienceSeconds: number;
  onProgress?: (line: string) => void;
}

export interface ServeTurn {
  tokensPerSecond: number;
  /** Milliseconds from the request to the first event with text, median of the answers; null without streaming. */
  firstTextMs: number | null;
}

export interface ServeWay {
  name: string;
  tokensPerSecond: Spread;
  firstTextMs: Spread | null;
  /** How many times as many tokens a second as one after another, by round. */
  fasterBy: Spread | null;
  rounds: (ServeTurn | null)[];
}

export interface ServeResult {
  machine: Machine;
  parameters: number;
  clients: number;
  tokens: number;
  threads: number;
  ways: ServeWay[];
}

interface Way {
  name: string;
  atOnce: boolean;
  stream: boolean;
}

const WAYS: readonly Way[] = [
  { name: "one after another", atOnce: false, stream: false },
  { name: "at once", atOnce: true, stream: false },
  { name: "at once, streamed", atOnce: true, stream: true },
];

/** Tokens a second that clients of `thoughtbook serve` get, alone and together; ways take turns in each round. */
export async function benchServe(options: ServeOptions): Promise<ServeResult> {
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-bench-serve-"));
  const { rounds, clients, tokens, threads, inTurn, patienceSeconds, onProgress } = options;
  try {
    const machine = describeMachine();
    const parameters = await writeModel(folder);
    const server = await startServe(folder, threads);
    try {
      const client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
      const turn = (way: Way) => takeTurn(client, way, { clients, tokens, inTurn });
      // Programs are compiled for each size of the batch.
      for (const way of WAYS) await turn(way);
      const results = await runRounds({
        peers: WAYS,
        rounds,
        turn,
        beforeTurn: () => waitUntilQuiet({ patienceSeconds }),
        onTurn: ({ name }, round, { tokensPerSecond }) =>
          onProgress?.(`round ${round + 1}: ${name}: ${formatNumber(tokensPerSecond)} tokens/s`),
      });
      const failed = results.find(({ failure }) => failure !== null);
      if (failed) throw new Error(failed.failure!);
      const speeds = results.map(({ turns }) => turns.map((each) => each?.tokensPerSecond ?? null));
      const ways = WAYS.map(({ name }, i) => {
        const { turns } = results[i]!;
        const first = turns.flatMap((each) => each?.firstTextMs ?? []);
        return {
          name,
          tokensPerSecond: spreadOf(speeds[i]!.filter((speed) => speed !== null)),
          firstTextMs: first.length > 0 ? spreadOf(first) : null,
          fasterBy: i === 0 ? null : ratioByRound(speeds[i]!, speeds[0]!),
          rounds: turns,
        };
      });
      return { machine, parameters, clients, tokens, threads, ways };
    } finally {
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function summariseServe({ parameters, clients, tokens, threads, ways }: ServeResult): string {
  const head = ["", "tokens/s", "× one after another", "ms to the first text"];
  const rows = ways.map(({ name, tokensPerSecond, fasterBy, firstTextMs }) => [
    name,
    formatSpread(tokensPerSecond),
    formatSpread(fasterBy),
    formatSpread(firstTextMs),
  ]);
  const size = `${formatNumber(parameters / 1e6)} M parameters, ${clients} clients, ${tokens} tokens an answer, ${threads} threads`;
  return `${size}; median (range) of the rounds\n\n${formatTable(head, rows)}`;
}

async function takeTurn(
  client: OpenAI,
  { atOnce, stream }: Way,
  { clients, tokens, inTurn }: Pick<ServeOptions, "clients" | "tokens" | "inTurn">,
): Promise<ServeTurn> {
  const start = performance.now();
  const answers: Answer[] = [];
  if (atOnce) {
    const asked = Array.from({ length: clients }, (_, i) => ask(client, i, tokens, stream));
    answers.push(...(await Promise.all(asked)));
  } else for (let i = 0; i < inTurn; i++) answers.push(await ask(client, i, tokens, stream));
  const seconds = (performance.now() - start) / 1000;
  const first = answers.flatMap(({ firstTextMs }) => firstTextMs ?? []);
  return {
    tokensPerSecond: answers.reduce((sum, { tokens }) => sum + tokens, 0) / seconds,
    firstTextMs: first.length > 0 ? spreadOf(first).median : null,
  };
}

interface Answer {
  tokens: number;
  firstTextMs: number | null;
}

async function ask(client: OpenAI, seed: number, tokens: number, stream: boolean): Promise<Answer> {
  const content = `Tom has ${seed} apples and gives ${seed % 7} of them away. How many are left?`;
  const body = {
    model: "bench",
    messages: [{ role: "user" as const, content }],
    max_tokens: tokens,
    seed,
    // Every answer has the same length.
    ignore_eos: true,
  };
  const start = performance.now();
  if (!stream) {
    const { usage } = await client.chat.completions.create(body);
    return { tokens: usage!.completion_tokens, firstTextMs: null };
  }
  let firstTextMs: number | null = null;
  let count = 0;
  const events = await client.chat.completions.create({
    ...body,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const { choices, usage } of events) {
    if (choices[0]?.delta.content) firstTextMs ??= performance.now() - start;
    count = usage?.completion_tokens ?? count;
  }
  return { tokens: count, firstTextMs };
}
