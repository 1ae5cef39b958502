import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { ApiError } from "./api-error.js";
import type { ResolvedOptions } from "./options.js";

/** What is written down of a request when it has ended. */
export interface Account {
  /** The pattern of its route; undefined where there is none. */
  route?: () => string;
  model?: string;
  promptTokens: number;
  completionTokens: number;
  /** Why it was refused, or ended early. */
  refusal?: Pick<ApiError, "code" | "param">;
}

const accounts = new WeakMap<ServerResponse, Account>();

/** The account of a request that {@link recordEnd} has begun. */
export function accountOf(outgoing: ServerResponse): Account {
  const account = accounts.get(outgoing) ?? { promptTokens: 0, completionTokens: 0 };
  accounts.set(outgoing, account);
  return account;
}

/** Record what is sent to the client. For a client that has left there is nothing to add. */
export function noteRefusal(account: Account, { status, code, param }: ApiError): void {
  if (status !== 499) account.refusal = { code, param };
}

/** Tell of a request when its answer has been sent, or its connection has ended. */
export function recordEnd(
  { method = "", url = "" }: IncomingMessage,
  outgoing: ServerResponse,
  { onRequest }: Pick<ResolvedOptions, "onRequest">,
): void {
  if (!onRequest) return;
  const start = performance.now();
  const account = accountOf(outgoing);
  outgoing.once("close", () => {
    const { model, promptTokens, completionTokens, refusal } = account;
    const status = outgoing.statusCode;
    const route = account.route?.() ?? "/*";
    onRequest({
      method,
      route: route === "/*" ? "no such route" : route,
      path: plainPath(url),
      status,
      // What could not even be read has got no further than to the HTTP server.
      code: refusal ? refusal.code : status >= 400 ? "unreadable_request" : undefined,
      param: refusal?.param === undefined ? undefined : plainWord(refusal.param),
      aborted: !outgoing.writableFinished,
      milliseconds: performance.now() - start,
      model,
      promptTokens,
      completionTokens,
    });
  });
}

/** Stands for what a client may have put there by mistake, such as a prompt or a key. */
const HIDDEN = "…";

/** Names of parameters and parts of paths are written down where they look like names. */
const plainWord = (word: string): string => (/^(?!sk-)[\w.:@[\]*-]{1,64}$/i.test(word) ? word : HIDDEN);

/** The path of a request without its query. */
function plainPath(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/i, "").replace(/[?#].*$/s, "");
  return path
    .slice(0, 256)
    .split("/")
    .map((part) => (part === "" ? "" : plainWord(part)))
    .join("/");
}
