import { sum } from "../../core/index.js";
import { crossedEstimate, type Estimate, type Points } from "../../eval/index.js";
import { keptQuality } from "../paths/kept-quality.js";
import { type ChainSignals, type ImportanceOptions, rankSteps } from "./formulas.js";

/** A chain whose steps were weighed, and for each step whether the answer needs it. */
export interface LabelledSignals {
  signals: ChainSignals;
  necessary: readonly boolean[];
}

/**
 * Share of necessary steps among the most important ones, taking as many steps of each chain as are necessary:
 * precision and recall at once. With its 95 % interval over chains.
 *
 * @throws bad-input as `rankSteps`; RangeError if no step is necessary
 */
export function signalPrecision(chains: readonly LabelledSignals[], options: ImportanceOptions): Estimate {
  const { precision } = keptQuality(
    chains.map(({ signals, necessary }, i) => {
      const { order } = rankSteps(signals, { ...options, seed: `${options.seed ?? 0}/${i}` });
      return { kept: order.slice(0, necessary.filter(Boolean).length), necessary };
    }),
  );
  if (precision) return precision;
  throw new RangeError("expected chains with necessary steps");
}

/** Each bin but the last holds step lengths up to this number of tokens. */
const LENGTH_BINS = 8;
/** Drop bins with steps of fewer chains: their intervals would be meaningless. */
const FEWEST_CHAINS = 10;

/**
 * Mean rank of steps in the order of importance, by their length, from 0 (most important) to 100; 50 is chance. Shows
 * whether importance merely prefers short steps. With 95 % intervals over chains.
 *
 * @param widest step length in tokens at which the last, open bin begins
 * @throws bad-input as `rankSteps`
 */
export function placeByLength(
  chains: readonly ChainSignals[],
  options: ImportanceOptions & { widest: number },
): Points {
  const { widest, ...importance } = options;
  const bin = widest / LENGTH_BINS;
  const lengths = Array.from({ length: LENGTH_BINS }, (_, i) => (i + 1) * bin);
  const places = chains.map((chain) => {
    const { order } = rankSteps(chain, importance);
    return order.flatMap((step, place) => {
      const tokens = chain.steps[step]?.tokens;
      if (tokens === undefined) return [];
      const length = Math.min(widest, Math.ceil(tokens / bin) * bin);
      return { length, place: (100 * (place + 0.5)) / order.length };
    });
  });
  const bins = lengths.flatMap((x) => {
    const own = places.map((all) => all.filter(({ length }) => length === x).map(({ place }) => place));
    const counts = own.map((all) => all.length);
    if (counts.filter((count) => count > 0).length < FEWEST_CHAINS) return [];
    const sums = own.map(sum);
    const { value: y, interval } = crossedEstimate([[sums], [counts]], (sum, count) => sum / count);
    return { x, y, interval: interval! };
  });
  return {
    x: bins.map(({ x }) => x),
    y: bins.map(({ y }) => y),
    intervals: bins.map(({ interval }) => interval),
  };
}
