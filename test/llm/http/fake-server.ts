import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What goes wrong with a request. */
export type Mishap =
  | "refuse" // the connection breaks before any answer
  | "half" // and in the middle of the answer
  | "stall" // no answer, ever
  | "malformed" // 200, and no JSON
  | "page" // 200, and a web page
  | "few" // one choice less than asked for
  | "none" // no choices
  | "many" // two choices more
  | { status: number; headers?: Record<string, string>; body?: unknown }
  | { cutAfter: number } // a stream that breaks after so many events
  | { closeAfter: number } // or ends early, without an error
  | { badEvent: number }; // an event that is no JSON, and repeats the request

export interface Call {
  method: string;
  path: string;
  body: Record<string, unknown>;
  headers: IncomingMessage["headers"];
}

export interface FakeOptions {
  /** What it says it is. */
  owner?: string;
  model?: string;
  /** More of the model's entry in the list. */
  entry?: Record<string, unknown>;
  /** What goes wrong; asked once a request to the endpoints that generate. `nth` counts these from 0. */
  mishap?: (call: Call, nth: number) => Mishap | undefined;
  /** How long an answer takes. */
  delayMs?: number;
  apiKey?: string;
  /** Fields of a body that are refused, as by OpenAI. */
  refused?: readonly string[];
  /** Other endpoints, as "GET /path". */
  more?: Record<string, (body: Record<string, unknown>) => unknown>;
  /** Choices of `n` that each answer has; undefined for all. */
  mostChoices?: number;
  port?: number;
}

export interface Fake {
  /** With /v1. */
  url: string;
  calls: Call[];
  /** Calls of the endpoints that generate. */
  asked(): Call[];
  /** The most requests in work at a time. */
  peak(): number;
  close(): Promise<void>;
}

const BOS = 1;
const EOS = 2;

/** Its tokens are characters, after a token that begins the text. */
export const fakeIds = (text: string, special = true): number[] => [
  ...(special ? [BOS] : []),
  ...Array.from(text, (character) => character.codePointAt(0)!),
];

export const fakeLogProb = (id: number, place: number): number => -((id % 7) + place / 16);

/** What it answers: words that depend on prompt, seed and place alone. */
export function fakeText(prompt: unknown, seed: unknown, place: number): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([prompt, seed, place]))
    .digest("hex");
  return ` ${digest.slice(0, 6)} ${digest.slice(6, 12)} ${digest.slice(12, 18)}`;
}

/**
 * A server that speaks the protocol, in vLLM's words, and misbehaves as it is told. It is written from the protocol's
 * documentation, apart from the adapter.
 */
export async function startFake(options: FakeOptions = {}): Promise<Fake> {
  const { owner = "vllm", model = "tiny", delayMs = 0 } = options;
  const calls: Call[] = [];
  let asked = 0;
  let inWork = 0;
  let peak = 0;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy();
      console.error("the fake server failed:", error);
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    asked: () => calls.filter(({ path }) => path.endsWith("completions")),
    peak: () => peak,
    close,
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url!, "http://x").pathname;
    const body = (request.method === "POST" ? JSON.parse(await text(request)) : {}) as Record<string, unknown>;
    const call = { method: request.method!, path, body, headers: request.headers };
    calls.push(call);
    const key = `${request.method} ${path}`;
    if (options.apiKey && request.headers.authorization !== `Bearer ${options.apiKey}`) {
      return json(response, 401, { error: { message: `Incorrect API key: ${request.headers.authorization}` } });
    }
    if (options.more?.[key]) return json(response, 200, options.more[key](body));
    if (key === "GET /v1/models") {
      const entry = { id: model, object: "model", created: Date.now(), owned_by: owner, ...options.entry };
      return json(response, 200, { object: "list", data: [entry] });
    }
    if (key === "POST /tokenize") {
      const prompt = body.messages ? render(body) : body.prompt;
      const tokens = fakeIds(prompt as string, Boolean(body.messages) || body.add_special_tokens !== false);
      return json(response, 200, { count: tokens.length, max_model_len: 1000, tokens });
    }
    if (key !== "POST /v1/completions" && key !== "POST /v1/chat/completions") {
      return json(response, 404, { error: { message: `there is nothing at ${path}` } });
    }
    inWork += 1;
    peak = Math.max(peak, inWork);
    response.on("close", () => {
      inWork -= 1;
    });
    const mishap = options.mishap?.(call, asked++);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const unknown = (options.refused ?? []).find((field) => field in body);
    if (unknown) return json(response, 400, { error: { message: `Unrecognized request argument: ${unknown}` } });
    if (body.model !== model) return json(response, 404, { error: { message: `no model ${body.model}` } });
    answer(response, path, body, mishap);
  }

  function answer(response: ServerResponse, path: string, body: Record<string, unknown>, mishap?: Mishap): void {
    if (mishap === "refuse") response.destroy();
    else if (mishap === "stall") return;
    else if (mishap === "malformed") raw(response, "application/json", '{"choices": [{"text": ');
    else if (mishap === "page") raw(response, "text/html", "<html>a gateway says hello</html>");
    else if (typeof mishap === "object" && "status" in mishap) {
      json(response, mishap.status, mishap.body ?? { error: { message: "as told" } }, mishap.headers);
    } else if (body.stream) stream(response, answerOf(path, body, mishap), path, body, mishap);
    else if (mishap === "half") {
      const whole = JSON.stringify(answerOf(path, body, mishap));
      response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
      response.write(whole.slice(0, whole.length / 2));
      setTimeout(() => response.destroy(), 5);
    } else json(response, 200, answerOf(path, body, mishap));
  }

  function answerOf(path: string, body: Record<string, unknown>, mishap?: Mishap) {
    const chat = path.includes("chat");
    const prompt = chat ? body.messages : body.prompt;
    const promptIds = Array.isArray(body.prompt)
      ? (body.prompt as number[])
      : fakeIds(chat ? render(body) : String(prompt));
    const n = Number(body.n ?? 1);
    const count = { few: n - 1, none: 0, many: n + 2 }[mishap as string] ?? Math.min(n, options.mostChoices ?? n);
    const limit = Number(body.max_tokens ?? body.max_completion_tokens);
    const choices = Array.from({ length: count }, (_, index) => {
      const drawn = body.temperature === 0 ? "greedy" : (body.seed ?? Math.random());
      let full = fakeText(prompt, drawn, body.temperature === 0 ? 0 : index);
      for (const stop of (body.stop ?? []) as string[])
        if (full.includes(stop)) full = full.slice(0, full.indexOf(stop));
      const cut = full.slice(0, limit);
      const ended = cut.length < limit;
      const ids = limit === 0 ? [] : [...fakeIds(cut, false), ...(ended ? [EOS] : [])];
      const shown = body.echo ? promptIds : ids;
      const logProbs = shown.map((id, place) => (body.echo && place === 0 ? null : fakeLogProb(id, place)));
      const withIds = body.return_token_ids ? { token_ids: ids, ...(chat ? {} : { prompt_token_ids: promptIds }) } : {};
      const logprobs = body.logprobs
        ? chat
          ? { content: logProbs.map((logprob) => ({ token: "?", logprob })) }
          : { token_logprobs: logProbs, tokens: shown.map(String) }
        : null;
      const content = chat
        ? { message: { role: "assistant", content: cut } }
        : { text: body.echo ? String(prompt) : cut };
      return { index, ...content, logprobs, finish_reason: ended ? "stop" : "length", ...withIds };
    });
    const completion = choices.reduce(
      (sum, choice) => sum + ((choice as { token_ids?: number[] }).token_ids?.length ?? (limit === 0 ? 0 : 20)),
      0,
    );
    const usage = { prompt_tokens: promptIds.length, completion_tokens: completion };
    return {
      id: "x",
      object: "text_completion",
      model,
      choices,
      ...(chat && body.return_token_ids ? { prompt_token_ids: promptIds } : {}),
      usage,
    };
  }
}

