import type * as tfjs from "@tensorflow/tfjs";

export interface RotaryTable {
  cos: tfjs.Tensor;
  sin: tfjs.Tensor;
}

/** What the models are made of beside matrix products; shapes as in `thoughtbook/tensor`. */
export interface Operations {
  embedding(table: tfjs.Tensor, ids: tfjs.Tensor): tfjs.Tensor;
  rmsNorm(x: tfjs.Tensor, gain: tfjs.Tensor): tfjs.Tensor;
  /** For the positions 0, 1, … of a whole sequence. */
  rotary(x: tfjs.Tensor, table: RotaryTable): tfjs.Tensor;
  causalAttention(q: tfjs.Tensor, k: tfjs.Tensor, v: tfjs.Tensor): tfjs.Tensor;
  squaredRelu(x: tfjs.Tensor): tfjs.Tensor;
  swiGlu(gate: tfjs.Tensor, up: tfjs.Tensor): tfjs.Tensor;
  softmaxCrossEntropy(logits: tfjs.Tensor, targets: tfjs.Tensor): tfjs.Tensor;
}

const EPSILON = 1e-5;
const HIDDEN = -1e9;

/**
 * The operations in TensorFlow.js alone, as one writes them for a backend without fused ones. Rows are picked by one-hot
 * products because the wasm backend has no scattered sums, which the gradient of a gather needs.
 *
 * @param tf the instance of TensorFlow.js that computes: the prototype and tfjs-node bring their own
 */
export function plainOperations(tf: typeof tfjs): Operations {
  const masks = new Map<number, tfjs.Tensor>();
  const maskOf = (time: number): tfjs.Tensor => {
    const known = masks.get(time);
    if (known) return known;
    const values = Float32Array.from({ length: time * time }, (_, i) => (i % time > Math.floor(i / time) ? HIDDEN : 0));
    const mask = tf.keep(tf.tensor2d(values, [time, time]));
    masks.set(time, mask);
    return mask;
  };
  return {
    embedding(table, ids) {
      const [vocabulary, width] = table.shape as [number, number];
      const chosen = tf.oneHot(ids.flatten().toInt(), vocabulary).toFloat();
      return tf.matMul(chosen, table).reshape([...ids.shape, width]);
    },
    rmsNorm: (x, gain) => x.mul(tf.rsqrt(x.square().mean(-1, true).add(EPSILON))).mul(gain),
    rotary(x, { cos, sin }) {
      const [first, second] = tf.split(x, 2, -1) as [tfjs.Tensor, tfjs.Tensor];
      return tf.concat([first.mul(cos).sub(second.mul(sin)), second.mul(cos).add(first.mul(sin))], -1);
    },
    causalAttention(q, k, v) {
      const [batch, heads, time, width] = q.shape as [number, number, number, number];
      const keyHeads = k.shape[1]!;
      const grouped = keyHeads === heads ? q : q.reshape([batch, keyHeads, (heads / keyHeads) * time, width]);
      const scores = tf.matMul(grouped, k, false, true).mul(1 / Math.sqrt(width));
      const weights = tf.softmax(scores.reshape([batch, heads, time, time]).add(maskOf(time)));
      return tf.matMul(weights.reshape(scores.shape), v).reshape(q.shape);
    },
    squaredRelu: (x) => tf.relu(x).square(),
    swiGlu: (gate, up) => gate.mul(tf.sigmoid(gate)).mul(up),
    softmaxCrossEntropy(logits, targets) {
      const chosen = tf.oneHot(targets.toInt(), logits.shape.at(-1)!).toFloat();
      return tf.logSoftmax(logits).mul(chosen).sum(-1).neg();
    },
  };
}
