import { setImmediate as nextTurn } from "node:timers/promises";
import TinyQueue from "tinyqueue";
import { alphabetPlaces, BYTE_ALPHABET } from "./bpe-alphabet.js";
import type { WordCounts } from "./bpe-words.js";

export interface MergeOptions {
  /** Target number of tokens. */
  vocabularySize: number;
  /** The tokens before the alphabet. No merge makes one of them. */
  specialTokens: readonly string[];
  /** Minimum occurrences of a pair to become a token; at least 1. */
  minFrequency: number;
  /** Called now and then with the number of tokens. */
  onProgress?: ((tokens: number) => void) | undefined;
}

/** Tokens by id, and the pairs of names that became one, the most frequent first. */
export interface Merges {
  tokens: readonly string[];
  merges: readonly (readonly [string, string])[];
}

/** Two adjacent tokens in some word. */
interface Pair {
  left: number;
  right: number;
  /** Occurrences in the corpus that are not merged yet; of three equal tokens in a row, two. */
  count: number;
  /** Words that contain it or did; some of them perhaps twice. */
  words: number[];
}

/** An entry of the queue; stale if the pair's count has changed since. */
interface Candidate {
  pair: Pair;
  count: number;
}

/** All words one after the other, as ids; merging makes them shorter. */
interface Words {
  symbols: Int32Array;
  starts: Int32Array;
  lengths: Int32Array;
  counts: Float64Array;
}

const TURN_MS = 100;
/** More ids than any vocabulary has. */
const ID_LIMIT = 2 ** 24;

/**
 * Merge the most frequent pair of neighbours again and again (Gage 1994; Sennrich et al. 2016, arXiv:1508.07909). Of
 * equally frequent pairs the one with the lower left id goes first, then the one with the lower right id, as in the Rust
 * tokenizers. Ends early when no pair is frequent enough.
 *
 * Only the words that contain the pair are visited, and only the counts that change are updated; the next pair comes
 * from a queue whose stale entries are corrected when they come up.
 */
export async function mergePairs(wordCounts: WordCounts, options: MergeOptions): Promise<Merges> {
  const { vocabularySize, specialTokens, minFrequency, onProgress } = options;
  const tokens = [...specialTokens, ...BYTE_ALPHABET];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges: [string, string][] = [];
  const words = layOut(wordCounts, specialTokens.length);
  const pairs = countPairs(words);
  const queue = new TinyQueue<Candidate>(
    Array.from(pairs.values(), (pair) => ({ pair, count: pair.count })),
    before,
  );
  let turn = performance.now();

  while (tokens.length < vocabularySize) {
    const candidate = queue.pop();
    if (candidate === undefined) break;
    const { pair, count } = candidate;
    if (pair.count !== count) {
      // A pair that lost occurrences waits for its turn; one that gained some has another entry, further up.
      if (pair.count < count && pair.count > 0) queue.push({ pair, count: pair.count });
      continue;
    }
    if (count < minFrequency) break;
    const [left, right] = [tokens[pair.left]!, tokens[pair.right]!];
    const known = ids.get(left + right);
    if (known !== undefined && known < specialTokens.length) continue;
    const merged = known ?? tokens.push(left + right) - 1;
    ids.set(left + right, merged);
    merges.push([left, right]);
    for (const grown of mergeInWords(pair, merged, words, pairs)) queue.push({ pair: grown, count: grown.count });
    if (performance.now() - turn >= TURN_MS) {
      onProgress?.(tokens.length);
      await nextTurn();
      turn = performance.now();
    }
  }
  onProgress?.(tokens.length);
  return { tokens, merges };
}

const before = (one: Candidate, other: Candidate): number =>
  one.count !== other.count
    ? other.count - one.count
    : one.pair.left - other.pair.left || one.pair.right - other.pair.right;

function layOut(wordCounts: WordCounts, firstByte: number): Words {
  const spelled = Array.from(wordCounts.keys(), alphabetPlaces);
  const lengths = Int32Array.from(spelled, ({ length }) => length);
  const starts = new Int32Array(spelled.length);
  for (let word = 1; word < starts.length; word++) starts[word] = starts[word - 1]! + lengths[word - 1]!;
  const symbols = new Int32Array(starts.at(-1)! + lengths.at(-1)!);
  for (let word = 0; word < spelled.length; word++) {
    for (const [place, letter] of spelled[word]!.entries()) symbols[starts[word]! + place] = firstByte + letter;
  }
  return { symbols, starts, lengths, counts: Float64Array.from(wordCounts.values()) };
}

function countPairs({ symbols, starts, lengths, counts }: Words): Map<number, Pair> {
  const pairs = new Map<number, Pair>();
  for (let word = 0; word < starts.length; word++) {
    const end = starts[word]! + lengths[word]!;
    for (let place = starts[word]! + 1; place < end; place++) {
      addTo(pairs, symbols[place - 1]!, symbols[place]!, counts[word]!, word);
    }
  }
  return pairs;
}

/** Add occurrences of a pair, or (below 0) remove them. */
function addTo(pairs: Map<number, Pair>, left: number, right: number, count: number, word: number): Pair {
  const key = left * ID_LIMIT + right;
  let pair = pairs.get(key);
  if (pair === undefined) {
    pair = { left, right, count: 0, words: [] };
    pairs.set(key, pair);
  }
  pair.count += count;
  if (count > 0 && pair.words.at(-1) !== word) pair.words.push(word);
  return pair;
}

/** Replace the pair by `merged` everywhere. Returns the pairs that are new or became more frequent. */
function mergeInWords(pair: Pair, merged: number, words: Words, pairs: Map<number, Pair>): Set<Pair> {
  const { symbols, starts, lengths, counts } = words;
  const { left, right } = pair;
  const grown = new Set<Pair>();
  const places = pair.words;
  pair.words = [];
  for (const word of places) {
    const start = starts[word]!;
    const end = start + lengths[word]!;
    const count = counts[word]!;
    let write = start;
    for (let read = start; read < end; read++) {
      if (symbols[read] !== left || read + 1 >= end || symbols[read + 1] !== right) {
        symbols[write++] = symbols[read]!;
        continue;
      }
      if (write > start) {
        const previous = symbols[write - 1]!;
        addTo(pairs, previous, left, -count, word);
        grown.add(addTo(pairs, previous, merged, count, word));
      }
      if (read + 2 < end) {
        const next = symbols[read + 2]!;
        addTo(pairs, right, next, -count, word);
        grown.add(addTo(pairs, merged, next, count, word));
      }
      symbols[write++] = merged;
      read++;
    }
    lengths[word] = write - start;
  }
  pair.count = 0;
  return grown;
}
