import * as tf from "@tensorflow/tfjs";
import {
  attentionProbabilities,
  type CachedAttentionOptions,
  cachedAttention,
  causalAttention,
  compile,
  embedding,
  gelu,
  geluTanh,
  layerNorm,
  linearCrossEntropy,
  lowRankLinear,
  rmsNorm,
  rotary,
  silu,
  softmaxCrossEntropy,
  spec,
  squaredRelu,
  swiGlu,
  type TensorData,
  tensorData,
  toTensorData,
  weightedAttention,
} from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import {
  geluReference,
  geluTanhReference,
  siluReference,
  squaredReluReference,
  swiGluReference,
} from "../../lib/dist/tensor/fused/activations.js";
import { causalAttentionReference } from "../../lib/dist/tensor/fused/attention.js";
import { cachedAttentionReference } from "../../lib/dist/tensor/fused/cached-attention.js";
import { softmaxCrossEntropyReference } from "../../lib/dist/tensor/fused/cross-entropy.js";
import { embeddingReference } from "../../lib/dist/tensor/fused/embedding.js";
import { linearCrossEntropyReference } from "../../lib/dist/tensor/fused/linear-cross-entropy.js";
import { lowRankLinearReference } from "../../lib/dist/tensor/fused/low-rank.js";
import { layerNormReference, rmsNormReference } from "../../lib/dist/tensor/fused/norms.js";
import { rotaryReference } from "../../lib/dist/tensor/fused/rotary.js";
import { compareWithCpu, compareWithDifferences, expectClose, type Fn, ids, normal, toTensor } from "./helpers.js";

function rotaryTables(positions: number, width: number): { cos: TensorData<"float32">; sin: TensorData<"float32"> } {
  const angles = Array.from({ length: (positions * width) / 2 }, (_, n) => {
    const [position, i] = [Math.floor(n / (width / 2)), n % (width / 2)];
    return position / 10000 ** ((2 * i) / width);
  });
  return {
    cos: tensorData(Float32Array.from(angles, Math.cos), [positions, width / 2]),
    sin: tensorData(Float32Array.from(angles, Math.sin), [positions, width / 2]),
  };
}

interface Case {
  name: string;
  fn: Fn;
  reference: Fn;
  inputs: TensorData[];
}

const tables = rotaryTables(12, 8);
const withTables =
  (fn: typeof rotary): Fn =>
  (x, positions) =>
    fn(x!, positions!, { cos: toTensor(tables.cos), sin: toTensor(tables.sin) });
const labels = tensorData(Int32Array.of(3, -100, 0, 6, -1, 2), [2, 3]);
const padding = tensorData(Int32Array.of(0, 0, 1, 1, 1, 1, 1, 1, 1, 1), [2, 5]);
/** The second text has 20 places of padding behind its first token: every query sees a key, without which its value means nothing. */
const longPadding = tensorData(
  Int32Array.from({ length: 602 }, (_, n) => Number(n <= 301 || n - 301 > 20)),
  [2, 301],
);
/** Three texts of 100 tokens, the last one cut off; each sees itself only. */
const ownTexts = tensorData(
  Int32Array.from({ length: 260 * 260 }, (_, n) => Number(Math.floor(n / 260 / 100) === Math.floor((n % 260) / 100))),
  [1, 260, 260],
);
const wide = { ...normal([2, 4, 6, 8], "wide"), data: normal([2, 4, 6, 8], "wide", 8).data };

const sevenLabels = tensorData(Int32Array.of(3, -100, 0, 6, -1, 2, 8), [7]);
/** x, W, A, B and a bias: 5 rows, 6 wide, to 4, of rank 2. */
const lowRank = (transposed: boolean): TensorData[] => [
  normal([5, 6], 1),
  normal(transposed ? [4, 6] : [6, 4], 2),
  normal([2, 6], 3),
  normal([4, 2], 4),
  normal([4], 5),
];

/** A query of padding sees nothing, so that its value means nothing. */
const ofTokens = (x: tf.Tensor, mask: tf.Tensor): tf.Tensor => x.mul(mask.toFloat().reshape([2, 1, 5, 1]));

