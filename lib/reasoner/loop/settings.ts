import { z } from "zod";
import { badInput } from "../../core/index.js";
import { SEARCHES } from "../search/settings.js";

/**
 * How the policy learns from what was collected. `bc`: cloning of right solutions (rejection sampling). `weighted`: of all that is kept,
 * by its partial reward. `dpo`: pairs of right and partly right ones. `ppo` (value head, GAE) and `grpo`: the attempts of the round.
 * `gold`: the tasks' own reference solutions, for comparison.
 */
export const LEARNERS = ["bc", "weighted", "dpo", "ppo", "grpo", "gold"] as const;
export type Learner = (typeof LEARNERS)[number];

const whole = z.int().positive();

/** Settings of a run, and of files of studies. */
export const loopSchema = z.strictObject({
  /** Tasks to learn from, and held-out ones: names of `loadReasonerTask`. */
  task: z.string().min(1),
  heldOut: z.string().min(1),
  /** Splits of both. */
  split: z.string().default("train"),
  heldOutSplit: z.string().default("test"),
  rounds: whole,
  /** Tasks that are attempted in a round, chosen from a pool. */
  tasks: whole,
  /** Tasks to choose from. Default: four times `tasks`. */
  pool: whole.optional(),
  /** Attempts at each task. */
  samples: whole,
  /** How each attempt is made: one sample, or a search that sees the labels. */
  search: z.enum(["sample", ...SEARCHES]).default("sample"),
  /** New tokens of a search. */
  budget: whole.default(512),
  temperature: z.number().positive().default(1),
  maxNewTokens: whole.default(96),
  heldOutTasks: whole.default(128),
  /** Attempts at each held-out task beside the greedy one, for pass@k, before the first and after the last round; 0 for none. */
  heldOutSamples: z.int().min(0).default(0),
  learner: z.enum(LEARNERS),
  /** Weight of steps in the partial reward, and what the learners of rewards see of each part. */
  lambda: z.number().min(0).max(1).default(0.5),
  weights: z.strictObject({ outcome: z.number(), partial: z.number(), format: z.number() }).partial().default({}),
  /** Most right and most partly right solutions of a task that are learned from. */
  mostRight: whole.default(8),
  mostNear: whole.default(8),
  /** Whether the tasks of a round are chosen by what is known of them; else at random. */
  active: z.boolean().default(true),
  /** Most solutions that are learned from in a round, by their hashes. Default: all. */
  rows: whole.optional(),
  /**
   * Begin with a weakened model: normal noise is added to each matrix, of this share of its own standard deviation. Default: 0.
   */
  weaken: z.number().min(0).max(1).default(0),
  /** Rank of an adapter. Default: all weights are trained. */
  lora: whole.optional(),
  epochs: whole.default(3),
  batchSize: whole.default(16),
  /** Default: by the learner and whether there is an adapter. */
  learningRate: z.number().positive().optional(),
  beta: z.number().positive().default(0.1),
  /** Of ppo and grpo: passes over the attempts of a round, and updates of a pass. */
  passes: whole.default(2),
  updates: whole.default(4),
});

export type LoopSettings = z.input<typeof loopSchema>;
export type CompleteLoop = z.output<typeof loopSchema>;

/** @throws bad-input naming the setting that is wrong */
export function completeLoop(settings: LoopSettings): CompleteLoop {
  const parsed = loopSchema.safeParse(settings);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw badInput(`${path.join(".")}: ${message}`, "Correct the setting, or leave it out for the default.");
  }
  const complete = parsed.data;
  const pool = complete.pool ?? 4 * complete.tasks;
  if (complete.tasks > pool)
    throw badInput(`tasks is ${complete.tasks}, and the pool has ${pool}`, "Enlarge the pool.");
  if (complete.task === complete.heldOut && complete.split === complete.heldOutSplit) {
    throw badInput(`${complete.task} is both learned from and held out`, "Give another split, or another task.");
  }
  const isOnPolicy = complete.learner === "ppo" || complete.learner === "grpo";
  if (isOnPolicy && complete.search !== "sample") {
    throw badInput(
      `${complete.learner} learns from samples of the policy, and the search is ${complete.search}`,
      'Choose "sample".',
    );
  }
  if (isOnPolicy && complete.samples < 2) {
    throw badInput(`${complete.learner} compares attempts, and samples is 1`, "Take 2 or more.");
  }
  return complete;
}

/** Learning rates: what a model knows already is lost quickly, so those of all weights are low. */
const RATES: Record<Learner, { all: number; adapter: number }> = {
  bc: { all: 1e-4, adapter: 5e-4 },
  weighted: { all: 1e-4, adapter: 5e-4 },
  gold: { all: 1e-4, adapter: 5e-4 },
  dpo: { all: 3e-5, adapter: 2e-4 },
  ppo: { all: 1e-4, adapter: 5e-4 },
  grpo: { all: 1e-4, adapter: 5e-4 },
};

export const rateOf = ({
  learner,
  lora,
  learningRate,
}: Pick<CompleteLoop, "learner" | "lora" | "learningRate">): number =>
  learningRate ?? RATES[learner][lora === undefined ? "all" : "adapter"];
