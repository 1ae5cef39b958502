import type { HttpModel, HttpModelOptions, HttpOptions } from "./model.js";
import { parseHttpSpec } from "./spec.js";

/**
 * A model on one or several servers that speak OpenAI's protocol: vLLM, llama.cpp, Ollama, LM Studio, OpenAI, `thoughtbook
 * serve` and others. What they can do is found out and stands in `capabilities`; an option that a server does not take is
 * an error before any work, never dropped.
 *
 * Requests are tried again after faults that pass (busy, time-out, lost connection, broken answer), at another address if
 * one works. A text is finished once: `onFinish` is called after it is in the cache, so that a run that is killed goes on
 * where it stopped. `onText` tells each piece once: a stream that breaks off is read again from its start, what was told
 * is skipped if it is the same text, and an error if it is not (or cannot be, without a seed).
 *
 * Without a seed nothing is sent for it: the server draws its own numbers. Keys and prompts stand in no message and no log.
 *
 * @throws network, timeout (no server answers), not-found (no such model), bad-input, corrupt-data, file-system, interrupted
 */
export async function createHttpModel(options: HttpModelOptions): Promise<HttpModel> {
  // Here, so that models on this machine need not load the client.
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
