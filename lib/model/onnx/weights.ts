import type { ModelConfig } from "../config/config.js";
import { type ParameterShapes, parameterShapes } from "../weights/shapes.js";
import { addOperator, addTensors, bytesOf, type ExportGraph, int64Constant, joinBytes } from "./graph.js";
import type { QuantizedBits } from "./quantize-blocks.js";
import { addQuantized, canLookUp, type QuantizedWeight, quantizedLookup, quantizedMatMul } from "./quantized.js";

/** A model that is being built as a graph, and where its weights come from. */
export interface ExportBuild {
  graph: ExportGraph;
  config: ModelConfig;
  shapes: ParameterShapes;
  /** Read a weight, by its name in `parameterShapes`. */
  read(name: string): Promise<Float32Array>;
  /** Add a weight of the linear layers in the blocks that it already has; undefined for one without. Default: none has. */
  blocks?: ((weight: string) => QuantizedWeight | undefined) | undefined;
  /** Likewise the rows of several weights as one; undefined where they must stay apart. Default: they do. */
  joined?: ((weights: readonly string[]) => QuantizedWeight | undefined) | undefined;
  /** Bits of a number in the linear layers; undefined for float32. */
  bits: QuantizedBits | undefined;
}

const HEAD = "lm_head.weight";
/**
 * Embeddings and output layer of a quantized model. With 4 bits there too, the perplexity of stories260k rose from 4.07 to
 * 4.57, with 8 to 4.44.
 */
const VOCABULARY_BITS = 8;

export function createBuild(parts: Omit<ExportBuild, "shapes">): ExportBuild {
  return { ...parts, shapes: parameterShapes(parts.config) };
}

/** Add a weight as it is, in float32. */
export function addWeight({ graph, shapes, read }: ExportBuild, name: string): string {
  return addTensors(graph, [{ name, shape: shapes[name]!, dtype: "float32" }], async () => [
    bytesOf(await read(name)),
  ])[0]!;
}

/**
 * Append a linear layer, `x · weight + bias`, without the bias where the model has none.
 *
 * @param name the layer's, without `.weight`
 * @param x `[batch, time, in]`
 */
export function addLinear(build: ExportBuild, name: string, x: string): string {
  const { graph, config, shapes, bits } = build;
  const weight = `${name}.weight`;
  const bias = shapes[`${name}.bias`] === undefined ? "" : addWeight(build, `${name}.bias`);
  const blocks = build.blocks?.(weight);
  if (blocks !== undefined) return quantizedMatMul(graph, x, blocks, bias);
  // Hugging Face stores [out, in], but GPT-2 its layers, not the head, as [in, out].
  const inFirst = config.family === "gpt2" && weight !== HEAD;
  const [rows, columns] = shapes[weight] as [number, number];
  const [out, input] = inFirst ? [columns, rows] : [rows, columns];
  const read = async (wantsInFirst: boolean) => {
    const data = await build.read(weight);
    return wantsInFirst === inFirst ? data : transpose(data, rows, columns);
  };
  if (bits !== undefined) {
    const sizes = { out, input, bits: weight === HEAD ? VOCABULARY_BITS : bits };
    return quantizedMatMul(
      graph,
      x,
      addQuantized(graph, weight, sizes, () => read(false)),
      bias,
    );
  }
  addTensors(graph, [{ name: weight, shape: [input, out], dtype: "float32" }], async () => [bytesOf(await read(true))]);
  const product = addOperator(graph, "MatMul", [x, weight]);
  return bias === "" ? product : addOperator(graph, "Add", [product, bias]);
}

/**
 * Append several linear layers of one input as one product, their results side by side on the last axis; undefined where
 * they must stay apart.
 */
export function addJoinedLinear(build: ExportBuild, names: readonly string[], x: string): string | undefined {
  const { graph, shapes } = build;
  const blocks = build.joined?.(names.map((name) => `${name}.weight`));
  if (blocks === undefined) return undefined;
  const biases = names.map((name) => `${name}.bias`);
  if (shapes[biases[0]!] === undefined) return quantizedMatMul(graph, x, blocks, "");
  const [bias] = addTensors(
    graph,
    [{ name: `${names[0]}.biases`, shape: [blocks.out], dtype: "float32" }],
    async () => {
      const parts: Uint8Array[] = [];
      for (const each of biases) parts.push(bytesOf(await build.read(each)));
      return [joinBytes(parts)];
    },
  );
  return quantizedMatMul(graph, x, blocks, bias!);
}

/** The embeddings of tokens, and the output layer, which may be the same weight. */
export interface Vocabulary {
  /** `[batch, time, hidden]` */
  embedded: string;
  /** Append the logits `[batch, time, vocab]` of hidden states `[batch, time, hidden]`. */
  addLogits(hidden: string): string;
}

/** Append the embeddings of `input_ids`. */
export function addVocabulary(build: ExportBuild): Vocabulary {
  const { graph, bits } = build;
  const { hiddenSize: input, vocabularySize: out, tiedEmbeddings } = build.config;
  const name = embeddingsName(build.config);
  const read = () => build.read(name);
  const isQuantized = bits !== undefined && (tiedEmbeddings || canLookUp(input));
  const quantized = isQuantized ? addQuantized(graph, name, { out, input, bits: VOCABULARY_BITS }, read) : undefined;

  const embedded =
    quantized !== undefined && canLookUp(input)
      ? quantizedLookup(graph, quantized, "input_ids")
      : addOperator(graph, "Gather", [addWeight(build, name), "input_ids"]);
  return {
    embedded,
    addLogits(hidden) {
      if (!tiedEmbeddings) return addLinear(build, "lm_head", hidden);
      if (quantized !== undefined) return quantizedMatMul(graph, hidden, quantized, "");
      return addTiedLogits(graph, hidden, name, input, out);
    },
  };
}

export const embeddingsName = ({ family }: ModelConfig): string =>
  family === "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight";

/** The product with the transposed embeddings: Gemm reads them as they are, where MatMul would want a second copy. */
function addTiedLogits(graph: ExportGraph, hidden: string, embeddings: string, input: number, out: number): string {
  const rows = addOperator(graph, "Reshape", [hidden, int64Constant(graph, [-1, input])]);
  const logits = addOperator(graph, "Gemm", [rows, embeddings], { attributes: { transB: 1 } });
  const sizes = addOperator(graph, "Shape", [hidden], { attributes: { start: 0, end: 2 } });
  const shape = addOperator(graph, "Concat", [sizes, int64Constant(graph, [out])], { attributes: { axis: 0 } });
  return addOperator(graph, "Reshape", [logits, shape]);
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column]!;
  }
  return turned;
}
