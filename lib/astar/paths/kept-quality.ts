import { crossedEstimate, type Estimate } from "../../eval/index.js";

/** Agreement of the kept steps with those that the answer needs, over all steps of all chains. */
export interface KeptQuality {
  /** Share of the kept steps that are necessary; undefined if none was kept. */
  precision?: Estimate;
  /** Share of the necessary steps that were kept; undefined if none is necessary. */
  recall?: Estimate;
}

/**
 * Precision and recall of kept steps, with 95 % intervals over chains.
 *
 * @param chains the steps kept of each, as indices, and of each step whether it is necessary
 */
export function keptQuality(
  chains: readonly { kept: readonly number[]; necessary: readonly boolean[] }[],
): KeptQuality {
  const hits = chains.map(({ kept, necessary }) => kept.filter((step) => necessary[step]).length);
  const share = (wholes: readonly number[]): Estimate | undefined =>
    wholes.some((whole) => whole > 0)
      ? crossedEstimate([[hits], [wholes]], (part, whole) => part / whole, { scale: "logit" })
      : undefined;
  const precision = share(chains.map(({ kept }) => kept.length));
  const recall = share(chains.map(({ necessary }) => necessary.filter(Boolean).length));
  return { ...(precision ? { precision } : {}), ...(recall ? { recall } : {}) };
}
