/** How well the words of an answer match those of a reference. */
export interface TokenScore {
  precision: number;
  recall: number;
  f1: number;
}

const NONE: TokenScore = { precision: 0, recall: 0, f1: 0 };
const CLOSED = ["yes", "no", "noanswer"];

/** Text as HotpotQA compares it: lower case, without punctuation, articles and extra spaces. */
function normalizeWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, "")
    .replace(/\b(?:a|an|the)\b/g, " ")
    .trim()
    .replace(/\s+/g, " ");
}

/** Whether two answers are the same words, normalised as HotpotQA does; nothing equals an answer without words. */
export function equalWords(a: string, b: string): boolean {
  const words = normalizeWords(a);
  return words !== "" && words === normalizeWords(b);
}

/**
 * Token precision, recall and F1 of the official HotpotQA evaluation: words as multisets; yes, no and noanswer match
 * only themselves. Of several references the one with the best F1 counts.
 */
export function tokenF1(prediction: string, references: string | readonly string[]): TokenScore {
  const scores = [references].flat().map((reference) => score(normalizeWords(prediction), normalizeWords(reference)));
  return scores.reduce((best, each) => (each.f1 > best.f1 ? each : best), NONE);
}

function score(prediction: string, reference: string): TokenScore {
  if (prediction !== reference && (CLOSED.includes(prediction) || CLOSED.includes(reference))) return NONE;
  const [said, wanted] = [prediction, reference].map((text) => text.split(" ").filter((word) => word !== ""));
  const left = new Map<string, number>();
  for (const word of wanted!) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of said!) {
    const count = left.get(word) ?? 0;
    if (count > 0) common++;
    left.set(word, count - 1);
  }
  if (common === 0) return NONE;
  const [precision, recall] = [common / said!.length, common / wanted!.length];
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}
