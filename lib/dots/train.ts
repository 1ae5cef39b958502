import { type FineTuned, type FineTuneOptions, fineTune } from "../train/index.js";

/** Settings of training that DOTS leaves to its defaults; others of `fineTune` may be given. */
export type TrainPlannerOptions = Pick<FineTuneOptions, "model" | "data" | "out" | "seed"> & Partial<FineTuneOptions>;

/**
 * Train a planner, or a solver that plans by itself, on the rows that `thoughtbook dots build` wrote: full weights, or an adapter that is
 * merged, for 4 epochs (the paper's) at a learning rate for small models (the paper's 2e-5 is for 8 B).
 *
 * @throws as `fineTune`
 */
export const trainPlanner = (options: TrainPlannerOptions): Promise<FineTuned> =>
  fineTune({ epochs: 4, ...(options.lora ? {} : { learningRate: 3e-4 }), ...options });
