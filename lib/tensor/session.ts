import { availableParallelism } from "node:os";
import * as ort from "onnxruntime-node";
import { badInput, checkWhole, ThoughtbookError } from "../core/index.js";
import { NO_COPY_OUTPUT } from "./onnx.js";
import type { TensorData } from "./tensor-data.js";

export interface SessionOptions {
  /** Threads inside an operator. Default: the environment variable THOUGHTBOOK_THREADS, else the processors of this machine. */
  threads?: number;
  /** Where operators run, in order of preference: `cpu` (the default) or what onnxruntime-node offers here, such as `cuda`, `webgpu`, `dml`, `coreml`. */
  executionProviders?: readonly string[];
  /** Keep freed memory for the next call (default). Off, a call gives everything back, and is slower. */
  arena?: boolean;
  /**
   * Bytes that this process may take: weights, keys and values, and compiled programs, of which the ones not used for the
   * longest time are let go, and compiled again when they are needed. Default: the environment variable THOUGHTBOOK_MEMORY;
   * without it programs of all sizes take at most 512 MiB together, as estimated, and all else comes on top.
   */
  memory?: number;
  /**
   * Plan the memory of a call by the first one (default). The plan's memory comes on top of what the first call took: off, a
   * large program takes about half as much.
   */
  memoryPattern?: boolean;
  /** How far ONNX Runtime rewrites the graph. Default: `all`. */
  optimization?: "disabled" | "basic" | "extended" | "all";
}

export interface Session {
  /** Compute all outputs from all inputs, in the order of the program's, into the given storage. */
  run(inputs: readonly TensorData[], outputs: readonly TensorData[]): Promise<void>;
  /** Give the runtime's memory back. */
  dispose(): Promise<void>;
}

export interface ProfiledSession extends Session {
  /** Stop profiling and write the trace; the file's name starts with the prefix. */
  endProfiling(): void;
}

/** onnxruntime-node's message when it meets the output that stops it from copying the others; see {@link NO_COPY_OUTPUT}. */
const STOPPED_COPYING = "Non tensor type";

// Logging of fatal errors only: every error of a run reaches the caller as an exception.
const LOG_FATAL = 4;

/** Programs with more bytes of intermediate results do without a memory pattern; they are no slower for it. */
const MOST_PATTERN = 2 ** 25;

/** {@link SessionOptions} in the words of onnxruntime-node. */
export interface RuntimeOptions {
  intraOpNumThreads: number;
  interOpNumThreads: number;
  executionMode: "sequential";
  executionProviders: string[];
  enableCpuMemArena: boolean;
  enableMemPattern: boolean;
  graphOptimizationLevel: NonNullable<SessionOptions["optimization"]>;
  logSeverityLevel: typeof LOG_FATAL;
  extra: { session: { force_spinning_stop: "1" } };
}

/** Several processes beside each other want fewer threads each than the machine has processors: THOUGHTBOOK_THREADS says how many. */
function defaultThreads(): number {
  const chosen = process.env.THOUGHTBOOK_THREADS;
  if (!chosen) return availableParallelism();
  if (/^[1-9]\d{0,3}$/.test(chosen)) return Number(chosen);
  throw badInput(
    `THOUGHTBOOK_THREADS is "${chosen}", expected a whole number above 0`,
    "Correct the environment variable, or unset it: then there are as many threads as processors.",
  );
}

/**
 * Options of a session as onnxruntime-node takes them, with defaults.
 * @throws bad-input (threads, THOUGHTBOOK_THREADS)
 */
export function runtimeOptions({
  threads = defaultThreads(),
  executionProviders = ["cpu"],
  arena = true,
  memoryPattern,
  optimization = "all",
  workingBytes = 0,
}: SessionOptions & { workingBytes?: number } = {}): RuntimeOptions {
  checkWhole("threads", threads, 1);
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    executionProviders: [...executionProviders],
    enableCpuMemArena: arena,
    // From the second call on, a pattern takes one more block as large as all that the first call needed.
    enableMemPattern: memoryPattern ?? (arena && workingBytes <= MOST_PATTERN),
    graphOptimizationLevel: optimization,
    logSeverityLevel: LOG_FATAL,
    // Every session has threads of its own. Those of the one that ran last would go on waiting actively for a while, on the
    // processors that the next one needs: where sessions take turns, that makes them a third slower.
    extra: { session: { force_spinning_stop: "1" } },
  };
}

/** Where onnxruntime-node can compute on this system, as far as the hardware and its libraries are there. */
export const supportedProviders = (): string[] => ort.listSupportedBackends().map(({ name }) => name);

/**
 * Load a program into ONNX Runtime.
 *
 * @param program its bytes, or the path of its file; either has the output {@link NO_COPY_OUTPUT}
 * @throws ThoughtbookError when the runtime refuses the program or does not have the execution provider
 */
export async function createSession(
  program: Uint8Array | string,
  inputNames: readonly string[],
  outputNames: readonly string[],
  options: SessionOptions & { workingBytes?: number } = {},
  profilePrefix?: string,
): Promise<ProfiledSession> {
  const runtime = {
    ...runtimeOptions(options),
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  };
  const opening =
    typeof program === "string"
      ? ort.InferenceSession.create(program, runtime)
      : ort.InferenceSession.create(program, runtime);
  const session = await opening.catch((error: unknown) => {
    throw new ThoughtbookError("execution", `ONNX Runtime cannot load the compiled function: ${messageOf(error)}`, {
      hint: `Execution providers of this onnxruntime-node: ${supportedProviders().join(", ")}.`,
      cause: error,
    });
  });
  const tensors = new WeakMap<TensorData, ort.Tensor>();
  const tensorOf = (data: TensorData): ort.Tensor => {
    const known = tensors.get(data);
    if (known) return known;
    const tensor = new ort.Tensor(data.dtype, data.data as Float32Array, data.shape);
    tensors.set(data, tensor);
    return tensor;
  };
  return {
    async run(inputs, outputs) {
      const feeds = Object.fromEntries(inputs.map((input, i) => [inputNames[i]!, tensorOf(input)]));
      const fetches: Record<string, ort.Tensor | null> = { [NO_COPY_OUTPUT]: null };
      for (const [i, output] of outputs.entries()) fetches[outputNames[i]!] = tensorOf(output);
      try {
        await session.run(feeds, fetches);
      } catch (error) {
        if (messageOf(error).startsWith(STOPPED_COPYING)) return;
        throw new ThoughtbookError("execution", `ONNX Runtime failed: ${messageOf(error)}`, { cause: error });
      }
    },
    dispose: () => session.release(),
    endProfiling: () => session.endProfiling(),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
