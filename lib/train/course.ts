import { createRandom, ThoughtbookError } from "../core/index.js";
import type { BatchPlan } from "./batch-plan.js";
import type { BatchSource } from "./batches.js";
import type { Settings } from "./options.js";

/** The batches of one update. */
export interface Update {
  /** Number of the update, from 1. */
  step: number;
  /** From 1. */
  epoch: number;
  plans: readonly [BatchPlan, ...BatchPlan[]];
}

export interface Course {
  /** Updates of the whole run. */
  steps: number;
  /** All updates after the given one. The order of an epoch follows from the seed and its number. */
  updatesAfter(step: number): Generator<Update, void, undefined>;
  /** Tokens that the run puts in. */
  tokens: number;
}

/** Which batches a run trains on, and in which order. */
export function planCourse(
  source: BatchSource,
  { seed, epochs, maxSteps, accumulation }: Pick<Settings, "seed" | "epochs" | "maxSteps" | "accumulation">,
  tokensOf: (plan: BatchPlan) => number,
): Course {
  const random = createRandom(seed).stream("batches");
  function* updatesAfter(done: number): Generator<Update, void, undefined> {
    let step = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const plans = source.epoch(random.stream(`epoch ${epoch}`));
      for (let first = 0; first < plans.length; first += accumulation) {
        if (step === maxSteps) return;
        step++;
        const chosen = plans.slice(first, first + accumulation) as [BatchPlan, ...BatchPlan[]];
        if (step > done) yield { step, epoch, plans: chosen };
      }
    }
  }
  let [steps, tokens] = [0, 0];
  for (const { plans } of updatesAfter(0)) {
    steps++;
    for (const plan of plans) tokens += tokensOf(plan);
  }
  if (steps === 0) throw new ThoughtbookError("bad-input", "there is nothing to train on", { hint: "Give examples." });
  return { steps, tokens, updatesAfter };
}
