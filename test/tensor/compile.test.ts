import { availableParallelism } from "node:os";
import * as tf from "@tensorflow/tfjs";
import {
  compile,
  emptyTensor,
  formatProfile,
  onnxNode,
  runtimeOptions,
  spec,
  type TensorData,
  tensorData,
} from "thoughtbook/tensor";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isTracing } from "../../lib/dist/tensor/tracing.js";
import { normal } from "./helpers.js";

describe("compile", () => {
  it("keeps trees: records and arrays of tensors go in and come out", async () => {
    const f = compile(
      ({ layers, x }: { layers: { w: tf.Tensor2D; b: tf.Tensor }[]; x: tf.Tensor2D }) => {
        const outputs = layers.map(({ w, b }) => tf.matMul(x, w).add(b));
        return { sums: { all: outputs.map((y) => y.sum()) }, last: outputs.at(-1)! };
      },
      { layers: [0, 1].map(() => ({ w: spec([2, 2]), b: spec([2]) })), x: spec([1, 2]) },
    );
    const layer = (k: number) => ({ w: tensorData([k, 0, 0, k], [2, 2]), b: tensorData([1, 2]) });
    const { sums, last } = await f({ layers: [layer(1), layer(10)], x: tensorData([3, 4], [1, 2]) });
    expect((sums.all as TensorData[]).map(({ data }) => data[0])).toEqual([10, 73]);
    expect(last).toMatchObject({ shape: [1, 2], dtype: "float32", data: Float32Array.of(31, 42) });
    await f.dispose();
  });

  it("traces once for each combination of shapes", async () => {
    let traced = 0;
    const f = compile(
      ({ x }: { x: tf.Tensor }) => {
        traced++;
        return x.sum(0);
      },
      { x: spec([null, 2]) },
    );
    for (const rows of [1, 3, 1, 3, 1]) {
      const { data } = await f({ x: tensorData(new Float32Array(rows * 2).fill(1), [rows, 2]) });
      expect(data).toEqual(Float32Array.of(rows, rows));
    }
    expect(traced).toBe(2);
    expect(await f.prepare({ x: tensorData([1, 2], [1, 2]) })).toBeLessThan(50);
    expect(traced).toBe(2);
  });

  it("differentiates: grads, customGrad and tidy work while tracing", async () => {
    const clipped = tf.customGrad((...args) => {
      const [x] = args as [tf.Tensor];
      return { value: x.clone(), gradFunc: (dy: tf.Tensor) => [dy.mul(5)] };
    });
    const f = compile(
      ({ x }: { x: tf.Tensor }) => ({
        cubes: tf.grad((x) => tf.tidy(() => x.square().mul(x)).sum())(x),
        custom: tf.grad((x) => clipped(x).sum())(x),
        second: tf.grad((x) =>
          tf
            .grad((x) => x.square().mul(x).sum())(x)
            .sum(),
        )(x),
      }),
      { x: spec([2]) },
    );
    const result = await f({ x: tensorData([1, -2]) });
    expect(result.cubes.data).toEqual(Float32Array.of(3, 12));
    expect(result.custom.data).toEqual(Float32Array.of(5, 5));
    expect(result.second.data).toEqual(Float32Array.of(6, -12));
  });

  it("computes constants while tracing, and hands inputs and constants through", async () => {
    const f = compile(
      ({ x }: { x: tf.Tensor }) => {
        const mask = tf.linalg.bandPart(tf.ones([3, 3]), -1, 0);
        expect(mask.dataSync()[1]).toBe(0);
        return { x, twice: x, mask, zeros: tf.zerosLike(x), empty: tf.zeros([0, 2]) };
      },
      { x: spec([2], "int32") },
    );
    const result = await f({ x: tensorData(Int32Array.of(7, 8)) });
    expect(result.x.data).toEqual(Int32Array.of(7, 8));
    expect(result.twice.data).toEqual(Int32Array.of(7, 8));
    expect(result.mask.data).toEqual(Float32Array.of(1, 0, 0, 1, 1, 0, 1, 1, 1));
    expect(result.zeros.data).toEqual(Int32Array.of(0, 0));
    expect(result.empty).toMatchObject({ shape: [0, 2] });
  });

  it("uses tensors of another backend as constants and leaves them usable", async () => {
    await tf.setBackend("cpu");
    const table = tf.tensor1d([1, 2, 3]);
    const f = compile(({ x }: { x: tf.Tensor }) => x.mul(table), { x: spec([3]) });
    expect((await f({ x: tensorData([2, 2, 2]) })).data).toEqual(Float32Array.of(2, 4, 6));
    expect(tf.getBackend()).toBe("cpu");
    expect(Array.from(table.add(1).dataSync())).toEqual([2, 3, 4]);
    table.dispose();
  });

  it("leaves no tensors behind, and the backend as it was when the function throws", async () => {
    await tf.setBackend("cpu");
    const before = tf.memory().numTensors;
    const f = compile(({ x }: { x: tf.Tensor }) => tf.grad((x) => x.exp().softmax().log().sum())(x), { x: spec([4]) });
    await f({ x: tensorData([1, 2, 3, 4]) });
    expect(tf.memory().numTensors).toBe(before);
    const broken = compile(
      ({ x }: { x: tf.Tensor }) =>
        tf.grad((x) => {
          x.exp();
          throw new Error("no such luck");
        })(x),
      { x: spec([4]) },
    );
    await expect(broken({ x: tensorData([1, 2, 3, 4]) })).rejects.toThrow("no such luck");
    expect(isTracing()).toBe(false);
    expect(tf.getBackend()).toBe("cpu");
  });

  it("runs any ONNX operator", async () => {
    const f = compile(
      ({ x }: { x: tf.Tensor }) => onnxNode("HardSwish", [x], [{ shape: x.shape, dtype: "float32" }])[0]!,
      { x: spec([3]) },
    );
    const { data } = await f({ x: tensorData([-4, 0, 4]) });
    expect(Array.from(data)).toEqual([-0, 0, 4]);
  });

  it("gives the same numbers with one thread, without arena and without the runtime's rewriting", async () => {
    const fn = ({ x, w }: { x: tf.Tensor2D; w: tf.Tensor2D }) => tf.softmax(tf.matMul(x, w).mul(0.5));
    const inputs = { x: normal([20, 30], 1), w: normal([30, 40], 2) };
    const signature = { x: spec([20, 30]), w: spec([30, 40]) };
    const results: Float32Array[] = [];
    for (const options of [
      {},
      { threads: 1 },
      { arena: false },
      { optimization: "disabled" as const },
      { executionProviders: ["cpu"] },
    ]) {
      const f = compile(fn, signature, options);
      results.push((await f(inputs)).data as Float32Array);
      await f.dispose();
    }
    for (const data of results)
      expect(Math.max(...data.map((p, i) => Math.abs(p - results[0]![i]!)))).toBeLessThan(1e-6);
  });

  it("profiles by operator", async () => {
    const f = compile(({ x }: { x: tf.Tensor2D }) => tf.matMul(x, x).exp().sum(), { x: spec([64, 64]) });
    const rows = await f.profile({ x: normal([64, 64], 1) }, { runs: 3 });
    expect(rows.map(({ operator }) => operator)).toEqual(expect.arrayContaining(["FusedMatMul", "Exp", "ReduceSum"]));
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect(rows.find(({ operator }) => operator === "Exp")!.nodes).toBe(1);
    expect(formatProfile(rows)).toMatch(/FusedMatMul +\d+\.\d{3} +1 +\d+\.\d%/);
  });
});

