import { mkdirSync, writeFileSync } from "node:fs";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "thoughtbook/model";
import { type NamedNode, type OnnxModel, type OnnxTensors, writeOnnxFile } from "thoughtbook/tensor";
import { exportModel } from "../../../lib/dist/model/onnx/export-model.js";

/** TensorProto.DataType of ONNX. */
const [FLOAT, FLOAT16] = [1, 10];

const node = (op: string, inputs: string[], output: string, attributes: NamedNode["attributes"] = {}): NamedNode => ({
  op,
  domain: "",
  inputs,
  outputs: [output],
  attributes,
});

const int64 = (name: string, numbers: readonly number[], shape: readonly number[]): OnnxTensors => ({
  heads: [{ name, shape, dtype: "int64" }],
  read: async () => [new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer)],
});

const rename = (nodes: readonly NamedNode[], names: ReadonlyMap<string, string>): NamedNode[] =>
  nodes.map((each) => ({
    ...each,
    inputs: each.inputs.map((name) => names.get(name) ?? name),
    outputs: each.outputs.map((name) => names.get(name) ?? name),
  }));

/** As older exporters write it: positions are counted from the left, padding included. */
export function withoutPositions(model: OnnxModel): OnnxModel {
  const nodes = [
    node("Shape", ["attention_mask"], "p.total", { start: 1, end: 2 }),
    node("Shape", ["input_ids"], "p.time", { start: 1, end: 2 }),
    node("Shape", ["input_ids"], "p.sizes"),
    node("Sub", ["p.total", "p.time"], "p.past"),
    node("Squeeze", ["p.total"], "p.end"),
    node("Squeeze", ["p.past"], "p.start"),
    node("Range", ["p.start", "p.end", "p.one"], "p.row"),
    node("Expand", ["p.row", "p.sizes"], "position_ids"),
  ];
  return {
    ...model,
    nodes: [...nodes, ...model.nodes],
    tensors: [...model.tensors, int64("p.one", [1], [])],
    inputs: model.inputs.filter(({ name }) => name !== "position_ids"),
  };
}

/** As graphs quantized as they run: one scale, from all rows together, goes into every number. */
export function withCommonScale(model: OnnxModel): OnnxModel {
  const nodes = [
    node("ReduceMax", ["s.logits"], "s.largest", { keepdims: 0 }),
    node("Mul", ["s.logits", "s.largest"], "s.scaled"),
    node("Mul", ["s.scaled", "s.little"], "s.added"),
    node("Add", ["s.logits", "s.added"], "logits"),
  ];
  const little: OnnxTensors = {
    heads: [{ name: "s.little", shape: [], dtype: "float32" }],
    read: async () => [new Uint8Array(Float32Array.of(0.05).buffer)],
  };
  return {
    ...model,
    nodes: [...rename(model.nodes, new Map([["logits", "s.logits"]])), ...nodes],
    tensors: [...model.tensors, little],
  };
}

/** As graphs whose tables have a row a position, and which look up the last one by the columns of the mask. */
export function withinPositions(model: OnnxModel, positions: number): OnnxModel {
  const nodes = [
    node("Shape", ["attention_mask"], "w.total", { start: 1, end: 2 }),
    node("Sub", ["w.total", "w.one"], "w.last"),
    node("Gather", ["w.table", "w.last"], "w.nothing"),
    node("Cast", ["w.nothing"], "w.zero", { to: FLOAT }),
    node("Add", ["w.logits", "w.zero"], "logits"),
  ];
  return {
    ...model,
    nodes: [...rename(model.nodes, new Map([["logits", "w.logits"]])), ...nodes],
    tensors: [
      ...model.tensors,
      int64("w.one", [1], [1]),
      int64("w.table", Array<number>(positions).fill(0), [positions]),
    ],
  };
}

/** As graphs in half precision: logits, keys and values are float16. */
export function inHalfPrecision(model: OnnxModel): OnnxModel {
  const isFloat = ({ dtype }: { dtype: string }) => dtype === "float32";
  const ports = [...model.inputs, ...model.outputs].filter(isFloat).map(({ name }) => name);
  const half = <T extends { dtype: string }>(port: T) =>
    isFloat(port) ? { ...port, dtype: "float16" as const } : port;
  const inputs = model.inputs.filter(isFloat).map(({ name }) => node("Cast", [name], `h.${name}`, { to: FLOAT }));
  const outputs = model.outputs.filter(isFloat).map(({ name }) => node("Cast", [`h.${name}`], name, { to: FLOAT16 }));
  const inner = rename(model.nodes, new Map(ports.map((name) => [name, `h.${name}`])));
  return {
    ...model,
    nodes: [...inputs, ...inner, ...outputs],
    inputs: model.inputs.map(half),
    outputs: model.outputs.map(half),
  };
}

/** Write a checkpoint, changed, as the only graph of a folder, with the small files of the checkpoint. */
export async function writeVariant(
  checkpoint: Checkpoint,
  folder: string,
  change: (model: OnnxModel) => OnnxModel,
  file = "onnx/model.onnx",
): Promise<string> {
  mkdirSync(join(folder, "onnx"), { recursive: true });
  const config = JSON.parse(await readFile(join(checkpoint.folder, "config.json"), "utf8")) as object;
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
    await cp(join(checkpoint.folder, name), join(folder, name)).catch(() => {}); // Not every checkpoint has them.
  }
  await writeOnnxFile(join(folder, file), change(exportModel(checkpoint)));
  return folder;
}
