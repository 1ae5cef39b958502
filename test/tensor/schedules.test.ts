import * as tf from "@tensorflow/tfjs";
import {
  compile,
  constantRate,
  type Schedule,
  spec,
  tensorData,
  warmupCosine,
  warmupLinear,
  warmupStableDecay,
} from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";

const CASES: { name: string; schedule: Schedule; points: [step: number, rate: number][] }[] = [
  {
    name: "constant",
    schedule: constantRate(0.3),
    points: [
      [0, 0.3],
      [1000, 0.3],
    ],
  },
  {
    name: "cosine",
    schedule: warmupCosine({ peak: 1, steps: 110, warmup: 10, floor: 0.2 }),
    points: [
      [0, 0],
      [1, 0.1],
      [10, 1],
      [35, 0.2 + 0.8 * ((1 + Math.SQRT1_2) / 2)],
      [60, 0.6],
      [85, 0.2 + 0.8 * ((1 - Math.SQRT1_2) / 2)],
      [110, 0.2],
      [1000, 0.2],
    ],
  },
  {
    name: "cosine without warm-up",
    schedule: warmupCosine({ peak: 2, steps: 4 }),
    points: [
      [0, 2],
      [2, 1],
      [4, 0],
      [5, 0],
    ],
  },
  {
    name: "linear",
    schedule: warmupLinear({ peak: 1, steps: 20, warmup: 4, floor: 0.5 }),
    points: [
      [2, 0.5],
      [4, 1],
      [12, 0.75],
      [20, 0.5],
      [21, 0.5],
    ],
  },
  {
    name: "warm-up, stable, decay",
    schedule: warmupStableDecay({ peak: 1, steps: 100, warmup: 10, decay: 20, floor: 0.1 }),
    points: [
      [5, 0.5],
      [10, 1],
      [50, 1],
      [80, 1],
      [90, 0.55],
      [100, 0.1],
      [200, 0.1],
    ],
  },
  {
    name: "decay right after the warm-up",
    schedule: warmupStableDecay({ peak: 1, steps: 3, warmup: 1, decay: 2 }),
    points: [
      [1, 1],
      [2, 0.5],
      [3, 0],
    ],
  },
];

describe("schedules", () => {
  it.each(CASES)("$name: its corner points as numbers, eagerly and compiled", async ({ schedule, points }) => {
    tf.enableProdMode();
    await tf.setBackend("cpu");
    const compiled = compile(({ step }) => ({ rate: schedule(step) }), { step: spec([]) }, { threads: 1 });
    for (const [step, rate] of points) {
      expect(schedule(step)).toBeCloseTo(rate, 12);
      expect(tf.tidy(() => schedule(tf.scalar(step)).dataSync()[0])).toBeCloseTo(rate, 6);
      expect(tf.tidy(() => schedule(tf.scalar(step, "int32")).dataSync()[0])).toBeCloseTo(rate, 6);
      expect((await compiled({ step: tensorData([step], []) })).rate.data[0]).toBeCloseTo(rate, 6);
    }
    await compiled.dispose();
  });

  it("leaves no tensors behind", async () => {
    await tf.setBackend("cpu");
    const step = tf.scalar(3);
    const before = tf.memory().numTensors;
    warmupCosine({ peak: 1, steps: 10, warmup: 5 })(step).dispose();
    expect(tf.memory().numTensors).toBe(before);
    step.dispose();
  });

  it("refuses stretches that do not fit", () => {
    expect(() => warmupCosine({ peak: 1, steps: 10, warmup: 10 })).toThrow(
      "warmup is 10, expected a whole number from 0 to 9",
    );
    expect(() => warmupLinear({ peak: 1, steps: 2.5 })).toThrow("steps is 2.5");
    expect(() => warmupLinear({ peak: 1, steps: 10, floor: 2 })).toThrow("peak is 1 and floor 2");
    expect(() => warmupLinear({ peak: Number.NaN, steps: 10 })).toThrow("peak is NaN");
    expect(() => warmupStableDecay({ peak: 1, steps: 10, warmup: 4, decay: 7 })).toThrow("decay is 7");
  });
});
