import type { Scale } from "./parameters.js";

export interface FigureBasis {
  /** The notebook's dial. */
  scale: Scale;
  /** What a figure is based on by default: "24 chains", "10 problems". Default: not stated. */
  problems?: string | undefined;
  /** Source of the problems; a sample in place of the data set is stated at every scale. */
  loaded?: { origin: string } | undefined;
}

let basis: FigureBasis = { scale: "standard" };

/**
 * Set once, in a notebook's set-up, what its figures are based on: at smoke scale each figure states its number of
 * problems in its corner, and, with the project's sample in place of GSM8K, that as well.
 */
export function noteFigures(of: FigureBasis): void {
  basis = of;
}

/** What one figure is based on, if it differs from what `noteFigures` was given. */
export interface OwnBasis {
  /** Its number of problems: "1 chain". */
  problems?: string | undefined;
  /** What it is drawn from in place of the notebook's problems: "the paper's table", "a committed run of 400 problems". */
  from?: string | undefined;
}

/** The note in the corner of a figure; empty where there is nothing that must be known. */
export function figureNote({ problems = basis.problems, from }: OwnBasis = {}): string {
  if (from !== undefined) return basis.scale === "smoke" ? `smoke scale \u00B7 ${from}` : "";
  const isSample = basis.loaded?.origin === "sample";
  const parts = [
    ...(basis.scale === "smoke" ? ["smoke scale"] : []),
    ...(isSample ? ["the project's sample, not GSM8K"] : []),
  ];
  return parts.length === 0 ? "" : [...parts, ...(problems ? [problems] : [])].join(" \u00B7 ");
}
