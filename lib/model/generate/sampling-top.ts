/** A token of the vocabulary and the natural logarithm of its probability. */
export interface TokenLogProb {
  id: number;
  logProb: number;
}

const NONE: readonly TokenLogProb[] = [];

/**
 * The most probable tokens, the best first; ties by the smaller id.
 *
 * @param logProbs rows of log-probabilities, one of which begins at `start` and has `size` of them
 */
export function topTokens(logProbs: Float32Array, start: number, size: number, count: number): readonly TokenLogProb[] {
  const most = Math.min(count, size);
  if (most === 0) return NONE;
  const best: TokenLogProb[] = [];
  for (let id = 0; id < size; id++) {
    const logProb = logProbs[start + id]!;
    if (best.length === most && logProb <= best[most - 1]!.logProb) continue;
    let place = best.length;
    while (place > 0 && best[place - 1]!.logProb < logProb) place--;
    best.splice(place, 0, { id, logProb });
    if (best.length > most) best.pop();
  }
  return best;
}
