import { ThoughtbookError } from "../core/index.js";
import {
  type ChatTemplate,
  chatTemplateOf,
  type HostModel,
  hashCheckpoint,
  loadTokenizer,
  openCheckpoint,
  readGenerationDefaults,
  readParameters,
  resolveModel,
  type Tokenizer,
} from "../model/index.js";
import type { SessionOptions } from "../tensor/index.js";
import { loadHttpModel } from "./http-load.js";
import type { HttpOptions } from "./http-model.js";
import { isHttpSpec } from "./http-spec.js";
import type { LanguageModel } from "./language-model.js";
import { createLocalModel, type LocalModel } from "./local-model.js";

export interface LoadModelOptions {
  /** Stops a download. */
  signal?: AbortSignal | undefined;
  /** Of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
  /** Of servers: key, time-outs, retries, budget, cache. */
  http?: HttpOptions | undefined;
}

/**
 * A language model by its specification: the folder of a checkpoint, or `owner/name` or `owner/name@revision` of the
 * Hugging Face hub, which is downloaded once; or the address and name of one on a server, `http://host:port/v1#name`.
 *
 * @throws not-found, bad-input, corrupt-data, network, timeout, file-system, interrupted
 */
export async function loadModel(spec: string, options: LoadModelOptions = {}): Promise<LanguageModel> {
  if (isHttpSpec(spec)) return loadHttpModel(spec, { ...options.http, signal: options.signal });
  return loadLocalModel(spec, options);
}

/**
 * A checkpoint on this library's engine. Configuration, tokenizer and the headers of the weights are read and checked now,
 * the weights when they are first needed. A checkpoint without a tokenizer or chat template lacks the capability.
 *
 * @throws as {@link loadModel}
 */
export async function loadLocalModel(spec: string, { signal, session }: LoadModelOptions = {}): Promise<LocalModel> {
  const folder = await resolveModel(spec, signal ? { signal } : {});
  const checkpoint = await openCheckpoint(folder);
  const tokenizer = await unlessAbsent<Tokenizer>(loadTokenizer(folder));
  const chatTemplate = tokenizer && (await unlessAbsent<ChatTemplate>(chatTemplateOf(folder)));
  const { endIds } = await readGenerationDefaults(checkpoint);
  let host: Promise<HostModel> | undefined;
  const readHost = async (): Promise<HostModel> => ({
    config: checkpoint.config,
    weights: await readParameters(checkpoint),
  });
  return createLocalModel({
    name: spec,
    config: checkpoint.config,
    // After an error it is tried again.
    host: () => {
      host ??= readHost().catch((error: unknown) => {
        host = undefined;
        throw error;
      });
      return host;
    },
    tokenizer,
    chatTemplate,
    // As transformers does it: what the files of the tokenizer say counts only where no other file says anything.
    endIds: endIds.length > 0 ? endIds : (tokenizer?.endIds ?? []),
    hash: () => hashCheckpoint(checkpoint),
    session,
  });
}

async function unlessAbsent<T>(value: Promise<T>): Promise<T | undefined> {
  return value.catch((error: unknown) => {
    if (error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  });
}
