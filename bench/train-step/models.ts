import type * as tfjs from "@tensorflow/tfjs";
import type { Operations, RotaryTable } from "./operations.js";

interface Sizes {
  vocabulary: number;
  width: number;
  layers: number;
  heads: number;
  /** Width of the feed-forward layer. */
  hidden: number;
  /** Tokens in a sequence, and sequences in a batch. */
  time: number;
  batch: number;
}

/** Learned positions, squared ReLU, no biases, no norm before the head, which is the embedding. */
export interface GptConfig extends Sizes {
  family: "gpt";
}

/** Rotary positions, shared key heads, SwiGLU, no biases, a norm before the head, which is the embedding. */
export interface LlamaConfig extends Sizes {
  family: "llama";
  keyHeads: number;
  rotaryBase: number;
}

export type ModelConfig = GptConfig | LlamaConfig;
export type ModelName = "gpt" | "llama";

/** The models of the benchmark: 0.87 M and 10.1 M parameters, 2,048 tokens a step each. */
export const MODELS: Readonly<Record<ModelName, ModelConfig>> = {
  gpt: { family: "gpt", vocabulary: 512, width: 128, layers: 4, heads: 4, hidden: 512, time: 128, batch: 16 },
  llama: {
    family: "llama",
    vocabulary: 4096,
    width: 384,
    layers: 6,
    heads: 6,
    keyHeads: 2,
    hidden: 896,
    time: 256,
    batch: 8,
    rotaryBase: 10_000,
  },
};

export type Shapes = Readonly<Record<string, readonly number[]>>;
export type Parameters = Readonly<Record<string, tfjs.Tensor>>;
type TensorFlow = typeof tfjs;

/** Names and shapes of a model's parameters, in the order in which every peer takes them. */
export function parameterShapes(config: ModelConfig): Shapes {
  const { vocabulary, width, hidden, time } = config;
  const layers = Array.from({ length: config.layers }, (_, layer): Shapes => {
    const named = (shapes: Shapes): Shapes =>
      Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`${name}${layer}`, shape]));
    const norms: Shapes = { norm1_: [width], norm2_: [width] };
    if (config.family === "gpt") {
      const square = [width, width];
      return named({
        q: square,
        k: square,
        v: square,
        o: square,
        up: [width, hidden],
        down: [hidden, width],
        ...norms,
      });
    }
    const keyWidth = (width / config.heads) * config.keyHeads;
    return named({
      q: [width, width],
      k: [width, keyWidth],
      v: [width, keyWidth],
      o: [width, width],
      gate: [width, hidden],
      up: [width, hidden],
      down: [hidden, width],
      ...norms,
    });
  });
  return Object.assign(
    { embedding: [vocabulary, width] },
    config.family === "gpt" ? { positions: [time, width] } : { norm: [width] },
    ...layers,
  ) as Shapes;
}

export function countParameters(config: ModelConfig): number {
  const sizes = Object.values(parameterShapes(config)).map((shape) => shape.reduce((a, b) => a * b, 1));
  return sizes.reduce((a, b) => a + b, 0);
}

/** Cosines and sines of the rotation angles, `[time, headWidth / 2]` each (Su et al. 2021, eq. 15). */
export function rotaryTable(tf: TensorFlow, { width, heads, time, rotaryBase }: LlamaConfig): RotaryTable {
  const half = width / heads / 2;
  const angles = Float32Array.from(
    { length: time * half },
    (_, i) => Math.floor(i / half) * rotaryBase ** (-(i % half) / half),
  );
  return {
    cos: tf.tensor2d(angles.map(Math.cos), [time, half]),
    sin: tf.tensor2d(angles.map(Math.sin), [time, half]),
  };
}

/**
 * Mean cross-entropy of a batch, in nats.
 *
 * @param ids `[batch, time]` int32
 * @param targets `[batch · time]` int32
 * @returns a scalar
 */
export function modelLoss(
  tf: TensorFlow,
  operations: Operations,
  config: ModelConfig,
  parameters: Parameters,
  ids: tfjs.Tensor,
  targets: tfjs.Tensor,
): tfjs.Tensor {
  return config.family === "gpt"
    ? gptLoss(tf, operations, config, parameters, ids, targets)
    : llamaLoss(tf, operations, config, parameters, ids, targets);
}

export function gptLoss(
  tf: TensorFlow,
  { embedding, rmsNorm, causalAttention, squaredRelu, softmaxCrossEntropy }: Operations,
  { batch, time, width, heads, layers }: GptConfig,
  parameters: Parameters,
  ids: tfjs.Tensor,
  targets: tfjs.Tensor,
): tfjs.Tensor {
  const p = (name: string) => parameters[name]!;
  let x: tfjs.Tensor = embedding(p("embedding"), ids)
    .add(p("positions"))
    .reshape([batch * time, width]);
  for (let layer = 0; layer < layers; layer++) {
    const normed = rmsNorm(x, p(`norm1_${layer}`));
    const [q, k, v] = ["q", "k", "v"].map((name) =>
      tf
        .matMul(normed, p(`${name}${layer}`))
        .reshape([batch, time, heads, width / heads])
        .transpose([0, 2, 1, 3]),
    );
    const attended = causalAttention(q!, k!, v!)
      .transpose([0, 2, 1, 3])
      .reshape([batch * time, width]);
    x = x.add(tf.matMul(attended, p(`o${layer}`)));
    const up = tf.matMul(rmsNorm(x, p(`norm2_${layer}`)), p(`up${layer}`));
    x = x.add(tf.matMul(squaredRelu(up), p(`down${layer}`)));
  }
  return softmaxCrossEntropy(tf.matMul(x, p("embedding"), false, true), targets).mean();
}

export function llamaLoss(
  tf: TensorFlow,
  { embedding, rmsNorm, rotary, causalAttention, swiGlu, softmaxCrossEntropy }: Operations,
  config: LlamaConfig,
  parameters: Parameters,
  ids: tfjs.Tensor,
  targets: tfjs.Tensor,
): tfjs.Tensor {
  const { batch, time, width, heads, keyHeads, layers } = config;
  const p = (name: string) => parameters[name]!;
  const table = rotaryTable(tf, config);
  let x: tfjs.Tensor = embedding(p("embedding"), ids).reshape([batch * time, width]);
  for (let layer = 0; layer < layers; layer++) {
    const normed = rmsNorm(x, p(`norm1_${layer}`));
    const project = (name: string, count: number): tfjs.Tensor =>
      tf
        .matMul(normed, p(`${name}${layer}`))
        .reshape([batch, time, count, width / heads])
        .transpose([0, 2, 1, 3]);
    const q = rotary(project("q", heads), table);
    const k = rotary(project("k", keyHeads), table);
    const attended = causalAttention(q, k, project("v", keyHeads));
    const joined = attended.transpose([0, 2, 1, 3]).reshape([batch * time, width]);
    x = x.add(tf.matMul(joined, p(`o${layer}`)));
    const inner = rmsNorm(x, p(`norm2_${layer}`));
    const gated = swiGlu(tf.matMul(inner, p(`gate${layer}`)), tf.matMul(inner, p(`up${layer}`)));
    x = x.add(tf.matMul(gated, p(`down${layer}`)));
  }
  return softmaxCrossEntropy(tf.matMul(rmsNorm(x, p("norm")), p("embedding"), false, true), targets).mean();
}
