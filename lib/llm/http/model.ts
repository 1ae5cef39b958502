import pLimit from "p-limit";
import { badInput, checkWhole, createRandom, ThoughtbookError } from "../../core/index.js";
import type { LanguageModel } from "../language-model.js";
import { type Budget, createLedger, type HttpUsage } from "./budget.js";
import { openCache } from "./cache.js";
import { type Connection, connect, type Json } from "./connection.js";
import type { Dialect, DialectName } from "./dialects.js";
import { generateOver } from "./generate.js";
import { findApiKey } from "./key.js";
import type { Opened } from "./opened.js";
import { createPool, type PoolOptions } from "./pool.js";
import { runAll } from "./run.js";
import { countOver, scoreOver } from "./score.js";
import { type Line, send } from "./send.js";
import { mergeReports, probeServer, type ServerReport } from "./server.js";
import { checkBaseUrls } from "./spec.js";

/** How to reach and use servers; which ones is in {@link HttpModelOptions}. */
export interface HttpOptions {
  /** Default: THOUGHTBOOK_API_KEY or OPENAI_API_KEY, from the environment or the file `.env` of the current folder. */
  apiKey?: string | undefined;
  /** What kind of server it is. Default: detected. */
  dialect?: DialectName | undefined;
  /**
   * Endpoint for text prompts: `completions` continues them, `chat` sends them as a user message. Default: completions,
   * but chat on OpenAI's servers.
   */
  textPrompts?: Dialect["textPrompts"] | undefined;
  /** Fields added to the body of each request, such as `response_format`. */
  body?: Json | undefined;
  /** Maximum requests in flight at a time, over all addresses. Default: 16. */
  concurrency?: number | undefined;
  /** Maximum attempts at a request, counting the first. Default: 8. */
  attempts?: number | undefined;
  /** Maximum pause before the second attempt, in milliseconds, doubled before each further one. Default: 500. */
  backoffMs?: number | undefined;
  /** Maximum wait for an answer, or for the next piece of a stream, in milliseconds. Default: 600,000. */
  timeoutMs?: number | undefined;
  /** How long a server that fails repeatedly is left alone, in milliseconds. Default: 30,000. */
  coolDownMs?: number | undefined;
  /** Give up on a server that asks to wait longer than this (Retry-After), in milliseconds. Default: 120,000. */
  longestWaitMs?: number | undefined;
  /** Seed of the random pauses between attempts. Default: the process id. */
  backoffSeed?: number | string | undefined;
  /** Maximum usage while the model is open. Default: no limit. */
  budget?: Budget | undefined;
  /** Store answers on disk: in the library's cache, or in this folder. Default: no. */
  cache?: boolean | string | undefined;
  /** Store also answers that would differ another time: sampled without a seed. Default: no. */
  cacheSampled?: boolean | undefined;
  /**
   * Distinguishes the model from others of the same name, for the cache, such as a revision. Default: what the server
   * reports about it.
   */
  identity?: string | undefined;
}

export interface HttpModelOptions extends HttpOptions {
  /** One address or several of the same model, such as http://127.0.0.1:8000/v1. */
  baseUrl: string | readonly string[];
  /** Name of the model on the servers. Default: the only one there. */
  model?: string | undefined;
  /** Name that the user gave it. Default: address and name. */
  name?: string | undefined;
  /** Stops the first contact. */
  signal?: AbortSignal | undefined;
}

/** A model on servers that speak OpenAI's protocol. */
export interface HttpModel extends LanguageModel {
  readonly dialect: DialectName;
  /** Kind of server, and its addresses. */
  readonly engine: string;
  /** Usage since it was opened. */
  usage(): HttpUsage;
}

/** Attempts at the first contact: a wrong address should be reported soon. */
const FIRST_ATTEMPTS = 3;

