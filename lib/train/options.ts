import { z } from "zod";
import { badInput, withoutUndefined } from "../core/index.js";
import { constantRate, type Schedule, warmupCosine, warmupLinear } from "../tensor/index.js";

const WHOLE = "expected a whole number above 0";
const ABOVE_0 = "expected a finite number above 0";
const count = z.int(WHOLE).positive(WHOLE);
const above0 = z.number(ABOVE_0).positive(ABOVE_0);
const from0 = z.number("expected a finite number, 0 or more").nonnegative("expected a finite number, 0 or more");
const share = z.number().min(0, "expected 0 or more").lt(1, "expected less than 1");

/**
 * Training settings and their ranges, in whatever form they are given: in code, as flags, in files of recipes and
 * studies.
 */
export const trainingSettingsSchema = z.strictObject({
  seed: z.union([z.number(), z.string()]),
  /** Number of epochs. Default: 1, or as many as `maxSteps` needs. */
  epochs: count,
  /** Maximum number of updates. Default: those of the epochs. */
  maxSteps: count,
  /** Examples per batch; on average, if packed. Default: 16. */
  batchSize: count,
  /** Batches per update (gradient accumulation). Default: 1. */
  accumulation: count,
  /**
   * `pack`: several texts per row, none of which sees another: one program and little padding. `bucket`: one text per
   * row, together with texts of similar length. Default: `pack`.
   */
  batching: z.enum(["pack", "bucket"]),
  /** Peak learning rate. Default: 5e-4, or 2e-3 for an adapter. */
  learningRate: above0,
  /** Decay of the learning rate after the warm-up. Default: `cosine`, to 0. */
  schedule: z.enum(["cosine", "linear", "constant"]),
  /** Warm-up updates, in which the learning rate rises from 0; below 1 a share of all updates. Default: 0.05. */
  warmup: z
    .number()
    .nonnegative()
    .refine(
      (value) => value < 1 || Number.isInteger(value),
      "expected a number of updates, or a share of them below 1",
    ),
  /**
   * `adamw`; `muon`, which needs fewer updates from nothing: linear layers by Muon, all else by AdamW; or plain `sgd`.
   * Default: `adamw`.
   */
  optimizer: z.enum(["adamw", "muon", "sgd"]),
  /** Weight decay of matrices; biases and gains do not decay. Default: 0.01. */
  weightDecay: from0,
  beta1: share,
  beta2: share,
  /** Maximum gradient norm: larger gradients are scaled down to it. Default: 1. */
  clipNorm: above0,
});

type Ranges = z.infer<typeof trainingSettingsSchema>;
/** Training settings; everything but the seed has a default. */
export type TrainingSettings = Pick<Ranges, "seed"> & { [Key in keyof Ranges]?: Ranges[Key] | undefined };

/** Settings with all defaults filled in; an unlimited number is infinite. */
export type Settings = Ranges;

const DEFAULTS = {
  batchSize: 16,
  accumulation: 1,
  batching: "pack",
  schedule: "cosine",
  warmup: 0.05,
  optimizer: "adamw",
  weightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  clipNorm: 1,
} as const;

/** Select the training settings among other options. */
export function trainingSettingsOf(options: TrainingSettings): TrainingSettings {
  const keys = Object.keys(trainingSettingsSchema.shape) as (keyof TrainingSettings)[];
  return Object.fromEntries(keys.map((key) => [key, options[key]])) as unknown as TrainingSettings;
}

/** @throws bad-input naming the setting that is out of its range */
export function completeSettings(options: TrainingSettings, { isAdapter }: { isAdapter: boolean }): Settings {
  const given: TrainingSettings = withoutUndefined(trainingSettingsOf(options));
  const parsed = trainingSettingsSchema.partial().safeParse(given);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    const name = path[0] as keyof TrainingSettings;
    throw badInput(`${name} is ${given[name]}, ${message}`, "Correct the setting, or leave it out for the default.");
  }
  return {
    ...DEFAULTS,
    epochs: given.maxSteps === undefined ? 1 : Number.POSITIVE_INFINITY,
    maxSteps: Number.POSITIVE_INFINITY,
    learningRate: isAdapter ? 2e-3 : 5e-4,
    ...given,
  } as Settings;
}

/** The learning-rate schedule of a run with this many updates. */
export function scheduleOf({ schedule, learningRate: peak, warmup }: Settings, steps: number): Schedule {
  const rising = Math.min(warmup < 1 ? Math.round(warmup * steps) : warmup, steps);
  // It is 0 after the last update, not in it, or that one would change nothing.
  const times = { steps: steps + 1, warmup: rising };
  if (schedule === "cosine") return warmupCosine({ peak, ...times });
  if (schedule === "linear") return warmupLinear({ peak, ...times });
  return rising === 0 ? constantRate(peak) : warmupLinear({ peak, floor: peak, ...times });
}
