import { sha256 } from "../../core/index.js";

/**
 * Parts of a split, for sets without a split to tune on: `tune` to choose how a model is asked, `rest` for all else. Of
 * GSM8K's training split, worked examples come from the rest only.
 */
export const PARTS = ["tune", "rest"] as const;
export type Part = (typeof PARTS)[number];

/** The tune part is one of this many. */
const TUNE_OF = 3;

/** The part of a problem, by a fixed hash of its id: a third of each split is to tune on, whatever is done with it. */
export const partOf = (id: string): Part =>
  Number.parseInt(sha256(`part/${id}`).slice(0, 8), 16) % TUNE_OF === 0 ? "tune" : "rest";