describe("donated inputs", () => {
  const counter = () =>
    compile(
      ({ state, by }: { state: { n: tf.Tensor }; by: tf.Tensor }) => ({
        state: { n: state.n.add(by) },
        norm: state.n.square().sum(),
      }),
      { state: { n: spec([4]) }, by: spec([]) },
      { donate: ["state"] },
    );
  const by = tensorData([1], []);

  it("take turns in two buffers, and your own tensors are never written to", async () => {
    const f = counter();
    const mine = tensorData([0, 1, 2, 3]);
    let state: { n: TensorData } = { n: mine };
    const buffers = new Set<ArrayBufferLike>();
    for (let i = 0; i < 6; i++) {
      const result = await f({ state, by });
      state = result.state;
      buffers.add(state.n.data.buffer);
    }
    expect(Array.from(state.n.data)).toEqual([6, 7, 8, 9]);
    expect(Array.from(mine.data)).toEqual([0, 1, 2, 3]);
    expect(buffers.size).toBe(2);
  });

  it("cannot be used again", async () => {
    const f = counter();
    const first = await f({ state: { n: tensorData([0, 1, 2, 3]) }, by });
    await f({ state: first.state, by });
    await expect(f({ state: first.state, by })).rejects.toThrow(/input state.n was given up in an earlier call/);
  });

  it("must be inputs", () => {
    expect(() => compile(({ x }: { x: tf.Tensor }) => x, { x: spec([1]) }, { donate: ["y"] })).toThrow(
      /"y", which is no key/,
    );
  });
});

