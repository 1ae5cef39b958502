import { join } from "node:path";
import { badInput, refuseLfsPointer } from "../../core/index.js";
import {
  chatTemplateOf,
  chooseOnnxFiles,
  listModelFiles,
  loadTokenizer,
  ONNX_WEIGHT_TYPES,
  type OnnxWeightType,
  resolveModel,
} from "../../model/index.js";
import { type SessionOptions, supportedProviders } from "../../tensor/index.js";
import { unlessAbsent } from "../unless-absent.js";
import { readOnnxConfig } from "./config.js";
import { createTransformersModel, type TransformersModel } from "./model.js";

export interface LoadTransformersOptions {
  /** The type of the weights: `fp32`, `fp16`, `q8`, `q4`, … Default: what config.json names, or else the first one there is. */
  dtype?: string | undefined;
  /** Where to compute: `cpu` (default), or what onnxruntime-node offers here, such as `webgpu`, `cuda`, `dml`, `coreml`. */
  device?: string | undefined;
  /** Stops a download. */
  signal?: AbortSignal | undefined;
  /** Options of ONNX Runtime: threads. */
  session?: SessionOptions | undefined;
}

/** What stands before the specification of a model that transformers.js is to run. */
const PREFIX = "onnx:";

export interface OnnxSpec {
  /** A folder, or a name of the hub. */
  model: string;
  dtype?: OnnxWeightType;
  device?: string;
}

/**
 * Read `onnx:MODEL`, `onnx:MODEL#DTYPE`, `onnx:MODEL#DEVICE` or `onnx:MODEL#DTYPE,DEVICE`; undefined for another
 * specification.
 *
 * @throws bad-input for what is neither a dtype nor a device
 */
export function parseOnnxSpec(spec: string): OnnxSpec | undefined {
  if (!spec.startsWith(PREFIX)) return undefined;
  const [, model, choice] = /^(.*?)(?:#([^/#]*))?$/s.exec(spec.slice(PREFIX.length))!;
  const parsed: OnnxSpec = { model: model! };
  for (const word of choice === undefined ? [] : choice.split(",")) {
    const dtype = ONNX_WEIGHT_TYPES.find((type) => type === word);
    if (dtype !== undefined) parsed.dtype = dtype;
    else parsed.device = checkDevice(word, `neither a dtype (${ONNX_WEIGHT_TYPES.join(", ")}) nor a device`);
  }
  return parsed;
}

/**
 * An ONNX model of a folder or of the hub, run by transformers.js. It generates and scores as a checkpoint on this library's
 * engine does, for every architecture that transformers.js knows; it has no gradients, attention weights or soft prompts.
 * Files of the hub are downloaded once, to the cache that checkpoints go to; the folder is all that transformers.js sees.
 *
 * @param spec a folder or name, with or without `onnx:` before it and a choice behind it; see {@link parseOnnxSpec}
 * @throws not-found (no model, no ONNX files, not of this dtype), bad-input (unknown dtype or device), corrupt-data, network,
 *   file-system, interrupted
 */
export async function loadTransformersModel(
  spec: string,
  options: LoadTransformersOptions = {},
): Promise<TransformersModel> {
  const parsed = parseOnnxSpec(spec) ?? { model: spec };
  const dtype = options.dtype === undefined ? parsed.dtype : checkDtype(options.dtype);
  const device = options.device ?? parsed.device;
  const folder = await resolveModel(parsed.model, {
    weights: { format: "onnx", dtype },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return openTransformersFolder(spec, folder, { ...options, dtype, device });
}

/** As {@link loadTransformersModel}, from a folder that is there. */
export async function openTransformersFolder(
  name: string,
  folder: string,
  options: LoadTransformersOptions,
): Promise<TransformersModel> {
  const dtype = options.dtype === undefined ? undefined : checkDtype(options.dtype);
  const device = checkDevice(options.device ?? "cpu", "no device");
  const files = await listModelFiles(folder);
  if (!files.includes("config.json")) chooseOnnxFiles(files, folder, dtype); // Says more where both are missing.
  const config = await readOnnxConfig(folder);
  const chosen = chooseOnnxFiles(files, folder, dtype, config.layout);
  for (const file of [chosen.graph, ...chosen.data]) await refuseLfsPointer(join(folder, file));
  const tokenizer = await unlessAbsent(loadTokenizer(folder));
  const chatTemplate = tokenizer && (await unlessAbsent(chatTemplateOf(folder)));
  return createTransformersModel({
    name,
    folder,
    files: chosen,
    config,
    device,
    tokenizer,
    chatTemplate,
    // As for the engine: what the files of the tokenizer say counts only where no other file says anything.
    endIds: config.endIds.length > 0 ? config.endIds : (tokenizer?.endIds ?? []),
    session: options.session,
  });
}

function checkDtype(dtype: string): OnnxWeightType {
  const known = ONNX_WEIGHT_TYPES.find((type) => type === dtype);
  if (known !== undefined) return known;
  throw badInput(
    `${JSON.stringify(dtype)} is no dtype of ONNX models`,
    `Choose one of ${ONNX_WEIGHT_TYPES.join(", ")}.`,
  );
}

function checkDevice(device: string, otherwise: string): string {
  const devices = supportedProviders();
  if (devices.includes(device)) return device;
  throw badInput(`${JSON.stringify(device)} is ${otherwise} of this machine`, `Devices here: ${devices.join(", ")}.`);
}
