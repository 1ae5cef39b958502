import { badInput, ThoughtbookError } from "../../core/index.js";

/** Sampling options. The filters apply in the order of this list, as in Hugging Face's transformers. */
export interface SamplingOptions {
  /**
   * Repetition penalty (Keskar et al. 2019): logits of tokens that occur in the text so far are divided by it if
   * positive, else multiplied. Default: 1, none.
   */
  repetitionPenalty?: number | undefined;
  /** Temperature: logits are divided by it; 0 always takes the best token. Default: 1. */
  temperature?: number | undefined;
  /** Top-k: sample among this many best tokens. Default: 0, all. */
  topK?: number | undefined;
  /** Top-p: sample among the fewest best tokens with this total probability (Holtzman et al. 2020). Default: 1, all. */
  topP?: number | undefined;
  /**
   * Min-p: sample among tokens at least this many times as probable as the best one (Nguyen et al. 2024). Default: 0,
   * all.
   */
  minP?: number | undefined;
}

export type Sampling = { readonly [Name in keyof SamplingOptions]-?: number };

/** Scores of the next token of one text, a row of a larger array. */
export interface ScoreRow {
  /** Natural logarithms of probabilities. */
  logProbs: Float32Array;
  /** Where the row begins. */
  start: number;
  /** Added to the log-probabilities, it gives the logits. */
  normaliser: number;
}

/** Reusable memory for sampling from a vocabulary. */
export interface SamplingMemory {
  scores: Float64Array;
  scratch: Float64Array;
  kept: Int32Array;
}

export function createSamplingMemory(vocabularySize: number): SamplingMemory {
  return {
    scores: new Float64Array(vocabularySize),
    scratch: new Float64Array(vocabularySize),
    kept: new Int32Array(vocabularySize),
  };
}

/**
 * Check options and fill in defaults.
 *
 * @throws bad-input for a value out of its range
 */
export function resolveSampling({
  repetitionPenalty = 1,
  temperature = 1,
  topK = 0,
  topP = 1,
  minP = 0,
}: SamplingOptions): Sampling {
  const check = (name: string, value: number, fits: boolean, expected: string) => {
    if (fits) return;
    throw badInput(`${name} is ${value}, expected ${expected}`, "Correct the option.");
  };
  check("temperature", temperature, temperature >= 0 && Number.isFinite(temperature), "a number from 0");
  check("topK", topK, Number.isInteger(topK) && topK >= 0, "a whole number from 0, which means all tokens");
  check("topP", topP, topP > 0 && topP <= 1, "a number above 0, at most 1");
  check("minP", minP, minP >= 0 && minP <= 1, "a number from 0 to 1");
  const penaltyFits = repetitionPenalty > 0 && Number.isFinite(repetitionPenalty);
  check("repetitionPenalty", repetitionPenalty, penaltyFits, "a number above 0");
  return { repetitionPenalty, temperature, topK, topP, minP };
}

/**
 * Choose the next token.
 *
 * Tokens are drawn in the order of their ids, with one random number per token: the same number gives the same token
 * even when the scores differ slightly, as they do between batch sizes. Nothing is sorted.
 *
 * @param seen the ids of the text so far, for the repetition penalty
 * @param uniform returns a random number from [0, 1); called once, and not at temperature 0
 * @throws execution if the scores are NaN
 */
export function sampleToken(
  row: ScoreRow,
  sampling: Sampling,
  seen: Iterable<number>,
  uniform: () => number,
  memory: SamplingMemory,
): number {
  const { temperature, topK, topP, minP, repetitionPenalty } = sampling;
  const { scores, scratch, kept } = memory;
  const count = scores.length;
  if (Number.isNaN(row.logProbs[row.start]!)) {
    throw new ThoughtbookError("execution", "the model's scores are no numbers (NaN)", {
      hint: "Its weights are broken, or too large for float32: check the checkpoint, or lower the learning rate.",
    });
  }
  if (repetitionPenalty === 1 && temperature === 0) return bestOf(row.logProbs, row.start, count);
  const all = (topK === 0 || topK >= count) && topP === 1 && minP === 0;
  if (repetitionPenalty === 1 && temperature === 1 && all) return drawFromLogProbs(row, count, uniform());

  const { logProbs, start } = row;
  for (let id = 0; id < count; id++) scores[id] = logProbs[start + id]!;
  if (repetitionPenalty !== 1) penalise(scores, row, seen, repetitionPenalty);
  const best = bestOf(scores, 0, count);
  if (temperature === 0) return best;
  const highest = scores[best]!;

  let size = 0;
  if (topK === 0 || topK >= count) {
    for (let id = 0; id < count; id++) kept[id] = id;
    size = count;
  } else {
    scratch.set(scores);
    const { value, ties } = threshold(scratch, count, topK, true);
    size = keep(kept, scores, count, value, ties);
  }
  // From here on `scores` holds the weights of the kept tokens, parallel to `kept`.
  for (let i = 0; i < size; i++) scores[i] = Math.exp((scores[kept[i]!]! - highest) / temperature);
  if (topP < 1) {
    let total = 0;
    for (let i = 0; i < size; i++) {
      scratch[i] = scores[i]!;
      total += scores[i]!;
    }
    const { value, ties } = threshold(scratch, size, topP * total, false);
    size = filter(kept, scores, size, value, ties);
  }
  // The best token's weight is 1.
  if (minP > 0) size = filter(kept, scores, size, minP, count);
  return kept[drawFromWeights(scores, size, uniform())]!;
}

