import tf = require("@tensorflow/tfjs");

import { badInput, ThoughtbookError } from "../core/index.js";
import { cleanGraph } from "./clean/clean.js";
import type { Node, Value } from "./graph.js";
import { encodeOnnx } from "./onnx.js";
import { type ProfileRow, profileProgram } from "./profile.js";
import { programBytes, workingBytes } from "./program-bytes.js";
import { beginUse, endUse, forget, type KeptProgram, keepProgram, makeRoom, memoryLimit } from "./program-memory.js";
import { createSession, type Session, type SessionOptions } from "./session.js";
import { type DType, emptyTensor, isSpec, isTensorData, type TensorData, type TensorSpec } from "./tensor-data.js";
import { trace } from "./tracing.js";
import { leavesOf, type MapTree, rebuildTree, type Tree } from "./tree.js";

export interface CompileOptions extends SessionOptions {
  /** Whether it is a step of training, for which programs have a bound of memory of their own. Default: false. */
  trains?: boolean;
  /**
   * Keys of the signature whose tensors are donated to a call, such as `["params", "moments"]`: the next call writes
   * its results into their memory, so that training runs in two sets of buffers that take turns. Only tensors that came
   * out of a compiled function are reused; yours are never written to.
   */
  donate?: readonly string[];
  /**
   * Pool of donated memory. Functions that pass tensors on to one another share one, as one may need the memory that
   * the other was given. Default: one of its own.
   */
  storage?: StoragePool;
  /**
   * Keys, the same in signature and result, whose results overwrite the inputs: the caches of {@link cachedAttention},
   * which only grow. Nothing else may be named here.
   */
  inPlace?: readonly string[];
}

/** Memory to be used again, by dtype and shape; see {@link CompileOptions.storage}. */
export type StoragePool = Map<string, TensorData[]>;

/** The arguments of a compiled function: the signature with values. */
export type Inputs<S> = MapTree<S, TensorSpec, TensorData>;
/** What the traced function sees: the signature with TensorFlow.js tensors. */
export type Traced<S> = MapTree<S, TensorSpec, tf.Tensor>;
/**
 * The function to compile. (Declared as a method so that its parameter may be annotated with ranks, such as
 * `tf.Tensor2D`, which the signature's type does not tell.)
 */
export type Traceable<S, R> = { call(inputs: Traced<S>): R }["call"];
/** Result of a call: the returned tree with values. */
export type Outputs<R> = MapTree<R, tf.Tensor, TensorData>;

export interface Compiled<S, R> {
  (inputs: Inputs<S>): Promise<Outputs<R>>;
  /**
   * Time by operator over some calls with these inputs, most expensive first. It runs a second session, as profiling
   * slows each node; nothing is donated.
   */
  profile(inputs: Inputs<S>, options?: { runs?: number }): Promise<ProfileRow[]>;
  /** Compile for the shapes of these inputs now instead of in the first call; milliseconds it took. */
  prepare(inputs: Inputs<S>): Promise<number>;
  /** Free all sessions. */
  dispose(): Promise<void>;
}

/** What tracing gives. */
interface TracedProgram {
  /** The ONNX file; not kept, as it may hold weights. */
  model: Uint8Array;
  inputNames: string[];
  outputNames: string[];
  outputSpecs: { shape: readonly number[]; dtype: DType }[];
  /** For each output, the input whose memory it is written to, or -1. */
  overwrites: number[];
  /** The shape of the result; leaves are numbers of outputs. */
  resultTree: Tree<number>;
  /** Estimated memory besides inputs and outputs, and what of it is for intermediate results. */
  bytes: number;
  workingBytes: number;
}

interface Program extends Omit<TracedProgram, "model"> {
  session: Session;
}

