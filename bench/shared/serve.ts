import { createInterface } from "node:readline";
import { describeError } from "thoughtbook/core";

/** What a peer can be asked, by name. A handler gets the whole request and gives the reply's content. */
export type Handlers = Readonly<Record<string, (request: Readonly<Record<string, unknown>>) => unknown>>;

/**
 * Answer requests, one JSON line each, until standard input ends: the peer's side of `startPeer`. Standard output belongs
 * to the replies from here on; what libraries print goes to standard error.
 */
export async function servePeer(handlers: Handlers): Promise<void> {
  for (const method of ["log", "info", "debug", "warn"] as const) console[method] = console.error;
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(handlers, line);
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

async function answer(handlers: Handlers, line: string): Promise<object> {
  try {
    const request = JSON.parse(line) as Record<string, unknown>;
    const handler = handlers[String(request.do)];
    if (!handler) return { error: `unknown request "${request.do}"` };
    return { ok: (await handler(request)) ?? null };
  } catch (error) {
    return { error: describeError(error) };
  }
}
