import type { HttpModel, HttpModelOptions, HttpOptions } from "./model.js";
import { parseHttpSpec } from "./spec.js";

/**
 * Open a model on one or several servers that speak OpenAI's protocol: vLLM, llama.cpp, Ollama, LM Studio, OpenAI,
 * `thoughtbook serve` and others. Their features are detected and listed in `capabilities`; an option that a server
 * does not support is an error before any work, never dropped.
 *
 * Requests are retried after transient faults (busy, time-out, lost connection, broken answer), at another address if
 * one works. Each text is finished once: `onFinish` is called after it is in the cache, so that a killed run resumes
 * where it stopped. `onText` gets each piece once: a stream that breaks off is read again from its start; what was
 * already passed on is skipped if it is the same text, and an error if it is not (or cannot be, without a seed).
 *
 * Without a seed none is sent: the server draws its own numbers. Keys and prompts appear in no message and no log.
 *
 * @throws network, timeout (no server answers), not-found (no such model), bad-input, corrupt-data, file-system, interrupted
 *
 * @example Only compiled: needs a server
 * ```ts
 * import { createHttpModel } from "thoughtbook/llm";
 *
 * const model = await createHttpModel({ baseUrl: "http://127.0.0.1:8000/v1", budget: { tokens: 100_000 } });
 * const [[completion] = []] = await model.generate([{ prompt: "2 + 3 =", maxNewTokens: 4 }]);
 * console.log(completion?.text, model.usage().completionTokens);
 * ```
 */
export async function createHttpModel(options: HttpModelOptions): Promise<HttpModel> {
  // Imported here so that local models do not load the client.
  const { openHttpModel } = await import("./model.js");
  return openHttpModel(options);
}

/** As {@link createHttpModel}, by `http://host:port/v1#name`; several addresses have commas between them. */
export async function loadHttpModel(
  spec: string,
  options: HttpOptions & Pick<HttpModelOptions, "signal"> = {},
): Promise<HttpModel> {
  const { baseUrls, model } = parseHttpSpec(spec);
  return createHttpModel({ ...options, baseUrl: baseUrls, model, name: spec });
}
