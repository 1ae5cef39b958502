/** Which of some texts are likest to another. */
export interface Likeness {
  /** Indices of the likest texts, the likest first; the earlier one among equals. */
  likest(text: string, count: number): number[];
}

/**
 * Likeness as the cosine of bags of words, each word weighted by log(texts / texts with it): words that all texts have say
 * nothing. Numbers are one word, since two questions are not alike for a common 5.
 */
export function likenessOf(texts: readonly string[]): Likeness {
  const bags = texts.map(bagOf);
  const having = new Map<string, number>();
  for (const word of bags.flatMap((bag) => [...bag.keys()])) having.set(word, (having.get(word) ?? 0) + 1);
  const weighted = (bag: ReadonlyMap<string, number>) => {
    const vector = new Map<string, number>();
    for (const [word, count] of bag) {
      const weight = count * Math.log((texts.length + 1) / (having.get(word) ?? 1));
      if (having.has(word)) vector.set(word, weight);
    }
    const norm = Math.hypot(...vector.values()) || 1;
    return { vector, norm };
  };
  const vectors = bags.map(weighted);
  return {
    likest(text, count) {
      const own = weighted(bagOf(text));
      const scores = vectors.map(({ vector, norm }) => {
        let product = 0;
        for (const [word, weight] of own.vector) product += weight * (vector.get(word) ?? 0);
        return product / (norm * own.norm);
      });
      return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, count);
    },
  };
}

function bagOf(text: string): Map<string, number> {
  const bag = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/\p{L}+|\d+/gu)) {
    const key = /^\d/.test(word) ? "#" : word;
    bag.set(key, (bag.get(key) ?? 0) + 1);
  }
  return bag;
}