const CASES: Case[] = [
  {
    name: "rmsNorm",
    fn: (x, g) => rmsNorm(x!, g!),
    reference: (x, g) => rmsNormReference(x!, g!),
    inputs: [normal([2, 3, 8], 1), normal([8], 2)],
  },
  {
    name: "rmsNorm of one row, another epsilon",
    fn: (x, g) => rmsNorm(x!, g!, 0.1),
    reference: (x, g) => rmsNormReference(x!, g!, 0.1),
    inputs: [normal([1, 5], 1, 0.1), normal([5], 2)],
  },
  {
    name: "layerNorm",
    fn: (x, g, b) => layerNorm(x!, g!, b!),
    reference: (x, g, b) => layerNormReference(x!, g!, b!),
    inputs: [normal([4, 8], 1), normal([8], 2), normal([8], 3)],
  },
  {
    name: "layerNorm of three dimensions",
    fn: (x, g, b) => layerNorm(x!, g!, b!, 1e-3),
    reference: (x, g, b) => layerNormReference(x!, g!, b!, 1e-3),
    inputs: [normal([2, 2, 6], 1), normal([6], 2), normal([6], 3)],
  },
  { name: "gelu", fn: (x) => gelu(x!), reference: (x) => geluReference(x!), inputs: [normal([5, 7], 1, 2)] },
  {
    name: "geluTanh",
    fn: (x) => geluTanh(x!),
    reference: (x) => geluTanhReference(x!),
    inputs: [normal([5, 7], 1, 2)],
  },
  { name: "silu", fn: (x) => silu(x!), reference: (x) => siluReference(x!), inputs: [normal([5, 7], 1, 2)] },
  {
    name: "swiGlu",
    fn: (a, b) => swiGlu(a!, b!),
    reference: (a, b) => swiGluReference(a!, b!),
    inputs: [normal([5, 7], 1, 2), normal([5, 7], 2)],
  },
  {
    name: "swiGlu that keeps only its inputs",
    fn: (a, b) => swiGlu(a!, b!, { recomputes: true }),
    reference: (a, b) => swiGluReference(a!, b!),
    inputs: [normal([5, 7], 1, 2), normal([5, 7], 2)],
  },
  {
    name: "swiGlu that keeps only its inputs, of large gates",
    fn: (a, b) => swiGlu(a!, b!, { recomputes: true }),
    reference: (a, b) => swiGluReference(a!, b!),
    inputs: [normal([5, 7], 1, 60), normal([5, 7], 2)],
  },
  ...[1, 2, 3, 6, 7, 100].map((rowsAtATime) => ({
    name: `linearCrossEntropy, ${rowsAtATime} rows at a time`,
    fn: ((h, t, y) => linearCrossEntropy(h!, t!, y!, { rowsAtATime })) as Fn,
    reference: ((h, t, y) => linearCrossEntropyReference(h!, t!, y!)) as Fn,
    inputs: [normal([7, 4], 1), normal([9, 4], 2), sevenLabels],
  })),
  ...[
    [3, -100, 0, 6, -1, -1, -1],
    [3, -1, -1, -1, -1, -1, -1],
    [-1, -1, -1, -1, -1, -1, -1],
  ].map((few) => ({
    name: `linearCrossEntropy with room for more labels: ${few}`,
    fn: ((h, t, y) => linearCrossEntropy(h!, t!, y!, { rowsAtATime: 2 })) as Fn,
    reference: ((h, t, y) => linearCrossEntropyReference(h!, t!, y!)) as Fn,
    inputs: [normal([7, 4], 1), normal([9, 4], 2), tensorData(Int32Array.from(few), [7])],
  })),
  {
    name: "linearCrossEntropy of large logits",
    fn: (h, t, y) => linearCrossEntropy(h!, t!, y!, { rowsAtATime: 2 }),
    reference: (h, t, y) => linearCrossEntropyReference(h!, t!, y!),
    inputs: [normal([7, 4], 1, 20), normal([9, 4], 2, 20), sevenLabels],
  },
  ...[true, false].flatMap((transposed) =>
    [true, false].map((joins) => ({
      name: `lowRankLinear${transposed ? "" : ", weight as [in, out]"}${joins ? ", joined" : ""}`,
      fn: ((x, w, a, b, bias) => lowRankLinear(x!, w!, a!, b!, bias, { scale: 2, transposed, joins })) as Fn,
      reference: ((x, w, a, b, bias) => lowRankLinearReference(x!, w!, a!, b!, bias, { scale: 2, transposed })) as Fn,
      inputs: lowRank(transposed),
    })),
  ),
  {
    name: "lowRankLinear without a bias, joined",
    fn: (x, w, a, b) => lowRankLinear(x!, w!, a!, b!, undefined, { scale: 0.5, transposed: true, joins: true }),
    reference: (x, w, a, b) => lowRankLinearReference(x!, w!, a!, b!, undefined, { scale: 0.5, transposed: true }),
    inputs: lowRank(true).slice(0, 4),
  },
  {
    name: "squaredRelu",
    fn: (x) => squaredRelu(x!),
    reference: (x) => squaredReluReference(x!),
    inputs: [normal([5, 7], 1)],
  },
  {
    name: "embedding",
    fn: (t, i) => embedding(t!, i!),
    reference: (t, i) => embeddingReference(t!, i!),
    inputs: [normal([6, 4], 1), ids([3, 5], 6, 2)],
  },
  {
    name: "softmaxCrossEntropy",
    fn: (l, y) => softmaxCrossEntropy(l!, y!),
    reference: (l, y) => softmaxCrossEntropyReference(l!, y!),
    inputs: [normal([2, 3, 7], 1, 3), labels],
  },
  {
    name: "softmaxCrossEntropy of large logits",
    fn: (l, y) => softmaxCrossEntropy(l!, y!),
    reference: (l, y) => softmaxCrossEntropyReference(l!, y!),
    inputs: [normal([2, 3, 7], 1, 300), labels],
  },
  {
    name: "rotary",
    fn: withTables(rotary),
    reference: withTables(rotaryReference),
    inputs: [normal([2, 3, 5, 8], 1), ids([2, 5], 12, 2)],
  },
  {
    name: "causalAttention",
    fn: (q, k, v) => causalAttention(q!, k!, v!),
    reference: (q, k, v) => causalAttentionReference(q!, k!, v!),
    inputs: [normal([2, 2, 5, 4], 1), normal([2, 2, 5, 4], 2), normal([2, 2, 5, 4], 3)],
  },
  {
    name: "causalAttention with shared keys",
    fn: (q, k, v) => causalAttention(q!, k!, v!, { scale: 0.2 }),
    reference: (q, k, v) => causalAttentionReference(q!, k!, v!, { scale: 0.2 }),
    inputs: [normal([2, 6, 5, 4], 1), normal([2, 2, 5, 4], 2), normal([2, 2, 5, 4], 3)],
  },
  {
    name: "causalAttention with left padding",
    fn: (q, k, v, mask) => ofTokens(causalAttention(q!, k!, v!, { mask: mask! }), mask!),
    reference: (q, k, v, mask) => ofTokens(causalAttentionReference(q!, k!, v!, { mask: mask! }), mask!),
    inputs: [normal([2, 4, 5, 4], 1), normal([2, 2, 5, 4], 2), normal([2, 2, 5, 4], 3), padding],
  },
  {
    name: "causalAttention with very different scores",
    fn: (q, k, v) => causalAttention(q!, k!, v!),
    reference: (q, k, v) => causalAttentionReference(q!, k!, v!),
    inputs: [wide, { ...wide }, normal([2, 4, 6, 8], 3)],
  },
  {
    name: "causalAttention of a large text, in blocks",
    fn: (q, k, v) => causalAttention(q!, k!, v!, { scale: 0.2 }),
    reference: (q, k, v) => causalAttentionReference(q!, k!, v!, { scale: 0.2 }),
    inputs: [normal([1, 4, 301, 4], 1), normal([1, 2, 301, 4], 2), normal([1, 2, 301, 4], 3)],
  },
  {
    name: "causalAttention of a large text with padding",
    fn: (q, k, v, mask) => causalAttention(q!, k!, v!, { mask: mask! }),
    reference: (q, k, v, mask) => causalAttentionReference(q!, k!, v!, { mask: mask! }),
    inputs: [normal([2, 2, 301, 4], 1), normal([2, 2, 301, 4], 2), normal([2, 2, 301, 4], 3), longPadding],
  },
  {
    name: "causalAttention of large texts in one row",
    fn: (q, k, v, mask) => causalAttention(q!, k!, v!, { mask: mask! }),
    reference: (q, k, v, mask) => causalAttentionReference(q!, k!, v!, { mask: mask! }),
    inputs: [normal([1, 2, 260, 4], 1), normal([1, 2, 260, 4], 2), normal([1, 2, 260, 4], 3), ownTexts],
  },
  {
    name: "causalAttention of one token",
    fn: (q, k, v) => causalAttention(q!, k!, v!),
    reference: (q, k, v) => causalAttentionReference(q!, k!, v!),
    inputs: [normal([1, 1, 1, 4], 1), normal([1, 1, 1, 4], 2), normal([1, 1, 1, 4], 3)],
  },
];