describe("errors of a compiled function", () => {
  const f = compile(({ a }: { a: { x: tf.Tensor; n: tf.Tensor } }) => a.x.mul(a.n.toFloat()), {
    a: { x: spec([2, null]), n: spec([], "int32") },
  });
  const n = tensorData(Int32Array.of(2), []);
  const x = emptyTensor([2, 3], "float32");

  it.each([
    { name: "missing", inputs: { a: { x } }, message: "input a.n is missing, expected int32 []" },
    {
      name: "shape",
      inputs: { a: { x: emptyTensor([3, 3], "float32"), n } },
      message: "input a.x is float32 [3, 3], expected float32 [2, any]",
    },
    {
      name: "rank",
      inputs: { a: { x: emptyTensor([2], "float32"), n } },
      message: "input a.x is float32 [2], expected float32 [2, any]",
    },
    {
      name: "dtype",
      inputs: { a: { x, n: tensorData([2], []) } },
      message: "input a.n is float32 [], expected int32 []",
    },
    { name: "unknown", inputs: { a: { x, n, z: n } }, message: "the compiled function has no input a.z" },
    { name: "no tensor", inputs: { a: { x, n: 3 } }, message: "a.n is a number, expected a tensor" },
  ])("name the input: $name", async ({ inputs, message }) => {
    // biome-ignore lint/suspicious/noExplicitAny: the type checker would refuse these inputs
    await expect(f(inputs as any)).rejects.toThrow(message);
  });

  const compileAndRun = (fn: (inputs: { x: tf.Tensor }) => unknown) =>
    compile(fn, { x: spec([3]) })({ x: emptyTensor([3], "float32") });

  it("say that there are no values while compiling", async () => {
    await expect(compileAndRun(({ x }) => (x.sum().dataSync()[0]! > 0 ? x : x.neg()))).rejects.toThrow(
      /value of a tensor of shape \[\] was asked for while its function was being compiled/,
    );
  });

  it("name a kernel without lowering and the way out", async () => {
    await expect(compileAndRun(({ x }) => tf.multinomial(x as tf.Tensor1D, 2))).rejects.toMatchObject({
      message: expect.stringContaining("kernel Multinomial has no ONNX lowering"),
      hint: expect.stringContaining("outside the compiled function"),
    });
  });

  it("refuse asynchronous functions, nested compilation, other dtypes, no tensors and large captured tensors", async () => {
    await expect(compileAndRun(async ({ x }) => x)).rejects.toThrow(/asynchronous/);
    await expect(compileAndRun(({ x }) => ({ x, label: "a" }))).rejects.toThrow("label is a string, expected a tensor");
    await expect(compileAndRun(({ x }) => tf.complex(x, x))).rejects.toThrow(/Complex has no ONNX lowering|complex64/);
    const large = tf.tidy(() => tf.keep(tf.range(0, 65 * 2 ** 20)));
    await expect(compileAndRun(({ x }) => x.add(large.slice(0, 3)).add(large))).rejects.toThrow(
      /260 MB\) is used by a compiled function without being one of its inputs|260 MB/,
    );
    large.dispose();
  });

  it("say that a tensor has left its function", async () => {
    let kept: tf.Tensor | undefined;
    await compileAndRun(({ x }) => {
      kept = tf.keep(x.exp());
      return x;
    });
    await tf.setBackend("cpu");
    expect(() => kept!.add(1)).toThrow(/asked for while its function was being compiled|outside of it/);
  });

  it("name threads and execution providers that cannot be", async () => {
    const bad = (options: Parameters<typeof compile>[2]) =>
      compile(({ x }: { x: tf.Tensor }) => x.exp(), { x: spec([1]) }, options)({ x: tensorData([1]) });
    await expect(bad({ threads: 0 })).rejects.toThrow("threads is 0");
    await expect(bad({ executionProviders: ["abacus"] })).rejects.toMatchObject({
      hint: expect.stringContaining("cpu"),
    });
  });

  it("take their threads from THOUGHTBOOK_THREADS unless told otherwise", () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    const threadsWith = (chosen: string, options = {}) => {
      vi.stubEnv("THOUGHTBOOK_THREADS", chosen);
      return runtimeOptions(options).intraOpNumThreads;
    };
    expect(threadsWith("")).toBe(availableParallelism());
    expect(threadsWith("3")).toBe(3);
    expect(threadsWith("3", { threads: 2 })).toBe(2);
    for (const wrong of ["0", "-1", "1.5", "two"]) {
      expect(() => threadsWith(wrong)).toThrow(`THOUGHTBOOK_THREADS is "${wrong}", expected a whole number above 0`);
    }
    expect(threadsWith("none", { threads: 2 })).toBe(2);
  });
});

