import { badInput, checkWhole, createRandom, type ThoughtbookError } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import type { ModelParameters } from "../weights/checkpoint.js";
import { fillNormal } from "../weights/initialize.js";
import { parameterShapes } from "../weights/shapes.js";

/** A low-rank addition to some linear layers of a model (Hu et al. 2021, LoRA): W + scale · B · A. */
export interface Adapter {
  rank: number;
  /** The addition is alpha / rank times B · A. */
  alpha: number;
  /** Factor on B · A. */
  scale: number;
  /** Names of the layers, or patterns, as given. */
  targets: readonly string[];
  /** `<layer>.lora_A.weight` `[rank, in]` and `<layer>.lora_B.weight` `[out, rank]` for each of the layers. */
  parameters: ModelParameters;
}

export interface AdapterOptions {
  rank: number;
  /** Default: twice the rank. */
  alpha?: number;
  /**
   * Layers to adapt: the end of a name (`q_proj`, `self_attn.q_proj`, a whole name), with `*` for any characters
   * (`layers.1.*`), or `all-linear` for all except the output layer. Default: `all-linear`.
   */
  targets?: readonly string[];
  /**
   * Initialisation of A; B is 0. `kaiming` is uniform on ±1/√in, as in PEFT, `gaussian` normal with 1/rank. Default:
   * `kaiming`.
   */
  initialization?: "kaiming" | "gaussian";
  seed: number | string;
}

const ALL_LINEAR = "all-linear";

/** The names of an adapter's two weights. */
export const adapterNames = (layer: string): [a: string, b: string] => [
  `${layer}.lora_A.weight`,
  `${layer}.lora_B.weight`,
];

/**
 * Create an adapter that changes nothing yet.
 *
 * @throws bad-input if the rank is no whole number above 0, alpha is not above 0, or a target fits no linear layer
 */
export function initializeAdapter(
  config: ModelConfig,
  { rank, alpha = 2 * rank, targets = [ALL_LINEAR], initialization = "kaiming", seed }: AdapterOptions,
): Adapter {
  checkWhole("the rank of the adapter", rank, 1);
  if (!(alpha > 0 && alpha < Number.POSITIVE_INFINITY)) {
    throw badInput(`alpha of the adapter is ${alpha}, expected a finite number above 0`, "Twice the rank is usual.");
  }
  const random = createRandom(seed);
  const parameters: ModelParameters = {};
  for (const layer of adaptedLayers(config, targets)) {
    const { input, output } = linearShape(config, layer);
    const [a, b] = adapterNames(layer);
    const data = new Float32Array(rank * input);
    const draws = random.stream(a);
    if (initialization === "gaussian") fillNormal(data, 1 / rank, draws);
    else for (let i = 0; i < data.length; i++) data[i] = (2 * draws.uniform() - 1) / Math.sqrt(input);
    parameters[a] = { shape: [rank, input], dtype: "float32", data };
    parameters[b] = { shape: [output, rank], dtype: "float32", data: new Float32Array(output * rank) };
  }
  return { rank, alpha, scale: alpha / rank, targets, parameters };
}

/** Linear layers of a model except the output layer, in the order of its weights. */
export function linearLayers(config: ModelConfig): string[] {
  // Embeddings stand outside of the layers, and the gains of norms are vectors.
  return Object.entries(parameterShapes(config))
    .filter(([name, shape]) => shape.length === 2 && /\.(layers|h)\.\d+\./.test(name))
    .map(([name]) => name.slice(0, -".weight".length));
}

/** Sizes of a linear layer. GPT-2 stores `[in, out]`, the others `[out, in]`. */
export function linearShape(config: ModelConfig, layer: string): { input: number; output: number } {
  const [first, second] = parameterShapes(config)[`${layer}.weight`] as [number, number];
  return config.family === "gpt2" ? { input: first, output: second } : { input: second, output: first };
}

/**
 * Layers that match the targets, in the order of the model's weights.
 *
 * @throws bad-input if there are no targets, or one of them fits no linear layer
 */
export function adaptedLayers(config: ModelConfig, targets: readonly string[]): string[] {
  const layers = linearLayers(config);
  const chosen = new Set<string>();
  for (const target of targets) {
    const pattern = target.split("*").map(escapeLiteral).join(".*");
    const fits = target === ALL_LINEAR ? /^/ : new RegExp(`(^|\\.)${pattern}$`);
    const found = layers.filter((layer) => fits.test(layer));
    if (found.length === 0) throw unknownTarget(target, layers);
    for (const layer of found) chosen.add(layer);
  }
  if (chosen.size === 0) {
    throw badInput("the adapter has no targets", `Give ${ALL_LINEAR}, for all layers.`);
  }
  return layers.filter((layer) => chosen.has(layer));
}

const escapeLiteral = (text: string): string => text.replace(/[\\^$.+?()[\]{}|/-]/g, "\\$&");

function unknownTarget(target: string, layers: readonly string[]): ThoughtbookError {
  const names = [...new Set(layers.map((layer) => layer.split(".").at(-1)))].join(", ");
  const message = `the adapter's target ${JSON.stringify(target)} fits no linear layer`;
  return badInput(message, `Linear layers of this model: ${names}; or ${ALL_LINEAR}.`);
}

/**
 * Merge an adapter into a model's weights; weights that it does not change are returned as they are.
 *
 * @throws bad-input if the adapter does not fit the weights
 */
export function mergeAdapter(config: ModelConfig, parameters: ModelParameters, adapter: Adapter): ModelParameters {
  const merged = { ...parameters };
  for (const layer of layersOf(Object.keys(adapter.parameters))) {
    const weight = parameters[`${layer}.weight`];
    const [a, b] = adapterNames(layer).map((name) => adapter.parameters[name]);
    if (!weight || !a || !b) {
      throw badInput(
        `the adapter is for a layer ${layer}, which is not there as a whole`,
        "Merge it into the model that it was trained on.",
      );
    }
    merged[`${layer}.weight`] = {
      ...weight,
      data: sumWithProduct(weight.data, b.data, a.data, {
        ...linearShape(config, layer),
        rank: adapter.rank,
        scale: adapter.scale,
        transposed: config.family === "gpt2",
      }),
    };
  }
  return merged;
}

/** Layers that have adapter weights under these names. */
export const layersOf = (names: readonly string[]): string[] =>
  names.flatMap((name) => (name.endsWith(A_ENDING) ? [name.slice(0, -A_ENDING.length)] : []));

const A_ENDING = ".lora_A.weight";

interface ProductOptions {
  output: number;
  input: number;
  rank: number;
  scale: number;
  /** Whether the weight is `[input, output]`. */
  transposed: boolean;
}

/** W + scale · B · A, each sum in float64. */
function sumWithProduct(
  weight: Float32Array,
  b: Float32Array,
  a: Float32Array,
  { output, input, rank, scale, transposed }: ProductOptions,
): Float32Array {
  const result = new Float32Array(weight);
  const row = new Float64Array(input);
  for (let o = 0; o < output; o++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = b[o * rank + r]! * scale;
      const from = r * input;
      for (let i = 0; i < input; i++) row[i] = row[i]! + factor * a[from + i]!;
    }
    for (let i = 0; i < input; i++) {
      const place = transposed ? i * output + o : o * input + i;
      result[place] = result[place]! + row[i]!;
    }
  }
  return result;
}
