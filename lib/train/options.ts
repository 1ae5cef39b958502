import { ThoughtbookError } from "../core/index.js";
import { constantRate, type Schedule, warmupCosine, warmupLinear } from "../tensor/index.js";
import type { Batching } from "./batches.js";

/** How training goes; everything but the seed has a default. */
export interface TrainingSettings {
  seed: number | string;
  /** Times that each example is seen. Default: 1, or as often as `maxSteps` needs. */
  epochs?: number | undefined;
  /** The most updates. Default: those of the epochs. */
  maxSteps?: number | undefined;
  /** Examples a batch; packed, on average. Default: 16. */
  batchSize?: number | undefined;
  /** Batches an update. Default: 1. */
  accumulation?: number | undefined;
  /**
   * `pack`: several texts a row, none of which sees another, so that there is one program and little padding. `bucket`:
   * one text a row, with texts of like length. Default: `pack`.
   */
  batching?: Batching | undefined;
  /** The highest learning rate. Default: 5e-4, or 2e-3 for an adapter. */
  learningRate?: number | undefined;
  /** How the learning rate goes down after the warm-up. Default: `cosine`, to 0. */
  schedule?: "cosine" | "linear" | "constant" | undefined;
  /** Updates in which the learning rate goes up from 0; below 1 a share of all. Default: 0.05. */
  warmup?: number | undefined;
  /**
   * `adamw`, or `muon`, which needs fewer updates from nothing: linear layers by Muon, all else by AdamW. Default: `adamw`.
   */
  optimizer?: "adamw" | "muon" | undefined;
  /** Decay of matrices; biases and gains do not decay. Default: 0.01. */
  weightDecay?: number | undefined;
  beta1?: number | undefined;
  beta2?: number | undefined;
  /** Gradients with a larger norm are scaled down to it. Default: 1. */
  clipNorm?: number | undefined;
}

/** Settings with all defaults filled in. */
export interface Settings {
  seed: number | string;
  epochs: number;
  maxSteps: number;
  batchSize: number;
  accumulation: number;
  batching: Batching;
  learningRate: number;
  schedule: "cosine" | "linear" | "constant";
  warmup: number;
  optimizer: "adamw" | "muon";
  weightDecay: number;
  beta1: number;
  beta2: number;
  clipNorm: number;
}

/** @throws bad-input naming the setting that is out of its range */
export function completeSettings(given: TrainingSettings, { isAdapter }: { isAdapter: boolean }): Settings {
  const { seed, maxSteps = Number.POSITIVE_INFINITY, schedule = "cosine", batching = "pack" } = given;
  const settings: Settings = {
    seed,
    epochs: given.epochs ?? (given.maxSteps === undefined ? 1 : Number.POSITIVE_INFINITY),
    maxSteps,
    batchSize: given.batchSize ?? 16,
    accumulation: given.accumulation ?? 1,
    batching,
    learningRate: given.learningRate ?? (isAdapter ? 2e-3 : 5e-4),
    schedule,
    warmup: given.warmup ?? 0.05,
    optimizer: given.optimizer ?? "adamw",
    weightDecay: given.weightDecay ?? 0.01,
    beta1: given.beta1 ?? 0.9,
    beta2: given.beta2 ?? 0.999,
    clipNorm: given.clipNorm ?? 1,
  };
  for (const name of ["epochs", "maxSteps", "batchSize", "accumulation"] as const) {
    const value = settings[name];
    if (given[name] === undefined || (Number.isInteger(value) && value > 0)) continue;
    throw badInput(`${name} is ${value}, expected a whole number above 0`);
  }
  for (const name of ["learningRate", "clipNorm"] as const) {
    if (settings[name] > 0 && settings[name] < Number.POSITIVE_INFINITY) continue;
    throw badInput(`${name} is ${settings[name]}, expected a finite number above 0`);
  }
  if (!(settings.warmup >= 0 && (settings.warmup < 1 || Number.isInteger(settings.warmup)))) {
    throw badInput(`warmup is ${settings.warmup}, expected a number of updates, or a share of them below 1`);
  }
  return settings;
}

/** The learning rate of a run of so many updates. */
export function scheduleOf({ schedule, learningRate: peak, warmup }: Settings, steps: number): Schedule {
  const rising = Math.min(warmup < 1 ? Math.round(warmup * steps) : warmup, steps);
  // It is 0 after the last update, not in it, or that one would change nothing.
  const times = { steps: steps + 1, warmup: rising };
  if (schedule === "cosine") return warmupCosine({ peak, ...times });
  if (schedule === "linear") return warmupLinear({ peak, ...times });
  return rising === 0 ? constantRate(peak) : warmupLinear({ peak, floor: peak, ...times });
}

const badInput = (message: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", message, { hint: "Correct the setting, or leave it out for the default." });