describe("large and long runs", () => {
  it("leave the processors to others between two calls", async () => {
    const f = compile(({ x }: { x: tf.Tensor2D }) => tf.matMul(x, x), { x: spec([512, 512]) }, { threads: 2 });
    const x = tensorData(new Float32Array(512 * 512).fill(0.001), [512, 512]);
    await f({ x });
    let [idle, busy] = [0, 0];
    for (let call = 0; call < 4; call++) {
      await f({ x });
      const [start, before] = [performance.now(), process.cpuUsage()];
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { user, system } = process.cpuUsage(before);
      busy += (user + system) / 1000;
      idle += performance.now() - start;
    }
    expect(busy / idle).toBeLessThan(0.25);
    await f.dispose();
  });

  it("a frozen parameter of 500 MB adds less than 2 ms a call", async () => {
    const width = 1024;
    const big = { shape: [width * 128, width], dtype: "float32" as const, data: new Float32Array(width * width * 128) };
    const small = { ...big, shape: [4, width], data: new Float32Array(width * 4) };
    const time = async (frozen: TensorData) => {
      const f = compile(
        ({ frozen, i }: { frozen: tf.Tensor; i: tf.Tensor1D }) =>
          onnxNode("Gather", [frozen, i], [{ shape: [2, width], dtype: "float32" }])[0]!,
        {
          frozen: spec(frozen.shape),
          i: spec([2], "int32"),
        },
      );
      const i = tensorData(Int32Array.of(1, 3));
      const times = [];
      for (let n = 0; n < 30; n++) {
        const start = performance.now();
        await f({ frozen, i });
        times.push(performance.now() - start);
      }
      await f.dispose();
      return times.sort((a, b) => a - b)[15]!;
    };
    expect((await time(big)) - (await time(small))).toBeLessThan(2);
  });
});