/** Index of the largest value, the first one among equals, counted from `start`. */
function bestOf(values: Float32Array | Float64Array, start: number, count: number): number {
  let best = 0;
  let highest = values[start]!;
  for (let i = 1; i < count; i++) {
    const value = values[start + i]!;
    if (value > highest) {
      highest = value;
      best = i;
    }
  }
  return best;
}

function penalise(
  scores: Float64Array,
  { logProbs, start, normaliser }: ScoreRow,
  seen: Iterable<number>,
  penalty: number,
) {
  for (const id of seen) {
    const logit = logProbs[start + id]! + normaliser;
    scores[id] = (logit > 0 ? logit / penalty : logit * penalty) - normaliser;
  }
}

function drawFromLogProbs({ logProbs, start }: ScoreRow, count: number, uniform: number): number {
  let sum = 0;
  let last = 0;
  for (let id = 0; id < count; id++) {
    const probability = Math.exp(logProbs[start + id]!);
    if (probability === 0) continue;
    sum += probability;
    last = id;
    if (sum > uniform) return id;
  }
  // The probabilities add up to a little less than 1.
  return last;
}

function drawFromWeights(weights: Float64Array, size: number, uniform: number): number {
  let total = 0;
  for (let i = 0; i < size; i++) total += weights[i]!;
  let left = uniform * total;
  let last = 0;
  for (let i = 0; i < size; i++) {
    if (weights[i] === 0) continue;
    left -= weights[i]!;
    last = i;
    if (left < 0) return i;
  }
  return last;
}

/**
 * Write the indices of the values above a threshold, and of the first few equal to it up to a count; returns their
 * number.
 */
function keep(kept: Int32Array, values: Float64Array, count: number, value: number, ties: number): number {
  let size = 0;
  for (let i = 0; i < count; i++) if (values[i]! > value || (values[i] === value && ties-- > 0)) kept[size++] = i;
  return size;
}

/** Move the weights that pass, and the ids beside them, to the front; returns their number. */
function filter(kept: Int32Array, weights: Float64Array, count: number, value: number, ties: number): number {
  let size = 0;
  for (let i = 0; i < count; i++) {
    if (!(weights[i]! > value || (weights[i] === value && ties-- > 0))) continue;
    weights[size] = weights[i]!;
    kept[size++] = kept[i]!;
  }
  return size;
}

interface Threshold {
  /** The smallest of the largest values. */
  value: number;
  /** How many values equal to it are included. */
  ties: number;
}

/**
 * Find the cut below the largest values that reach a goal together: by number, or by sum. Partitions (Hoare's
 * quickselect) take linear time; the values are reordered.
 */
function threshold(values: Float64Array, count: number, goal: number, byNumber: boolean): Threshold {
  let low = 0;
  let high = count;
  let left = goal;
  for (;;) {
    const pivot = median(values[low]!, values[(low + high) >> 1]!, values[high - 1]!);
    // Move larger values to the front, equal ones after them.
    let larger = low;
    let end = high;
    let sum = 0;
    for (let i = low; i < end; ) {
      const value = values[i]!;
      if (value > pivot) {
        values[i++] = values[larger]!;
        values[larger++] = value;
        sum += value;
      } else if (value === pivot) i++;
      else {
        values[i] = values[--end]!;
        values[end] = value;
      }
    }
    const above = byNumber ? larger - low : sum;
    const one = byNumber ? 1 : pivot;
    if (above >= left && larger > low) {
      high = larger;
    } else if (end === high || above + one * (end - larger) >= left) {
      const ties = one > 0 ? Math.max(1, Math.ceil((left - above) / one)) : end - larger;
      return { value: pivot, ties };
    } else {
      left -= above + one * (end - larger);
      low = end;
    }
  }
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
