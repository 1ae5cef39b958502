import {
  chatTemplateOf,
  findOnnxFiles,
  type HostModel,
  hashCheckpoint,
  isGgufPlace,
  listModelFiles,
  loadTokenizer,
  openCheckpoint,
  readGenerationDefaults,
  readParameters,
  resolveModel,
} from "../model/index.js";
import type { SessionOptions } from "../tensor/index.js";
import { loadHttpModel } from "./http/load.js";
import type { HttpOptions } from "./http/model.js";
import { isHttpSpec } from "./http/spec.js";
import type { LanguageModel } from "./language-model.js";
import { createLocalModel, type LocalModel } from "./local/model.js";
import { readOperations } from "./local/operations-file.js";
import { loadTransformersModel, openTransformersFolder, parseOnnxSpec } from "./transformers/load.js";
import { unlessAbsent } from "./unless-absent.js";

export interface LoadModelOptions {
  /** Type of an ONNX model's weights, such as `q4`; like `device`, it selects ONNX as `onnx:` does. */
  dtype?: string | undefined;
  /** Device for an ONNX model, such as `webgpu`. */
  device?: string | undefined;
  /** Stops a download. */
  signal?: AbortSignal | undefined;
  /** Options of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
  /** Options of servers: key, time-outs, retries, budget, cache. */
  http?: HttpOptions | undefined;
}

/**
 * Load a language model by its specification: the name of one in the repository's `data/models`; the folder of a
 * checkpoint, or a GGUF file; `owner/name` or `owner/name@revision` of the Hugging Face hub, or `owner/name:FILE.gguf`
 * there, which is downloaded once; or the address and name of one on a server, `http://host:port/v1#name`. Weights in safetensors and GGUF run on this library's engine. Models
 * that have only ONNX run on transformers.js; `onnx:` before the specification requests that, and `#q4` or `#q4,webgpu`
 * after it selects a type of weights and a device.
 *
 * @throws not-found, bad-input, corrupt-data, network, timeout, file-system, interrupted
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 *
 * const model = await loadModel("mini");
 * const content = "Ana picks 3 apples. Ben picks 4 more apples than Ana. How many apples does Ben pick?";
 * const prompt = { messages: [{ role: "user", content }] };
 * const [[completion] = []] = await model.generate([{ prompt, maxNewTokens: 64 }]);
 * console.log(completion?.finishReason); // stop
 * console.log(completion?.text);
 * ```
 */
export async function loadModel(spec: string, options: LoadModelOptions = {}): Promise<LanguageModel> {
  if (isHttpSpec(spec)) return loadHttpModel(spec, { ...options.http, signal: options.signal });
  const wantsOnnx = parseOnnxSpec(spec) !== undefined || options.dtype !== undefined || options.device !== undefined;
  if (wantsOnnx) return loadTransformersModel(spec, options);
  return loadByWeights(spec, options);
}

/** A folder, or a model of the hub, on the engine for its weights. */
async function loadByWeights(spec: string, options: LoadModelOptions): Promise<LanguageModel> {
  const { signal } = options;
  const folder = await resolveModel(spec, { weights: { format: "any" }, ...(signal ? { signal } : {}) });
  if (await isGgufPlace(folder)) return openLocalFolder(spec, folder, options);
  const files = await listModelFiles(folder);
  const hasSafetensors = files.some((file) => /^model\.safetensors(\.index\.json)?$/.test(file));
  if (!hasSafetensors && findOnnxFiles(files).length > 0) return openTransformersFolder(spec, folder, options);
  return openLocalFolder(spec, folder, options);
}

/**
 * Load a checkpoint on this library's engine. Configuration, tokenizer and the headers of the weights are read and
 * checked now, the weights when they are first needed. A checkpoint without a tokenizer or chat template lacks the
 * capability.
 *
 * @throws like {@link loadModel}
 */
export async function loadLocalModel(
  spec: string,
  options: Pick<LoadModelOptions, "signal" | "session"> = {},
): Promise<LocalModel> {
  return openLocalFolder(spec, await resolveModel(spec, options.signal ? { signal: options.signal } : {}), options);
}

async function openLocalFolder(
  spec: string,
  folder: string,
  { session }: Pick<LoadModelOptions, "session">,
): Promise<LocalModel> {
  const checkpoint = await openCheckpoint(folder);
  const tokenizer = await unlessAbsent(loadTokenizer(folder));
  const chatTemplate = tokenizer && (await unlessAbsent(chatTemplateOf(folder)));
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
    operations: await readOperations(folder),
    hash: () => hashCheckpoint(checkpoint),
    session,
  });
}