describe("fused operations", () => {
  it.each(CASES)("$name: value and gradients are those of plain TensorFlow.js", ({ fn, reference, inputs }) =>
    compareWithCpu(fn, reference, inputs),
  );

  it.each(CASES.filter(({ name }) => !/large|different|padding/.test(name)))(
    "$name: gradients are slopes",
    ({ fn, inputs }) => compareWithDifferences(fn, inputs),
  );

  it("causalAttention gives padding no gradient at all, which would become denormal numbers in lower layers", async () => {
    const [q, k, v] = [normal([2, 2, 301, 4], 1), normal([2, 2, 301, 4], 2), normal([2, 2, 301, 4], 3)];
    const signature = { q: spec(q.shape), k: spec(k.shape), v: spec(v.shape), mask: spec([2, 301], "int32") };
    const gradients = compile((t: Record<keyof typeof signature, tf.Tensor>) => {
      const [dk, dv] = tf.grads((k, v) => causalAttention(t.q, k!, v!, { mask: t.mask }).sum())([t.k, t.v]);
      return { dk: dk!, dv: dv! };
    }, signature);
    const found = await gradients({ q, k, v, mask: longPadding });
    for (const { data } of [found.dk, found.dv]) {
      const at = (place: number) => [...data.subarray((2 * 301 + place) * 4, (2 * 301 + place + 1) * 4)];
      for (let place = 1; place <= 20; place++) expect(at(place).map(Math.abs)).toEqual([0, 0, 0, 0]);
      expect(at(21).some((value) => value !== 0)).toBe(true);
    }
    await gradients.dispose();
  });

  it("are plain TensorFlow.js outside of a compiled function", () => {
    for (const { fn, reference, inputs } of CASES) {
      tf.tidy(() => {
        const tensors = inputs.map(toTensor);
        expect(fn(...tensors).dataSync()).toEqual(reference(...tensors).dataSync());
      });
    }
  });

  it("never see a later token: its gradient is 0 and its value changes nothing before it", async () => {
    const [q, k, v] = [normal([1, 2, 4, 4], 1), normal([1, 2, 4, 4], 2), normal([1, 2, 4, 4], 3)];
    const first = compile(
      (t: { q: tf.Tensor; k: tf.Tensor; v: tf.Tensor }) => {
        const early = (v: tf.Tensor) => tf.slice(causalAttention(t.q, t.k, v), [0, 0, 0, 0], [1, 2, 2, 4]).sum();
        return { y: early(t.v), dv: tf.grad(early)(t.v), p: attentionProbabilities(t.q, t.k) };
      },
      { q: spec([1, 2, 4, 4]), k: spec([1, 2, 4, 4]), v: spec([1, 2, 4, 4]) },
    );
    const { dv, p } = await first({ q, k, v });
    for (let head = 0; head < 2; head++) {
      for (let n = 8; n < 16; n++) expect(Math.abs(dv.data[head * 16 + n]!)).toBeLessThan(1e-16);
      for (let row = 0; row < 4; row++) {
        for (let column = row + 1; column < 4; column++) expect(p.data[head * 16 + row * 4 + column]).toBe(0);
      }
    }
  });
});

