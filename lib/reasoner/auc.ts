import { badInput } from "../core/index.js";

/**
 * Area under the ROC curve: the probability that a right item has a higher score than a wrong one, ties counting half. Undefined if all
 * are right, or all wrong.
 *
 * @throws bad-input for lists of different lengths
 */
export function auc(scores: readonly number[], right: readonly boolean[]): number | undefined {
  if (scores.length !== right.length) {
    throw badInput(`there are ${scores.length} scores and ${right.length} labels`, "Give one label for each score.");
  }
  const order = scores.map((score, at) => ({ score, right: right[at]! })).sort((a, b) => a.score - b.score);
  const positives = right.filter(Boolean).length;
  const negatives = right.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  let rankSum = 0;
  for (let first = 0; first < order.length; ) {
    let end = first;
    while (end < order.length && order[end]!.score === order[first]!.score) end++;
    // Equal scores share the mean of their ranks, which count from 1.
    const rank = (first + 1 + end) / 2;
    rankSum += rank * order.slice(first, end).filter((each) => each.right).length;
    first = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
