import tf = require("@tensorflow/tfjs");

import { badInput, ThoughtbookError } from "../../core/index.js";

/**
 * A learning rate by the number of the update. The first update is number 1; the corner points of a schedule lie at whole
 * numbers. Given a scalar tensor, it is computed in TensorFlow.js, so that it becomes a part of a compiled step; given a
 * number, it is a number, for display.
 */
export interface Schedule {
  (step: number): number;
  (step: tf.Tensor): tf.Tensor;
}

/** A stretch of a schedule: from where the one before ended to `to`, by update number `until`. */
interface Segment {
  until: number;
  to: number;
  shape: "linear" | "cosine";
}

export interface WarmupDecayOptions {
  /** The highest learning rate. */
  peak: number;
  /** Updates of the whole run; the last one, and all after it, have the floor. */
  steps: number;
  /** Updates until the peak, linear from 0. Default: 0. */
  warmup?: number;
  /** The learning rate at the end. Default: 0. */
  floor?: number;
}

export interface StableDecayOptions extends WarmupDecayOptions {
  /** Updates of the decay at the end. */
  decay: number;
}

/** The same learning rate always. */
export function constantRate(learningRate: number): Schedule {
  return piecewise(learningRate, []);
}

/** Linear warm-up, then half a cosine down to the floor (Loshchilov & Hutter 2017, without restarts). */
export function warmupCosine(options: WarmupDecayOptions): Schedule {
  return warmupDecay(options, "cosine");
}

/** Linear warm-up, then a straight line down to the floor. */
export function warmupLinear(options: WarmupDecayOptions): Schedule {
  return warmupDecay(options, "linear");
}

/** Linear warm-up, a constant stretch, and a straight line down to the floor (WSD; Hu et al. 2024). */
export function warmupStableDecay({ peak, steps, warmup = 0, floor = 0, decay }: StableDecayOptions): Schedule {
  checkStretch("decay", decay, 1, steps - warmup);
  return warmupDecay({ peak, steps, warmup, floor }, "linear", steps - decay);
}

function warmupDecay(
  { peak, steps, warmup = 0, floor = 0 }: WarmupDecayOptions,
  shape: Segment["shape"],
  stableUntil = warmup,
): Schedule {
  checkStretch("steps", steps, 1, Number.MAX_SAFE_INTEGER);
  checkStretch("warmup", warmup, 0, steps - 1);
  if (!(peak >= floor && floor >= 0)) {
    throw new ThoughtbookError("bad-input", `peak is ${peak} and floor ${floor}, expected 0 ≤ floor ≤ peak`);
  }
  return piecewise(warmup === 0 ? peak : 0, [
    { until: warmup, to: peak, shape: "linear" },
    { until: stableUntil, to: peak, shape: "linear" },
    { until: steps, to: floor, shape },
  ]);
}

/** As the segments join, the value is the sum of how far each of them has got: there is nothing to choose between. */
function piecewise(first: number, segments: readonly Segment[]): Schedule {
  const stretches = segments.map(({ until, to, shape }, i) => {
    const start = segments[i - 1]?.until ?? 0;
    return { start, length: until - start, rise: to - (segments[i - 1]?.to ?? first), shape };
  });
  const moving = stretches.filter(({ length, rise }) => length > 0 && rise !== 0);
  const inNumbers = (step: number): number =>
    moving.reduce((value, { start, length, rise, shape }) => {
      const share = Math.min(1, Math.max(0, (step - start) / length));
      return value + rise * (shape === "linear" ? share : (1 - Math.cos(Math.PI * share)) / 2);
    }, first);
  const inTensors = (step: tf.Tensor): tf.Tensor =>
    moving.reduce((value, { start, length, rise, shape }) => {
      const share = step.sub(start).div(length).maximum(0).minimum(1);
      return value.add((shape === "linear" ? share : tf.sub(1, share.mul(Math.PI).cos()).div(2)).mul(rise));
    }, tf.scalar(first) as tf.Tensor);
  const schedule = (step: number | tf.Tensor) =>
    typeof step === "number" ? inNumbers(step) : tf.tidy(() => inTensors(step.toFloat()));
  return schedule as Schedule;
}

function checkStretch(name: string, value: number, lowest: number, highest: number): void {
  if (Number.isInteger(value) && value >= lowest && value <= highest) return;
  throw badInput(
    `${name} is ${value}, expected a whole number from ${lowest} to ${highest === Number.MAX_SAFE_INTEGER ? "any" : highest}`,
    "Steps, warm-up and decay are numbers of updates; warm-up and decay fit into steps.",
  );
}
