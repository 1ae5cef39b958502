import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

/** An answer as it goes over the wire, byte for byte; a list is sent piece by piece. */
export interface Scripted {
  status?: number;
  type?: string;
  body: string | readonly string[];
  /** Break the connection after the last piece. */
  breaks?: boolean;
  /** Leave it open, so that nothing but the answer tells its end. */
  stays?: boolean;
}

export const EVENTS = "text/event-stream";

/**
 * A server that answers as it is told, with no idea of the protocol.
 *
 * @param whenDone what to do with the function that closes it; called after the test unless told otherwise
 */
export async function startScripted(
  answer: (asked: Asked, nth: number) => Scripted | undefined,
  whenDone: (close: () => void) => void = onTestFinished,
) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString();
    const path = request.url!;
    const call = { method: request.method!, path, body: text ? JSON.parse(text) : {} } as Asked;
    const nth = asked.filter((each) => each.path === path).length;
    asked.push(call);
    const { status = 200, type = "application/json", body, breaks, stays } = answer(call, nth) ?? MISSING;
    response.writeHead(status, { "content-type": type });
    for (const piece of typeof body === "string" ? [body] : body) {
      response.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (breaks) response.destroy();
    else if (!stays) response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  whenDone(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

const MISSING: Scripted = { status: 404, body: '{"error":{"message":"there is nothing here"}}' };