/** Implements `createHttpModel`, which loads this module on demand. */
export async function openHttpModel(options: HttpModelOptions): Promise<HttpModel> {
  const { concurrency = 16, attempts = 8, backoffMs = 500, timeoutMs = 600_000, coolDownMs = 30_000 } = options;
  const { longestWaitMs = 120_000, backoffSeed = process.pid } = options;
  checkWhole("concurrency", concurrency, 1);
  checkWhole("attempts", attempts, 1);
  checkTimes({ backoffMs, timeoutMs, coolDownMs, longestWaitMs });
  const baseUrls = checkBaseUrls(typeof options.baseUrl === "string" ? [options.baseUrl] : options.baseUrl);
  const ledger = createLedger(options.budget);
  const apiKey = await findApiKey(baseUrls, options.apiKey);
  const connections = connect(baseUrls, apiKey);
  const pool = createPool(connections.list, { coolDownMs, longestWaitMs });
  const random = createRandom(backoffSeed);
  const line: Line = { pool, ledger, attempts, backoffMs, timeoutMs, longestWaitMs, random, apiKey };
  try {
    const reports = await sightAll(connections.list, line, options, { coolDownMs, longestWaitMs });
    const { model } = reports[0]!;
    const name = options.name ?? `${baseUrls.join(",")}#${model}`;
    const { textPrompts, identity, body = {} } = options;
    const server = mergeReports(reports, { name, baseUrls, textPrompts, identity, body });
    const cache = options.cache ? openCache(options.cache) : undefined;
    const limit = pLimit(concurrency);
    const { cacheSampled = false } = options;
    return modelOf({ server, line, limit, concurrency, cache, cacheSampled }, connections.close);
  } catch (error) {
    await connections.close();
    throw error;
  }
}

function modelOf(opened: Opened, close: () => Promise<void>): HttpModel {
  const { name, dialect, dialectName, capabilities, contextLength, parameterCount, hash } = opened.server;
  return {
    name,
    dialect: dialectName,
    engine: `${dialect.title}, ${opened.line.pool.urls.join(", ")}`,
    capabilities,
    ...(dialect.answerPrefix ? {} : { takesAnswer: false }),
    contextLength,
    parameterCount,
    hash: async () => hash,
    generate: (requests, options = {}) => generateOver(opened, requests, options),
    score: (requests, options = {}) => scoreOver(opened, requests, options),
    countTokens: (prompt, { signal } = {}) => countOver(opened, prompt, signal),
    usage: () => opened.line.ledger.usage(),
    dispose: close,
  };
}

/** Probe all servers; at least one must answer. */
async function sightAll(
  connections: readonly Connection[],
  line: Line,
  { model, dialect, signal, name }: HttpModelOptions,
  poolOptions: PoolOptions,
): Promise<ServerReport[]> {
  const seen: (ServerReport | undefined)[] = [];
  const failures: ThoughtbookError[] = [];
  const what = `opening ${name ?? "a model"}`;
  await runAll(
    [...connections.entries()],
    async ([place, connection], ending) => {
      const pool = createPool([connection], poolOptions);
      const attempts = Math.min(line.attempts, FIRST_ATTEMPTS);
      try {
        seen[place] = await send(
          { ...line, pool, attempts },
          {
            most: { prompt: 0, completion: 0 },
            secrets: [],
            run: async (_, abort) => ({
              value: await probeServer(connection, model, dialect, abort),
              taken: { prompt: 0, completion: 0 },
            }),
          },
          ending,
        );
      } catch (error) {
        // A server that is away may come back; one that refuses does not.
        const away = error instanceof ThoughtbookError && (error.code === "network" || error.code === "timeout");
        if (!away) throw error;
        failures.push(error);
      }
    },
    { limit: pLimit(connections.length), concurrency: connections.length, signal, what },
  );
  const reports = seen.filter((each) => each !== undefined);
  if (reports.length > 0) return reports;
  const [first] = failures as [ThoughtbookError, ...ThoughtbookError[]];
  if (failures.length === 1) throw first;
  const urls = connections.map(({ url }) => url).join(", ");
  throw new ThoughtbookError(first.code, `no server answers (${urls}); the first: ${first.message}`, {
    hint: first.hint!,
  });
}

function checkTimes(times: Record<string, number>): void {
  for (const [name, value] of Object.entries(times)) {
    if (value >= 0 && value < 2 ** 31) continue;
    throw badInput(`${name} is ${value}, expected milliseconds, from 0 to 2^31 - 1`, "Correct the option.");
  }
}