describe("weightedAttention", () => {
  type Inputs<Leaf> = { q: Leaf; k: Leaf; v: Leaf };
  const shared = { q: normal([2, 6, 5, 4], 1), k: normal([2, 2, 5, 4], 2), v: normal([2, 2, 5, 4], 3) };
  const different = { q: wide, k: { ...wide }, v: normal([2, 4, 6, 8], 3) };

  it.each([
    ["shared keys", shared],
    ["very different scores", different],
  ])("is causalAttention and its weights, compiled and in plain TensorFlow.js: %s", async (_, inputs) => {
    const { q, k, v } = { q: toTensor(inputs.q), k: toTensor(inputs.k), v: toTensor(inputs.v) };
    const expected = {
      value: causalAttentionReference(q, k, v, { scale: 0.2 }),
      weights: attentionProbabilities(q, k, { scale: 0.2 }),
    };
    const specs = { q: spec(q.shape), k: spec(k.shape), v: spec(v.shape) };
    const run = compile((t: Inputs<tf.Tensor>) => weightedAttention(t.q, t.k, t.v, { scale: 0.2 }), specs);
    const compiled = await run(inputs);
    const plain = weightedAttention(q, k, v, { scale: 0.2 });
    for (const key of ["value", "weights"] as const) {
      expectClose(compiled[key], expected[key], key);
      expectClose(await toTensorData(plain[key]), expected[key], `plain ${key}`);
    }
    await run.dispose();
  });
});

