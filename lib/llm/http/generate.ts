import * as z from "zod";
import { checkWhole } from "../../core/index.js";
import {
  type Completion,
  FINISH_REASONS,
  type GenerateTextOptions,
  type RequestPlace,
  type TextRequest,
} from "../language-model.js";
import { completionsOf, readAnswer } from "./answer.js";
import { cacheKey } from "./cache.js";
import type { Connection, Json } from "./connection.js";
import { type Counter, countAnswer } from "./count.js";
import type { Opened } from "./opened.js";
import { pathOf, seedOfSamples, type WireRequest, wireRequest } from "./request.js";
import { runAll } from "./run.js";
import { type Ending, send } from "./send.js";
import type { HttpServer } from "./server.js";
import { serverRoot } from "./spec.js";
import { createTextRelay, otherText, readStream, type TextRelay } from "./stream.js";
import { idsBy } from "./tokenize.js";

/** Samples of a request that are requested together. */
interface Unit {
  request: number;
  first: number;
  count: number;
}

const COMPLETIONS: z.ZodType<Completion[]> = z.array(
  z.object({
    text: z.string(),
    finishReason: z.enum(FINISH_REASONS),
    serverReason: z.string().exactOptional(),
    promptTokens: z.number(),
    completionTokens: z.number(),
    countedBy: z.enum(["tokenizer", "estimate"]).exactOptional(),
    tokens: z
      .object({
        promptIds: z.array(z.number()),
        completionIds: z.array(z.number()),
        logProbs: z.array(z.number()),
      })
      .exactOptional(),
  }),
);

/** `generate` of a model on a server; see {@link LanguageModel}. */
export async function generateOver(
  opened: Opened,
  texts: readonly TextRequest[],
  options: GenerateTextOptions,
): Promise<Completion[][]> {
  const { server, limit, concurrency } = opened;
  checkWhole("batchSize", options.batchSize, 1);
  const requests = texts.map((text, index) => wireRequest(server, text, index, options));
  const atOnce = Math.min(options.batchSize ?? Infinity, server.dialect.maxChoices);
  const units = requests.flatMap((request, index) => unitsOf(request, index, atOnce));
  const largest = units.reduce((most, { count }) => Math.max(most, count), 1);
  const results: Completion[][] = requests.map(() => []);
  await runAll(
    units,
    async (unit, ending) => {
      const completions = await completeUnit(opened, requests[unit.request]!, unit, options, ending);
      for (const [i, completion] of completions.entries()) {
        const place: RequestPlace = { request: unit.request, sample: unit.first + i };
        results[place.request]![place.sample] = completion;
        options.onFinish?.(completion, place);
      }
    },
    {
      limit,
      concurrency: options.batchSize ? Math.max(1, Math.floor(options.batchSize / largest)) : concurrency,
      signal: options.signal,
      what: "generating text",
    },
  );
  return results;
}

function unitsOf({ samples }: WireRequest, request: number, atOnce: number): Unit[] {
  const units: Unit[] = [];
  for (let first = 0; first < samples; first += atOnce) {
    units.push({ request, first, count: Math.min(atOnce, samples - first) });
  }
  return units;
}

/**
 * Get all texts of a unit, from the cache or the server. If the server returns fewer than requested, the rest is
 * requested again, with another seed, until all are there.
 */
async function completeUnit(
  opened: Opened,
  request: WireRequest,
  { request: index, first, count }: Unit,
  { onText }: GenerateTextOptions,
  ending: Ending,
): Promise<Completion[]> {
  const { server, cacheSampled } = opened;
  const cache = request.repeats || cacheSampled ? opened.cache : undefined;
  const bodyOf = (sample: number, n: number, again: number): Json => {
    const seed = seedOfSamples(request.seed, request.firstSample + sample, again);
    return { ...request.body, ...(n > 1 ? { n } : {}), ...(seed === undefined ? {} : { seed }) };
  };
  // Without a seed, samples that are requested separately differ by their index alone.
  const apart = request.repeats ? {} : { index, sample: request.firstSample + first };
  const key = cacheKey(server, { path: pathOf(request), body: bodyOf(first, count, 0), ...apart });
  const kept = await cache?.read(key, COMPLETIONS);
  if (kept?.length === count) {
    if (onText)
      for (const [i, { text }] of kept.entries()) if (text) onText(text, { request: index, sample: first + i });
    return kept;
  }
  const completions: Completion[] = [];
  let missing = Array.from({ length: count }, (_, i) => i);
  for (let again = 0; missing.length > 0; again++) {
    const places = missing;
    const onPiece =
      onText && ((text: string, i: number) => onText(text, { request: index, sample: first + places[i]! }));
    const relay = onPiece && createTextRelay(onPiece, places.length);
    const body = bodyOf(first + places[0]!, places.length, again);
    const answered = await askOnce(opened, request, body, places.length, relay, ending);
    for (const [i, completion] of answered) completions[places[i]!] = completion;
    missing = places.filter((_, i) => !answered.has(i));
  }
  await cache?.write(key, completions);
  return completions;
}

function askOnce(
  { server, line }: Opened,
  request: WireRequest,
  body: Json,
  count: number,
  relay: TextRelay | undefined,
  ending: Ending,
): Promise<Map<number, Completion>> {
  const path = pathOf(request);
  const most = { prompt: request.most.prompt, completion: request.most.completion * count };
  return send<Map<number, Completion>>(
    line,
    {
      most,
      secrets: request.secrets,
      async run(connection, signal, alive) {
        const answer = relay
          ? await readStream(await connection.stream(path, body, signal), relay, alive)
          : readAnswer(await connection.post(path, body, signal));
        const counted = await countAnswer(answer, request.prompt, counterAt(server, connection, signal));
        const { tokenIds } = server.dialect;
        const limits = { tokenIds, prompt: body.prompt, limit: request.most.completion };
        return { value: completionsOf(answer, counted, count, limits), taken: counted.taken };
      },
      lost: () =>
        relay && !request.repeats && relay.relayed.some((text) => text !== "")
          ? otherText("without a seed it cannot be had again")
          : undefined,
    },
    ending,
  );
}

/** Asks the server's own tokenizer once: a finished text is not lost for lack of a token count. */
function counterAt(server: HttpServer, connection: Connection, signal: AbortSignal): Counter {
  return async (text, begins) => {
    if (server.dialect.tokenize === undefined) return undefined;
    const ask = (path: string, body: Json) => connection.post(`${serverRoot(connection.url)}${path}`, body, signal);
    try {
      return (await idsBy(ask, server, text, begins)).length;
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined;
    }
  };
}
