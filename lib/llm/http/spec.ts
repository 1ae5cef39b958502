import { ThoughtbookError } from "../../core/index.js";

/** Address of a model, and its name there. */
export interface HttpSpec {
  /** Without a slash at the end. */
  baseUrls: string[];
  /** Undefined for the server's only model. */
  model: string | undefined;
}

/** Whether a model's specification is one of {@link parseHttpSpec}. */
export const isHttpSpec = (spec: string): boolean => /^https?:\/\//i.test(spec);

/**
 * Read `http://host:port/v1#model`, with several addresses as `http://a/v1,http://b/v1#model`.
 *
 * @throws bad-input
 */
export function parseHttpSpec(spec: string): HttpSpec {
  const [, addresses = "", model] = /^([^#]*)(?:#(.*))?$/s.exec(spec)!;
  return { baseUrls: checkBaseUrls(addresses.split(/,(?=https?:)/i)), model: model || undefined };
}

/** The addresses in normal form: no duplicates, no trailing slash, with the path /v1 where they have none. */
export function checkBaseUrls(given: readonly string[]): string[] {
  const urls = given.map((text, place) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const what = given.length > 1 ? `address ${place + 1} of the model` : "the model's address";
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new ThoughtbookError("bad-input", `${what} is no URL that starts with http:// or https://`, {
        hint: "Give one such as http://127.0.0.1:8000/v1#name.",
      });
    }
    // The address is not shown: what is superfluous in it may be a key.
    if (url.username || url.password || url.search || url.hash) {
      throw new ThoughtbookError("bad-input", `${what} has a name, password, query or fragment of its own`, {
        hint: "Give scheme, host, port and path only; a key goes to THOUGHTBOOK_API_KEY or OPENAI_API_KEY.",
      });
    }
    const path = url.pathname.replace(/\/+$/, "") || "/v1";
    return `${url.origin}${path}`;
  });
  if (urls.length > 0) return [...new Set(urls)];
  throw new ThoughtbookError("bad-input", "the model has no address", {
    hint: "Give one such as http://127.0.0.1:8000/v1.",
  });
}

/** Root of the server's own endpoints, beside those of the OpenAI protocol. */
export const serverRoot = (baseUrl: string): string => baseUrl.replace(/\/v1$/, "");
