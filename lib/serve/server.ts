import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { ThoughtbookError } from "../core/index.js";
import type { LocalModel } from "../llm/index.js";
import { createActiveRequests } from "./active-requests.js";
import { badRequest, errorBody } from "./api-error.js";
import { createApp } from "./app.js";
import type { Service } from "./context.js";
import { resolveOptions, type ServeOptions } from "./options.js";
import { recordEnd } from "./request-log.js";
import { openServedModel, type ServedModel } from "./served-model.js";

/** Between two looks for connections without work when the server closes, and the most that the last answers may take. */
const [SWEEP_MS, LAST_MS] = [50, 5000];

const ALL_METHODS = "GET, HEAD, POST, OPTIONS";

export interface Server {
  /** Its address, such as "http://127.0.0.1:8000". OpenAI clients need "/v1" appended. */
  readonly url: string;
  /** Requests whose answers are being made. */
  readonly active: number;
  /** Texts of all models that are in progress, and that wait. */
  readonly texts: { active: number; waiting: number };
  /**
   * Accept no more requests, let those in progress end within `grace` milliseconds (default: 10,000), and close. The
   * models stay open. A second call with a shorter grace closes sooner.
   */
  close(options?: { grace?: number }): Promise<void>;
}

/**
 * Serve local models through OpenAI's API: `/v1/models`, `/v1/chat/completions`, `/v1/completions`, with streaming,
 * log-probabilities and `echo`; also `/health`, `/tokenize` and `/detokenize` as in vLLM. All requests of a model share
 * one batch (continuous batching), which does not change any text: with the same seed, or greedy, it equals the local
 * model's.
 *
 * @param models one under its own name, or several under the names that requests use
 * @throws bad-input (an option out of its range; an address that others can reach without an API key), network (the port is
 *   taken), and what reading the weights throws
 *
 * @example
 * ```ts
 * import { createHttpModel, loadLocalModel } from "thoughtbook/llm";
 * import { startServer } from "thoughtbook/serve";
 *
 * const model = await loadLocalModel("mini");
 * const server = await startServer({ mini: model }, { port: 0 });
 * const client = await createHttpModel({ baseUrl: `${server.url}/v1` });
 * console.log(client.name);
 * await client.dispose();
 * await server.close();
 * ```
 */
export async function startServer(
  models: LocalModel | Readonly<Record<string, LocalModel>>,
  options: ServeOptions = {},
): Promise<Server> {
  const resolved = resolveOptions(options);
  const named = isModel(models) ? { [models.name]: models } : models;
  const served = new Map<string, ServedModel>();
  for (const [id, model] of Object.entries(named)) served.set(id, await openServedModel(id, model, resolved));
  const active = createActiveRequests();
  const service: Service = {
    models: served,
    active,
    options: resolved,
    fault: (error) => resolved.onFault?.(error),
  };
  const app = createApp(service);
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: () => Response.json(errorBody(unreadable()), { status: 400 }),
  });
  const server = createServer(
    {
      headersTimeout: resolved.receiveTimeout,
      requestTimeout: resolved.receiveTimeout,
      connectionsCheckingInterval: Math.min(1000, resolved.receiveTimeout),
      keepAliveTimeout: 30_000,
    },
    (incoming, outgoing) => {
      recordEnd(incoming, outgoing, resolved);
      // Of the server as a whole, which is no path.
      if (incoming.method === "OPTIONS" && incoming.url === "*") outgoing.writeHead(204, { allow: ALL_METHODS }).end();
      else void listener(incoming, outgoing);
    },
  );
  server.maxConnections = resolved.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(error, resolved.host, resolved.port)));
    server.listen(resolved.port, resolved.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const { host } = resolved;

  let closed: Promise<void> | undefined;
  const finish = async () => {
    const connections = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await active.drain();
    await Promise.all([...served.values()].map((each) => each.close()));
    // What was sent last may still be on its way: connections are closed as they become idle, stuck ones later.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    const timer = setTimeout(() => server.closeAllConnections(), LAST_MS);
    await connections;
    clearInterval(sweep);
    clearTimeout(timer);
  };
  return {
    url: `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`,
    get active() {
      return active.count;
    },
    get texts() {
      const sum = (key: "active" | "waiting") =>
        [...served.values()].reduce((total, { generator }) => total + generator[key], 0);
      return { active: sum("active"), waiting: sum("waiting") };
    },
    async close({ grace = 10_000 } = {}) {
      closed ??= finish();
      const timer = setTimeout(() => active.abort(), grace);
      await closed;
      clearTimeout(timer);
    },
  };
}

const unreadable = () => badRequest("The request cannot be read.", undefined, "unreadable_request");

function isModel(models: LocalModel | Readonly<Record<string, LocalModel>>): models is LocalModel {
  return typeof models.name === "string";
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): ThoughtbookError {
  const reason = error.code === "EADDRINUSE" ? "another program does" : error.message;
  return new ThoughtbookError("network", `cannot listen on ${host}, port ${port}: ${reason}`, {
    hint: "Choose another port, or 0 for a free one.",
    cause: error,
  });
}
