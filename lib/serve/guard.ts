import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { ApiError } from "./api-error.js";
import { isLoopback, type ResolvedOptions } from "./options.js";

/**
 * On a loopback address take only requests that name one: a page in this machine's browser can have a name of its own
 * point here (DNS rebinding), and would then be free to read the answers.
 */
export function checkHost({ host }: Pick<ResolvedOptions, "host">): MiddlewareHandler {
  const guarded = isLoopback(host);
  return async (context, next) => {
    const named = (context.req.header("host") ?? "").replace(/:\d*$/, "");
    if (guarded && !isLoopback(named)) {
      throw new ApiError(403, "This server answers only to localhost and 127.0.0.1.", {
        type: "permission_error",
        code: "host_not_allowed",
      });
    }
    await next();
  };
}

/** Take only requests with the key, if there is one. */
export function checkKey({ apiKey }: Pick<ResolvedOptions, "apiKey">): MiddlewareHandler {
  // Digests are of one length, so that the comparison takes the same time for every key.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = apiKey === undefined ? undefined : digest(apiKey);
  return async (context, next) => {
    const given = /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "")?.[1];
    if (expected && (given === undefined || !timingSafeEqual(digest(given), expected))) {
      throw new ApiError(401, given === undefined ? "There is no API key in the request." : "The API key is wrong.", {
        type: "authentication_error",
        code: "invalid_api_key",
        headers: { "www-authenticate": "Bearer" },
      });
    }
    await next();
  };
}
