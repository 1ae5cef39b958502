import * as tf from "@tensorflow/tfjs";
import { compile, memoryLimit, spec, tensorData } from "thoughtbook/tensor";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PROGRAM_BYTES, programMemory } from "../../lib/dist/tensor/program-memory.js";

const input = (n: number) => ({ x: tensorData(new Float32Array(n * n).fill(1 / n), [n, n]) });

function counted(options: { memory?: number } = {}) {
  let traced = 0;
  const f = compile(
    ({ x }: { x: tf.Tensor2D }) => {
      traced++;
      return tf.matMul(tf.matMul(x, x), x).sum();
    },
    { x: spec([null, null]) },
    options,
  );
  onTestFinished(() => f.dispose());
  return { f, traced: () => traced };
}

/** A program whose intermediate results are the square of its input's length. */
function squares(options: { trains?: boolean } = {}) {
  let traced = 0;
  const f = compile(
    ({ x }: { x: tf.Tensor1D }) => {
      traced++;
      return tf
        .matMul(x.reshape([-1, 1]), x.reshape([1, -1]))
        .square()
        .sum();
    },
    { x: spec([null]) },
    options,
  );
  onTestFinished(() => f.dispose());
  return { f, traced: () => traced };
}

describe("programs of sizes no longer used", () => {
  it("are kept where they fit", async () => {
    const { f, traced } = counted();
    for (const n of [8, 16, 8, 16]) expect((await f(input(n))).data[0]).toBeCloseTo(n, 3);
    expect(traced()).toBe(2);
  });

  it("are let go within the budget, the one not used for the longest time first, and compiled again with equal results", async () => {
    const { f, traced } = counted();
    const before = programMemory();
    const first = await f(input(64));
    const each = programMemory().bytes - before.bytes;
    expect(each).toBeGreaterThan(4 * 64 * 64);
    // Room for no program: every size takes the place of the one before.
    const strict = counted({ memory: 1 });
    const results: number[] = [];
    for (const n of [64, 32, 64, 32]) results.push((await strict.f(input(n))).data[0]!);
    expect(strict.traced()).toBe(4);
    expect(results[2]).toBe(results[0]);
    expect(results[3]).toBe(results[1]);
    expect(results[0]).toBe(first.data[0]);
    // Its budget is the process's: the other function's program went as well.
    expect(programMemory().programs).toBe(0);
    expect((await f(input(64))).data[0]).toBe(first.data[0]);
    expect(traced()).toBe(2);
  });

  it("are let go in the order of their last use", async () => {
    const { f, traced } = squares();
    const call = (n: number) => f({ x: tensorData(new Float32Array(n).fill(1)) });
    // Two of them fit.
    const [a, b, c] = [3300, 3301, 3302];
    await call(a);
    const each = programMemory().bytes;
    expect(PROGRAM_BYTES / each).toBeGreaterThan(2);
    expect(PROGRAM_BYTES / each).toBeLessThan(2.9);
    for (const n of [b, a, c, a, c]) await call(n);
    expect(traced()).toBe(3);
    expect(programMemory().programs).toBe(2);
    await call(b);
    expect(traced()).toBe(4);
    await call(c);
    expect(traced()).toBe(4);
    expect(programMemory().bytes).toBeLessThanOrEqual(PROGRAM_BYTES);
  });

  it("stay as long as they are in use", async () => {
    const { f, traced } = counted({ memory: 1 });
    const sizes = [8, 16, 24, 8, 16, 24];
    const results = await Promise.all(sizes.map((n) => f(input(n))));
    for (const [i, n] of sizes.entries()) expect(results[i]!.data[0]).toBeCloseTo(n, 3);
    // All six calls waited at once: each size was compiled once for its two calls.
    expect(traced()).toBe(3);
    expect(programMemory().programs).toBe(0);
  });

  it("are not counted any more when their function is disposed of", async () => {
    const { programs } = programMemory();
    const { f } = counted();
    await f(input(8));
    await f(input(16));
    expect(programMemory().programs).toBe(programs + 2);
    await f.dispose();
    expect(programMemory().programs).toBe(programs);
  });
});

describe("memoryLimit", () => {
  it("is the option's, else the environment's", () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("THOUGHTBOOK_MEMORY", "");
    expect(memoryLimit()).toBeUndefined();
    expect(memoryLimit({ memory: 5e9 })).toBe(5e9);
    vi.stubEnv("THOUGHTBOOK_MEMORY", "1.5GiB");
    expect(memoryLimit()).toBe(1.5 * 2 ** 30);
    expect(memoryLimit({ memory: 5e9 })).toBe(5e9);
  });

  it("refuses what is no size", () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("THOUGHTBOOK_MEMORY", "");
    for (const memory of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => memoryLimit({ memory })).toThrow(`memory is ${memory}, expected bytes above 0`);
      expect(() => counted({ memory })).toThrow("expected bytes above 0");
    }
    vi.stubEnv("THOUGHTBOOK_MEMORY", "lots");
    expect(() => memoryLimit()).toThrow('THOUGHTBOOK_MEMORY is "lots", expected a size such as 2GB');
  });

  it("are kept in training though they are larger than all others may be", async () => {
    // Intermediate results of about 700 MB.
    const width = 13_000;
    const x = tensorData(new Float32Array(width).fill(1), [width]);
    for (const [trains, times] of [
      [true, 1],
      [false, 2],
    ] as const) {
      const { f, traced } = squares({ trains });
      await f({ x });
      await f({ x });
      expect(traced()).toBe(times);
    }
  });
});