describe("cachedAttention", () => {
  const [heads, keyHeads, capacity] = [4, 2, 12];
  type Step = Record<"q" | "k" | "v" | "lengths", tf.Tensor> & { cache: { keys: tf.Tensor; values: tf.Tensor } };
  it.each([
    { rotated: true, width: 8, batch: 3 },
    { rotated: true, width: 16, batch: 3 },
    { rotated: false, width: 8, batch: 3 },
    { rotated: true, width: 8, batch: 33 },
    { rotated: false, width: 8, batch: 33 },
    { rotated: true, width: 4, batch: 3 },
  ])(
    "appends in place, each row at its own length: $rotated, width $width, batch $batch",
    async ({ rotated, width, batch }) => {
      const tables = rotaryTables(capacity, width);
      const cacheSpec = spec([batch, keyHeads, capacity, width]);
      const signature = (time: number) => ({
        q: spec([batch, time, heads * width]),
        k: spec([batch, time, keyHeads * width]),
        v: spec([batch, time, keyHeads * width]),
        lengths: spec([batch], "int32"),
        cache: { keys: cacheSpec, values: cacheSpec },
      });
      const empty = () => normal([batch, keyHeads, capacity, width], 0, 0);
      const options = (): CachedAttentionOptions => ({
        heads,
        keyHeads,
        ...(rotated ? { rotary: { cos: toTensor(tables.cos), sin: toTensor(tables.sin) } } : {}),
      });
      const attend = (time: number) =>
        compile(
          ({ q, k, v, lengths, cache }: Step) => ({ ...cachedAttention(q, k, v, cache, lengths, options()) }),
          signature(time),
          { inPlace: ["cache"] },
        );
      const firstTime = 5;
      const programs = { [firstTime]: attend(firstTime), 1: attend(1) };
      const cache = { keys: empty(), values: empty() };
      let reference = tf.tidy(() => ({
        keys: tf.zeros(cacheSpec.shape as number[]),
        values: tf.zeros(cacheSpec.shape as number[]),
      }));
      const prompt = Array.from({ length: batch }, (_, row) => [5, 2, 4][row % 3]!);
      for (let token = 0; token < 4; token++) {
        const time = token === 0 ? firstTime : 1;
        const lengths = tensorData(Int32Array.from(prompt, (n) => n + token));
        const [q, k, v] = [
          normal([batch, time, heads * width], `q${token}`),
          normal([batch, time, keyHeads * width], `k${token}`),
          normal([batch, time, keyHeads * width], `v${token}`),
        ];
        const expected = cachedAttentionReference(
          toTensor(q),
          toTensor(k),
          toTensor(v),
          reference,
          toTensor(lengths),
          options(),
        );
        const actual = await programs[time]!({ q, k, v, lengths, cache });
        expect(actual.cache.keys.data.buffer).toBe(cache.keys.data.buffer);
        reference = expected.cache;
        for (let row = 0; row < batch; row++) {
          // What stands after the end of a row is padding and has no meaning.
          const counted = time === 1 ? 1 : prompt[row]!;
          const part = (data: ArrayLike<number>) =>
            Float32Array.from(
              Array.from({ length: counted * heads * width }, (_, i) => data[row * time * heads * width + i]!),
            );
          expectClose(
            tensorData(part(actual.value.data)),
            tf.tensor(part(expected.value.dataSync())),
            `row ${row} of token ${token}`,
          );
        }
      }
    },
  );

  it.each([4, 8, 16])("appends pieces of any length to one row of a larger cache: width %i", async (width) => {
    const tables = rotaryTables(capacity, width);
    const options = (): CachedAttentionOptions => ({
      heads,
      keyHeads,
      rotary: { cos: toTensor(tables.cos), sin: toTensor(tables.sin) },
    });
    const size = keyHeads * capacity * width;
    const whole = { keys: new Float32Array(3 * size).fill(7), values: new Float32Array(3 * size).fill(7) };
    const shape = [1, keyHeads, capacity, width];
    const middle = (data: Float32Array) => tensorData(data.subarray(size, 2 * size), shape);
    const cache = { keys: middle(whole.keys), values: middle(whole.values) };
    let reference = { keys: tf.zeros(shape), values: tf.zeros(shape) };
    let length = 0;
    for (const time of [3, 1, 5, 2]) {
      length += time;
      const piece = compile(
        ({ q, k, v, lengths, cache }: Step) => ({ ...cachedAttention(q, k, v, cache, lengths, options()) }),
        {
          q: spec([1, time, heads * width]),
          k: spec([1, time, keyHeads * width]),
          v: spec([1, time, keyHeads * width]),
          lengths: spec([1], "int32"),
          cache: { keys: spec(shape), values: spec(shape) },
        },
        { inPlace: ["cache"] },
      );
      const [q, k, v] = [
        normal([1, time, heads * width], `q${length}`),
        normal([1, time, keyHeads * width], `k${length}`),
        normal([1, time, keyHeads * width], `v${length}`),
      ];
      const lengths = tensorData(Int32Array.of(length));
      const expected = cachedAttentionReference(
        toTensor(q),
        toTensor(k),
        toTensor(v),
        reference,
        toTensor(lengths),
        options(),
      );
      expectClose((await piece({ q, k, v, lengths, cache })).value, expected.value, `${length} tokens`);
      reference = expected.cache;
      await piece.dispose();
    }
    // The rows beside it are as they were.
    for (const data of Object.values(whole)) {
      expect(data.subarray(0, size).every((x) => x === 7)).toBe(true);
      expect(data.subarray(2 * size).every((x) => x === 7)).toBe(true);
    }
  });

  it("names heads and widths that do not fit", () => {
    const x = tf.zeros([1, 1, 12]);
    const cache = { keys: tf.zeros([1, 2, 4, 4]), values: tf.zeros([1, 2, 4, 4]) };
    expect(() => cachedAttention(x, x, x, cache, tf.tensor([1], [1], "int32"), { heads: 3, keyHeads: 2 })).toThrow(
      /3 heads and 2 key heads of width 4 was given queries of width 12/,
    );
  });

  it("is the only thing that may be written in place", async () => {
    const double = compile(
      ({ cache }: { cache: tf.Tensor }) => ({ cache: cache.mul(2) }),
      { cache: spec([2]) },
      { inPlace: ["cache"] },
    );
    await expect(double({ cache: tensorData([1, 2]) })).rejects.toThrow(/written in place, but is not a cache/);
  });
});
