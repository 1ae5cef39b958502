import type { GrpoOptions, RolloutSourceOptions, TrainOptions } from "../train/index.js";

type Source = Omit<RolloutSourceOptions<never>, "objective" | "folder" | "seed">;

/** What an optimisation by groups of rewarded attempts takes, whatever it trains. */
export interface GroupOptions
  extends Source,
    GrpoOptions,
    Pick<TrainOptions<never>, "onRecord" | "saveEvery" | "evaluate" | "evaluateEvery"> {
  seed?: number | string | undefined;
  /** Folder of the run, which resumes. */
  folder: string;
}

/** The options of the trainer among them; vectors and adapters are the last ones, not the best by a score. */
export const trainOptionsOf = ({
  folder,
  onRecord,
  saveEvery,
  evaluate,
  evaluateEvery,
  signal,
  threads,
  display,
}: GroupOptions) => ({ folder, onRecord, saveEvery, evaluate, evaluateEvery, signal, threads, display });
