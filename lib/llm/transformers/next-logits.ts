import type { NextScores } from "../../model/index.js";
import { emptyTensor } from "../../tensor/index.js";
import type { RuntimeResult } from "./runtime.js";

/** The scores of each row's next token. */
export function nextScores({ logits: { rows, times, vocabulary, data } }: RuntimeResult): NextScores {
  const logProbs = emptyTensor([rows, vocabulary], "float32");
  const normaliser = emptyTensor([rows], "float32");
  for (let row = 0; row < rows; row++) {
    const logits = data.subarray(((row + 1) * times - 1) * vocabulary, (row + 1) * times * vocabulary);
    const shift = logSumExp(logits);
    const target = logProbs.data.subarray(row * vocabulary, (row + 1) * vocabulary);
    for (let id = 0; id < vocabulary; id++) target[id] = logits[id]! - shift;
    normaliser.data[row] = shift;
  }
  return { logProbs, normaliser };
}

/** Natural logarithms of the probabilities of a row's next token. */
export function lastLogProbs({ logits: { times, vocabulary, data } }: RuntimeResult, row: number): Float32Array {
  const logits = data.subarray(((row + 1) * times - 1) * vocabulary, (row + 1) * times * vocabulary);
  const shift = logSumExp(logits);
  return logits.map((logit) => logit - shift);
}

/** The natural logarithm of the sum of the exponentials; NaN if one of them is NaN. */
export function logSumExp(logits: Float32Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > highest) highest = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - highest);
  return highest + Math.log(sum);
}