/** Each choice in pieces of three characters, the choices in turn; the usage at the end. */
function stream(
  response: ServerResponse,
  answer: { choices: Record<string, unknown>[]; usage?: unknown; prompt_token_ids?: number[] },
  path: string,
  body: Record<string, unknown>,
  mishap?: Mishap,
): void {
  const chat = path.includes("chat");
  const events: unknown[] = [];
  const { choices, usage, ...common } = answer;
  const all = choices.map((choice) => ({
    ...choice,
    text: chat ? (choice.message as { content: string }).content : (choice.text as string),
  })) as {
    index: number;
    text: string;
    finish_reason: string;
    logprobs: unknown;
    token_ids?: number[];
    prompt_token_ids?: number[];
  }[];
  const longest = Math.max(0, ...all.map(({ text }) => text.length));
  const first = { ...common };
  for (let at = 0; at <= longest; at += 3) {
    for (const { index, text, finish_reason, logprobs, token_ids, prompt_token_ids } of all) {
      const piece = text.slice(at, at + 3);
      const last = at + 3 > longest;
      if (piece === "" && !last) continue;
      const end = last ? undefined : at + 3;
      const probs = logprobs as { content?: unknown[]; token_logprobs?: unknown[] } | null;
      const choice = {
        index,
        ...(chat ? { delta: { content: piece } } : { text: piece }),
        finish_reason: last ? finish_reason : null,
        ...(token_ids ? { token_ids: token_ids.slice(at, end) } : {}),
        ...(at === 0 && prompt_token_ids ? { prompt_token_ids } : {}),
        logprobs: probs && {
          ...(probs.content ? { content: probs.content.slice(at, end) } : {}),
          ...(probs.token_logprobs ? { token_logprobs: probs.token_logprobs.slice(at, end) } : {}),
        },
      };
      events.push({ ...(events.length === 0 ? first : {}), choices: [choice] });
    }
  }
  if (usage) events.push({ choices: [], usage });
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (at: number): void => {
    if (response.destroyed) return;
    const told = typeof mishap === "object" ? mishap : {};
    if ("cutAfter" in told && told.cutAfter === at) return void response.destroy();
    if ("closeAfter" in told && told.closeAfter === at) return void response.end();
    if ("badEvent" in told && told.badEvent === at) response.write(`data: {"choices": [${JSON.stringify(body)}\n\n`);
    else if (at < events.length) response.write(`data: ${JSON.stringify(events[at])}\n\n`);
    else return void response.end("data: [DONE]\n\n");
    setImmediate(send, at + 1);
  };
  send(0);
}

const render = ({ messages }: Record<string, unknown>): string =>
  (messages as { role: string; content: string }[]).map(({ role, content }) => `<${role}>${content}`).join("");

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function raw(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "content-type": type });
  response.end(body);
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Options that make an adapter quick to try again. */
export const QUICK = { apiKey: "", backoffMs: 4, timeoutMs: 5000, coolDownMs: 100, backoffSeed: 1 } as const;
