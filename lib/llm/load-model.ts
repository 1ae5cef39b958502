import { badInput, type ThoughtbookError } from "../core/index.js";
import {
  chatTemplateOf,
  checkModelFits,
  checkpointSource,
  findOnnxFiles,
  type HostModel,
  hashCheckpoint,
  isGgufPlace,
  isQuantised,
  listModelFiles,
  loadTokenizer,
  type Numerics,
  openCheckpoint,
  openEngine,
  QUANTISED_FLOATS,
  readBlockParameters,
  readGenerationDefaults,
  readParameters,
  resolveModel,
} from "../model/index.js";
import type { SessionOptions } from "../tensor/index.js";
import { isBatchSpec, openBatchModel } from "./batch/batch-model.js";
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
  /** Options of ONNX Runtime: threads, execution providers; and the memory that this process may take. */
  session?: SessionOptions | undefined;
  /**
   * How a model on this library's engine generates and scores: `exact` in float32 (the default), `fast` with quantised
   * products, for weights in blocks as those of GGUF files; `auto` is `fast` where there are such, else `exact`.
   */
  numerics?: Numerics | "auto" | undefined;
  /** Keep weights in the blocks that they are stored in, for training too; products then need more time. Default: no. */
  lowMemory?: boolean | undefined;
  /** Options of servers: key, time-outs, retries, budget, cache. */
  http?: HttpOptions | undefined;
}

/**
 * Load a language model by its specification: the name of one in the repository's `data/models`; the folder of a
 * checkpoint, or a GGUF file; `owner/name` or `owner/name@revision` of the Hugging Face hub, or `owner/name:FILE.gguf`
 * there, which is downloaded once; or the address and name of one on a server, `http://host:port/v1#name`. Weights in
 * safetensors and GGUF run on this library's engine. Models that have only ONNX run on transformers.js; `onnx:` before
 * the specification requests that, and `#q4` or `#q4,webgpu` after it selects a type of weights and a device. `batch:FOLDER#name` is a
 * model whose answers come in batches: see `openBatchModel`.
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
  const wantsWeights = options.lowMemory || options.numerics === "fast";
  if (wantsWeights && (isHttpSpec(spec) || isBatchSpec(spec) || parseOnnxSpec(spec) !== undefined))
    throw withoutBlocks(spec);
  if (isBatchSpec(spec)) return openBatchModel(spec, { dialect: options.http?.dialect, body: options.http?.body });
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
  options: Pick<LoadModelOptions, "signal" | "session" | "numerics" | "lowMemory"> = {},
): Promise<LocalModel> {
  return openLocalFolder(spec, await resolveModel(spec, options.signal ? { signal: options.signal } : {}), options);
}

async function openLocalFolder(
  spec: string,
  folder: string,
  { session, numerics = "exact", lowMemory = false }: Pick<LoadModelOptions, "session" | "numerics" | "lowMemory">,
): Promise<LocalModel> {
  const checkpoint = await openCheckpoint(folder);
  const hasBlocks = isQuantised(checkpoint);
  if (!hasBlocks && (numerics === "fast" || lowMemory)) throw withoutBlocks(spec);
  const isFast = numerics === "fast" || (numerics === "auto" && hasBlocks);
  const floats = isFast || lowMemory ? QUANTISED_FLOATS : 1;
  checkModelFits(spec, checkpoint.config, { memory: session?.memory, floats });
  const tokenizer = await unlessAbsent(loadTokenizer(folder));
  const chatTemplate = tokenizer && (await unlessAbsent(chatTemplateOf(folder)));
  const { endIds } = await readGenerationDefaults(checkpoint);
  let host: Promise<HostModel> | undefined;
  const readHost = async (): Promise<HostModel> => ({
    config: checkpoint.config,
    ...(lowMemory ? await readBlockParameters(checkpoint) : { weights: await readParameters(checkpoint) }),
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
    engine: isFast ? () => openEngine(checkpointSource(checkpoint), session) : undefined,
    lowMemory,
  });
}

function withoutBlocks(spec: string): ThoughtbookError {
  return badInput(
    `${spec} has no weights in blocks, which --numerics fast and --low-memory keep as they are`,
    "Use a GGUF file with quantised weights, such as Q4_K_M or Q8_0, or leave the option out.",
  );
}
