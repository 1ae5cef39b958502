import type { PreTrainedModel, Tensor } from "@huggingface/transformers";
import { ThoughtbookError } from "../../core/index.js";
import type { OnnxFiles } from "../../model/index.js";
import { runtimeOptions, type SessionOptions } from "../../tensor/index.js";

/** Recurrent state of some texts (keys, values and the like), one per row. */
export interface RuntimeCache {
  rows: number;
  /** Tokens in it, with padding on the left. */
  length: number;
  /** By the names of the model's inputs, `[rows, …]`. */
  tensors: Readonly<Record<string, Tensor>>;
}

export interface RuntimeCall {
  /** New tokens, the same number in each row. */
  ids: readonly (readonly number[])[];
  /** How many tokens each row has, with those in the cache and the new ones; before them stands padding. */
  tokens: readonly number[];
  cache?: RuntimeCache | undefined;
  /** Number of last tokens whose logits are wanted; models that cannot leave out the others return them too. */
  logits: number;
}

export interface RuntimeResult {
  /** `[rows, times, vocab]` float32; the last ones are those that were requested. */
  logits: { rows: number; times: number; vocabulary: number; data: Float32Array };
  cache: RuntimeCache;
}

/** An ONNX model in memory. */
export interface Runtime {
  /** Whether it can leave out the logits of all but the last tokens. */
  readonly keepsLastLogits: boolean;
  /** Bytes per token in the cache, if it grows. */
  readonly cacheBytes: number;
  /** Compute new tokens after those in the cache, which is not changed. */
  forward(call: RuntimeCall): Promise<RuntimeResult>;
  /** A tensor of the same kind as another, from numbers of its kind. */
  tensorLike(other: Tensor, data: Tensor["data"], dims: number[]): Tensor;
  dispose(): Promise<void>;
}

export interface RuntimeOptions {
  device: string;
  session?: SessionOptions | undefined;
}

/**
 * Load an ONNX model of a local folder with transformers.js, which never asks the network for it.
 *
 * @throws bad-input (an architecture that transformers.js does not know), execution
 */
export async function openRuntime(
  folder: string,
  { dtype, subfolder, name, graph }: OnnxFiles,
  { device, session }: RuntimeOptions,
): Promise<Runtime> {
  // Here, so that nothing else loads it: it takes most of a second.
  const { AutoModelForCausalLM, DynamicCache, LogLevel, Tensor, env } = await import("@huggingface/transformers");
  // Its default prints the inputs of a failed call, and so prompts; all errors reach the caller as exceptions.
  if (env.logLevel === LogLevel.WARNING) env.logLevel = LogLevel.NONE;
  const { executionProviders: _, ...options } = runtimeOptions(session);
  const model: PreTrainedModel = await AutoModelForCausalLM.from_pretrained(folder, {
    local_files_only: true,
    dtype,
    device: device as "cpu",
    subfolder,
    model_file_name: name,
    use_external_data_format: false, // ONNX Runtime finds the weights outside of a graph by itself.
    session_options: options,
  }).catch((error: unknown) => {
    throw openingFailed(error, folder, graph, device);
  });
  const metadata = model.sessions.model as GraphMetadata | undefined;
  if (metadata === undefined) {
    await model.dispose();
    throw new ThoughtbookError("bad-input", `${folder} is a model in several graphs, of which only one is for text`, {
      hint: "Choose a model for text generation.",
    });
  }
  const { inputNames, inputMetadata } = metadata;
  const caches = inputMetadata.filter(({ name }) => name.startsWith("past"));
  const int64 = (numbers: BigInt64Array, dims: number[]) => new Tensor("int64", numbers, dims);

  return {
    keepsLastLogits: inputNames.includes("num_logits_to_keep"),
    cacheBytes: caches.reduce((sum, { shape, type }) => sum + fixedSize(shape) * (type === "float16" ? 2 : 4), 0),
    async forward({ ids, tokens, cache, logits: wanted }) {
      const [rows, time] = [ids.length, ids[0]!.length];
      const length = (cache?.length ?? 0) + time;
      const mask = new BigInt64Array(rows * length);
      for (const [row, count] of tokens.entries()) mask.fill(1n, (row + 1) * length - count, (row + 1) * length);
      const outputs = (await model
        .forward({
          input_ids: int64(BigInt64Array.from(ids.flat(), BigInt), [rows, time]),
          attention_mask: int64(mask, [rows, length]),
          num_logits_to_keep: int64(BigInt64Array.of(BigInt(wanted)), []),
          ...(cache ? { past_key_values: new DynamicCache({ ...cache.tensors }) } : {}),
        })
        .catch((error: unknown) => {
          throw new ThoughtbookError("execution", `ONNX Runtime failed: ${messageOf(error)}`, { cause: error });
        })) as Record<string, Tensor>;
      const logits = outputs.logits;
      if (logits?.dims.length !== 3) {
        throw new ThoughtbookError("execution", `${graph} gives no logits of the form [batch, time, vocabulary]`, {
          hint: "Choose a model for text generation.",
        });
      }
      const [, times, vocabulary] = logits.dims as [number, number, number];
      const tensors = Object.fromEntries(
        Object.entries(outputs)
          .filter(([key]) => key.startsWith("present"))
          .map(([key, tensor]) => [pastName(key), tensor]),
      );
      return {
        logits: { rows, times, vocabulary, data: logits.to("float32").data as Float32Array },
        cache: { rows, length, tensors },
      };
    },
    tensorLike: ({ type }, data, dims) => new Tensor(type, data, dims),
    dispose: async () => void (await model.dispose()),
  };
}

interface GraphMetadata {
  inputNames: readonly string[];
  inputMetadata: readonly ValueMetadata[];
}

interface ValueMetadata {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

/** Numbers in a tensor whose sizes that may change are 1. */
const fixedSize = (shape: readonly (number | string)[]): number =>
  shape.reduce<number>((product, side) => product * (typeof side === "number" ? side : 1), 1);

/** The input that an output goes to in the next call: `present.0.key` to `past_key_values.0.key`, `present_conv.0` to `past_conv.0`. */
const pastName = (present: string): string =>
  present.startsWith("present_") ? present.replace("present", "past") : present.replace("present", "past_key_values");

function openingFailed(error: unknown, folder: string, graph: string, device: string): ThoughtbookError {
  const message = messageOf(error);
  const unknownType = /^Unsupported model type: (.*)$/.exec(message)?.[1];
  if (unknownType !== undefined) {
    return new ThoughtbookError("bad-input", `transformers.js knows no language model of the type ${unknownType}`, {
      hint: "Choose a model that is made for text generation.",
      cause: error,
    });
  }
  const place = device === "cpu" ? "" : ` on the device ${device}`;
  return new ThoughtbookError("execution", `cannot open ${graph} of ${folder}${place}: ${message}`, {
    hint:
      device === "cpu"
        ? "Download or export it again; if it stays the same, choose another dtype."
        : "Check that the device and its libraries are there, or choose the device cpu.",
    cause: error,
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
