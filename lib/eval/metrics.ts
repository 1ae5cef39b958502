/**
 * Accuracy per computation unit of A*-Thought (arXiv 2505.24550): 100 · accuracy in percent / mean length in tokens.
 * Undefined for texts without tokens.
 *
 * @param accuracy from 0 to 1
 */
export function acu(accuracy: number, meanTokens: number): number | undefined {
  return meanTokens > 0 ? (100 * (100 * accuracy)) / meanTokens : undefined;
}

/**
 * ACU divided by the parameters in billions, as CoT-Valve (arXiv 2502.09601) defined it, so that models of different
 * sizes can be compared.
 */
export function acuByParameters(accuracy: number, meanTokens: number, parameters: number): number | undefined {
  const plain = acu(accuracy, meanTokens);
  return plain === undefined || parameters <= 0 ? undefined : plain / (parameters / 1e9);
}

/**
 * Unbiased estimate of pass@k, the probability that at least one of k samples is correct, from n samples of which c are
 * correct (Chen et al. 2021, arXiv 2107.03374): 1 − C(n−c, k) / C(n, k).
 *
 * @throws RangeError unless 0 ≤ correct ≤ samples and 1 ≤ k ≤ samples, all whole
 *
 * @example
 * ```ts
 * import { passAtK } from "thoughtbook/eval";
 *
 * console.log(passAtK(4, 1, 2)); // 0.5
 * ```
 */
export function passAtK(samples: number, correct: number, k: number): number {
  const whole = [samples, correct, k].every(Number.isInteger);
  if (!whole || correct < 0 || correct > samples || k < 1 || k > samples) {
    throw new RangeError(`expected 0 ≤ correct ≤ samples and 1 ≤ k ≤ samples, got ${correct}, ${samples} and ${k}`);
  }
  let none = 1;
  for (let j = samples - correct + 1; j <= samples; j++) none *= Math.max(0, 1 - k / j);
  return 1 - none;
}

/** Values of k for which pass@k is reported: the powers of two below n, and n. */
export function passSizes(samples: number): number[] {
  const sizes: number[] = [];
  for (let k = 1; k < samples; k *= 2) sizes.push(k);
  return [...sizes, samples];
}

/** A sample with its final answer, if it has one. */
export interface Vote {
  answer: string | undefined;
  correct: boolean;
}

/**
 * Whether the majority answer is correct. Samples without an answer do not vote; ties go to the answer that came first;
 * without votes no answer is correct.
 *
 * @param same whether two answers are equal
 */
export function majorityIsCorrect(votes: readonly Vote[], same: (a: string, b: string) => boolean): boolean {
  const groups: { answer: string; correct: boolean; count: number }[] = [];
  for (const { answer, correct } of votes) {
    if (answer === undefined) continue;
    const group = groups.find((each) => same(each.answer, answer));
    if (group) group.count++;
    else groups.push({ answer, correct, count: 1 });
  }
  const most = Math.max(0, ...groups.map(({ count }) => count));
  return groups.find(({ count }) => count === most)?.correct ?? false;
}