/** A program for some shapes, from the moment that it is traced. */
interface Entry extends KeptProgram {
  program: Promise<Program>;
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;

/** Tensors made by compiled functions: only their memory may be used again. */
const ownTensors = new WeakSet<TensorData>();
const givenUp = new WeakSet<TensorData>();

/**
 * Compile a TensorFlow.js function for ONNX Runtime: `tf.function` for TensorFlow.js.
 *
 * The function is run once for each combination of input shapes, on tensors without values, and everything it computes
 * with TensorFlow.js, gradients included, becomes one ONNX program. What it does besides that (random numbers, counters,
 * printing) happens at that time only: pass everything that changes as an input.
 *
 * @param fn gets the signature's tree with tensors for leaves and returns a tree of tensors; synchronous
 * @param signature shape and dtype of each input; a size `null` may change from call to call, and each new combination
 *   compiles once
 * @throws ThoughtbookError (from a call) when an input is missing, unknown, or of the wrong shape or dtype, and for
 *   everything that cannot be compiled
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { compile, spec, tensorData } from "thoughtbook/tensor";
 *
 * const step = compile(
 *   ({ weights, x }) => ({ y: tf.matMul(x, weights.w).add(weights.b) }),
 *   { weights: { w: spec([2, 1]), b: spec([1]) }, x: spec([null, 2]) },
 * );
 * const weights = { w: tensorData([3, 4], [2, 1]), b: tensorData([5]) };
 * const { y } = await step({ weights, x: tensorData([1, 2], [1, 2]) });
 * console.log([...y.data]); // [ 16 ]
 * ```
 */
export function compile<S, R>(fn: Traceable<S, R>, signature: S, options: CompileOptions = {}): Compiled<S, R> {
  const specs = leavesOf<TensorSpec>(signature, isSpec);
  const donated = specs.map(({ path }) =>
    (options.donate ?? []).some((key) => path === key || path.startsWith(`${key}.`)),
  );
  for (const key of options.donate ?? []) {
    if (!specs.some(({ path }) => path === key || path.startsWith(`${key}.`))) {
      throw badInput(
        `donate names "${key}", which is no key of the signature`,
        `Inputs: ${specs
          .map(({ path }) => path)
          .slice(0, 20)
          .join(", ")}.`,
      );
    }
  }
  const memory = memoryLimit(options);
  const programs = new Map<string, Entry>();
  const spare: StoragePool = options.storage ?? new Map();

  const readInputs = (inputs: Inputs<S>): TensorData[] => {
    const leaves = leavesOf<TensorData>(inputs, isTensorData);
    const given = new Map(leaves.map(({ path, value }) => [path, value]));
    const known = new Set(specs.map(({ path }) => path));
    for (const { path } of leaves) {
      if (!known.has(path)) {
        throw badInput(
          `the compiled function has no input ${path}`,
          `Its inputs: ${[...known].slice(0, 20).join(", ")}.`,
        );
      }
    }
    return specs.map(({ path, value }) => checkInput(path, value, given.get(path)));
  };

  const traceFor = (inputs: readonly TensorData[]) =>
    traceFunction(fn as (inputs: unknown) => R, signature, inputs, options);
  const build = async ({ model, ...program }: TracedProgram): Promise<Program> => {
    await makeRoom(memory);
    const { inputNames, outputNames, workingBytes } = program;
    return { ...program, session: await createSession(model, inputNames, outputNames, { ...options, workingBytes }) };
  };

  /** Begin to use the program for some shapes, compiled if need be. */
  const useProgram = (inputs: readonly TensorData[]): Entry => {
    const key = inputs.map(({ shape }) => shape.join("x")).join();
    const known = programs.get(key);
    if (known) {
      beginUse(known);
      return known;
    }
    const traced = traceFor(inputs);
    const letGo = async () => {
      programs.delete(key);
      await (await entry.program).session.dispose();
    };
    const entry: Entry = {
      bytes: traced.bytes,
      trains: options.trains ?? false,
      users: 0,
      lastUse: 0,
      letGo,
      program: undefined as never,
    };
    // Counted and in use before room is made for it.
    keepProgram(entry);
    beginUse(entry);
    programs.set(key, entry);
    entry.program = build(traced);
    entry.program.catch(() => {
      forget(entry);
      if (programs.get(key) === entry) programs.delete(key);
    });
    return entry;
  };

  const takeStorage = (shape: readonly number[], dtype: DType): TensorData => {
    const reused = spare.get(`${dtype}[${shape.join()}]`)?.pop();
    // A new object for old memory: the object that was given up stays marked as such.
    const tensor = reused ? { shape, dtype, data: reused.data } : emptyTensor(shape, dtype);
    ownTensors.add(tensor);
    return tensor;
  };

  const call = async (inputs: Inputs<S>): Promise<Outputs<R>> => {
    const values = readInputs(inputs);
    const entry = useProgram(values);
    let program: Program;
    let outputs: TensorData[];
    try {
      program = await entry.program;
      outputs = program.outputSpecs.map(({ shape, dtype }, i) => {
        const overwritten = values[program.overwrites[i]!];
        return overwritten ?? takeStorage(shape, dtype);
      });
      await program.session.run(values, outputs);
    } finally {
      await endUse(entry, memory);
    }
    for (const [i, value] of values.entries()) {
      if (!donated[i] || !ownTensors.has(value) || givenUp.has(value)) continue;
      givenUp.add(value);
      const key = `${value.dtype}[${value.shape.join()}]`;
      spare.set(key, [...(spare.get(key) ?? []), value]);
    }
    return rebuildTree<number, TensorData>(program.resultTree, isNumber, outputs) as unknown as Outputs<R>;
  };

  return Object.assign(call, {
    async profile(inputs: Inputs<S>, { runs = 10 }: { runs?: number } = {}): Promise<ProfileRow[]> {
      const values = readInputs(inputs);
      const { model, inputNames, outputNames, outputSpecs } = traceFor(values);
      const outputs = outputSpecs.map(({ shape, dtype }) => emptyTensor(shape, dtype));
      return profileProgram(model, inputNames, outputNames, options, { inputs: values, outputs, runs });
    },
    async prepare(inputs: Inputs<S>): Promise<number> {
      const start = performance.now();
      const entry = useProgram(readInputs(inputs));
      try {
        await entry.program;
      } finally {
        await endUse(entry, memory);
      }
      return performance.now() - start;
    },
    async dispose(): Promise<void> {
      const entries = [...programs.values()];
      programs.clear();
      spare.clear();
      for (const entry of entries) forget(entry);
      for (const built of await Promise.allSettled(entries.map(({ program }) => program))) {
        if (built.status === "fulfilled") await built.value.session.dispose();
      }
    },
  });
}

function traceFunction<R>(
  fn: (inputs: unknown) => R,
  signature: unknown,
  inputs: readonly TensorData[],
  options: CompileOptions,
): TracedProgram {
  const paths = leavesOf<TensorSpec>(signature, isSpec).map(({ path }) => path);
  const { inPlace = [] } = options;
  let resultTree: Tree<number> = [];
  let overwrites: number[] = [];
  const traced = trace(inputs, (tensors) => {
    const result = fn(rebuildTree(signature, isSpec, tensors));
    if (result instanceof Promise) {
      throw badInput(
        "the function to compile is asynchronous",
        "Make it synchronous: it only describes the computation and has no values to wait for.",
      );
    }
    const leaves = leavesOf<tf.Tensor>(result, isTensor);
    overwrites = leaves.map(({ path }) => (inPlace.some((key) => isUnder(path, key)) ? paths.indexOf(path) : -1));
    resultTree = rebuildTree(
      result,
      isTensor,
      leaves.map((_, i) => i),
    ) as Tree<number>;
    return leaves.map(({ value }) => value);
  });
  const { nodes, outputs } = cleanGraph(traced.graph, traced.outputs);
  for (const [i, input] of overwrites.entries())
    if (input >= 0) checkAppends(nodes, outputs[i]!, traced.inputs[input]!, paths[input]!);
  const inputNames = traced.inputs.map((_, i) => `in${i}`);
  const outputNames = outputs.map((_, i) => `out${i}`);
  const model = encodeOnnx({
    inputs: traced.inputs.map((value, i) => ({ name: inputNames[i]!, value })),
    nodes,
    outputs: outputs.map((value, i) => ({ name: outputNames[i]!, value })),
  });
  return {
    model,
    bytes: programBytes(nodes, outputs),
    workingBytes: workingBytes(nodes, outputs),
    inputNames,
    outputNames,
    outputSpecs: outputs.map(({ shape, dtype }) => ({ shape, dtype: dtype as DType })),
    overwrites,
    resultTree,
  };
}

/** A runtime may write an output before it has read an input for the last time; only appending to a cache is safe. */
function checkAppends(nodes: readonly Node[], output: Value, input: Value, path: string): void {
  const producer = nodes.find((node) => node.outputs.includes(output));
  const appends =
    producer?.op === "GroupQueryAttention"
      ? producer.inputs[producer.outputs.indexOf(output) + 2] === input
      : producer?.op === "ScatterND" && producer.inputs[0] === input;
  const readers = nodes.filter((node) => node.inputs.includes(input));
  if (appends && readers.length === 1) return;
  throw badInput(
    `${path} is to be written in place, but is not a cache that cachedAttention appends to`,
    "Name it in `donate` instead of `inPlace`.",
  );
}

function isUnder(path: string, key: string): boolean {
  return path === key || path.startsWith(`${key}.`);
}

function checkInput(path: string, expected: TensorSpec, given: TensorData | undefined): TensorData {
  const wanted = `${expected.dtype} [${expected.shape.map((size) => size ?? "any").join(", ")}]`;
  if (given === undefined) {
    throw new ThoughtbookError("bad-input", `input ${path} is missing, expected ${wanted}`);
  }
  const fits =
    given.dtype === expected.dtype &&
    given.shape.length === expected.shape.length &&
    expected.shape.every((size, i) => size === null || size === given.shape[i]);
  if (!fits) {
    throw new ThoughtbookError(
      "bad-input",
      `input ${path} is ${given.dtype} [${given.shape.join(", ")}], expected ${wanted}`,
    );
  }
  if (givenUp.has(given)) {
    throw badInput(
      `input ${path} was given up in an earlier call and has been overwritten since`,
      "Pass the tensors which that call returned, or do not name the input in `donate`.",
    );
  }
  return given;
}
