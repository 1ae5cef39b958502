import type { Node, Value } from "./graph.js";
import { sizeOf } from "./tensor-data.js";

/** What ONNX Runtime keeps for a node: measured as 5 to 9 KB, allocation plan included. */
const NODE_BYTES = 8192;

/** ONNX Runtime's arena grows by doubling: measured, it ends up with up to three times what is used at the same time. */
const ARENA_FACTOR = 2.5;

const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1, int8: 1, int64: 8 } as const;

/** Operators whose result is their first input's memory in another shape. */
const VIEWS = new Set(["Reshape", "Squeeze", "Unsqueeze", "Identity", "Flatten"]);

const bytesOf = ({ shape, dtype }: Value): number => sizeOf(shape) * ELEMENT_BYTES[dtype];

/**
 * Estimate the memory that a program takes besides its inputs and outputs: its nodes and constants, and the arena of its
 * intermediate results.
 */
export function programBytes(nodes: readonly Node[], outputs: readonly Value[]): number {
  return NODE_BYTES * nodes.length + constantBytes(nodes) + Math.ceil(ARENA_FACTOR * workingBytes(nodes, outputs));
}

function constantBytes(nodes: readonly Node[]): number {
  const constants = new Set(nodes.flatMap(({ inputs }) => inputs.filter((value) => value?.constant !== undefined)));
  let bytes = 0;
  for (const value of constants) bytes += value!.constant!.byteLength;
  return bytes;
}

/** The most bytes that intermediate results have at the same time, computed in the order of the nodes. */
export function workingBytes(nodes: readonly Node[], outputs: readonly Value[]): number {
  const owner = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => owner.get(value) ?? value;
  const lastUse = new Map<Value, number>();
  for (const [at, node] of nodes.entries()) {
    const [source] = node.inputs;
    for (const output of node.outputs) {
      if (source && VIEWS.has(node.op)) owner.set(output, ownerOf(source));
      lastUse.set(ownerOf(output), at);
    }
    for (const input of node.inputs) if (input) lastUse.set(ownerOf(input), at);
  }
  const outside = new Set(outputs.map(ownerOf));
  const endingAt = new Map<number, Value[]>();
  for (const [value, at] of lastUse) endingAt.set(at, [...(endingAt.get(at) ?? []), value]);
  const live = new Set<Value>();
  let [bytes, most] = [0, 0];
  for (const [at, node] of nodes.entries()) {
    for (const output of node.outputs.map(ownerOf)) {
      if (outside.has(output) || live.has(output) || owner.has(output) || VIEWS.has(node.op)) continue;
      live.add(output);
      bytes += bytesOf(output);
    }
    most = Math.max(most, bytes + scratchBytes(node));
    for (const value of endingAt.get(at) ?? []) if (live.delete(value)) bytes -= bytesOf(value);
  }
  return most;
}

/** Memory of an operator while it runs. */
function scratchBytes({ op, inputs, attributes }: Node): number {
  if (op !== "GroupQueryAttention") return 0;
  // Scores of the new tokens with all places of the cache.
  const [rows, time] = inputs[0]!.shape as [number, number];
  const capacity = inputs[3]?.shape[2] ?? time;
  return 4 * rows * (attributes.num_heads as number) * time * capacity;
}
