import { mean, sum } from "../../core/index.js";
/** A chain of thought as it is measured: what was asked, the paragraphs of the thought, the solution after it. */
export interface Trace {
  question: string;
  thought: string;
  solution: string;
}

/** What reasoning models say when they doubt, check, or turn around; matched in lower case, once a paragraph. */
const MARKERS = {
  wait: /\bwait\b/,
  hmm: /\bhmm\b/,
  check: /\b(?:double[- ]check|verify|check|confirm|make sure)\b/,
  alternatively: /\balternatively\b|\banother (?:way|approach|method)\b/,
  but: /\bbut\b/,
  so: /^so\b/,
  maybe: /\b(?:maybe|perhaps|not sure|i think)\b/,
  mistake: /\bwait,? no\b|\bnot right\b|\bmistake\b|\bincorrect\b|\bwrong\b/,
} as const;

export type Marker = keyof typeof MARKERS;
const MARKER_NAMES = Object.keys(MARKERS) as readonly Marker[];

/**
 * New content of a paragraph, relative to the question and the paragraphs before it:
 * - "number": a number that was not there
 * - "equation": no new number, but a new equation
 * - "nothing": numbers, all of them and all its equations seen before: it restates or checks again
 * - "prose": no number at all
 */
export type Addition = "number" | "equation" | "nothing" | "prose";
const ADDITIONS: readonly Addition[] = ["number", "equation", "nothing", "prose"];

export interface TraceMeasures {
  paragraphs: number;
  words: number;
  wordsPerParagraph: number;
  /** Shares of the paragraphs. */
  adds: Record<Addition, number>;
  /**
   * The share of paragraphs that could be dropped without losing a number that leads to the solution. From the end
   * backwards, a paragraph is needed if a number that is needed (at first those of the solution) occurs in it for the
   * first time; then all its numbers are needed.
   */
  droppable: number;
  /** Paragraphs for each one that is needed; undefined where none is. */
  paragraphsPerNeeded: number | undefined;
  /** The share of a paragraph's word trigrams that the question or an earlier paragraph has, mean over paragraphs. */
  trigramOverlap: number;
  /** The share of the paragraphs that have the marker. */
  markers: Record<Marker, number>;
}

/** The paragraphs of a chain: what stands between blank lines, as A*-Thought splits it, without empty ones. */
function paragraphsOf(thought: string): string[] {
  return thought.split("\n\n").flatMap((text) => text.trim() || []);
}

/** Measure one chain. Numbers are strings of digits with separators and decimals; equations, see `equationsIn`. */
export function measureTrace({ question, thought, solution }: Trace): TraceMeasures {
  const paragraphs = paragraphsOf(thought);
  const seen = {
    numbers: new Set(numbersIn(question)),
    equations: new Set<string>(),
    trigrams: new Set(trigramsIn(question)),
  };
  const adds: Addition[] = [];
  const firsts: string[][] = [];
  const overlaps: number[] = [];
  for (const text of paragraphs) {
    const numbers = numbersIn(text);
    const newNumbers = numbers.filter((number) => !seen.numbers.has(number));
    const equations = equationsIn(text);
    const newEquation = equations.some((equation) => !seen.equations.has(equation));
    const trigrams = trigramsIn(text);
    adds.push(numbers.length === 0 ? "prose" : newNumbers.length > 0 ? "number" : newEquation ? "equation" : "nothing");
    firsts.push(newNumbers);
    overlaps.push(trigrams.filter((trigram) => seen.trigrams.has(trigram)).length / Math.max(1, trigrams.length));
    for (const number of numbers) seen.numbers.add(number);
    for (const equation of equations) seen.equations.add(equation);
    for (const trigram of trigrams) seen.trigrams.add(trigram);
  }

  const wanted = new Set(numbersIn(solution));
  let needed = 0;
  for (let at = paragraphs.length - 1; at >= 0; at--) {
    if (!firsts[at]!.some((number) => wanted.has(number))) continue;
    needed += 1;
    for (const number of numbersIn(paragraphs[at]!)) wanted.add(number);
  }

  const count = paragraphs.length;
  const share = (part: number) => (count === 0 ? 0 : part / count);
  const words = wordsIn(thought).length;
  const lower = paragraphs.map((text) => text.toLowerCase());
  return {
    paragraphs: count,
    words,
    wordsPerParagraph: share(words),
    adds: record(ADDITIONS, (kind) => share(adds.filter((each) => each === kind).length)),
    droppable: share(count - needed),
    paragraphsPerNeeded: needed === 0 ? undefined : count / needed,
    trigramOverlap: share(sum(overlaps)),
    markers: record(MARKER_NAMES, (name) => share(lower.filter((text) => MARKERS[name].test(text)).length)),
  };
}

/** Mean, spread and quantiles of a measure over chains. */
export interface Spread {
  mean: number;
  deviation: number;
  /** Standard deviation ÷ mean. */
  variation: number;
  /** The 10th, 25th, 50th, 75th and 90th percentile. */
  quantiles: readonly number[];
}

export interface TraceStatistics {
  chains: number;
  paragraphs: Spread;
  words: Spread;
  wordsPerParagraph: Spread;
  droppable: Spread;
  paragraphsPerNeeded: Spread;
  trigramOverlap: Spread;
  /** Means over chains. */
  adds: Record<Addition, number>;
  /** Over all paragraphs of all chains: long chains count for more, as they do in training. */
  markers: Record<Marker, number>;
}

/** The statistics of many chains, rounded to 4 digits after the point. */
export function traceStatistics(traces: Iterable<Trace>): TraceStatistics {
  const measures = Array.from(traces, measureTrace);
  const paragraphs = measures.reduce((sum, each) => sum + each.paragraphs, 0);
  const spread = (of: (each: TraceMeasures) => number | undefined) =>
    spreadOf(measures.flatMap((each) => of(each) ?? []));
  return {
    chains: measures.length,
    paragraphs: spread((each) => each.paragraphs),
    words: spread((each) => each.words),
    wordsPerParagraph: spread((each) => each.wordsPerParagraph),
    droppable: spread((each) => each.droppable),
    paragraphsPerNeeded: spread((each) => each.paragraphsPerNeeded),
    trigramOverlap: spread((each) => each.trigramOverlap),
    adds: record(ADDITIONS, (kind) => spread((each) => each.adds[kind]).mean),
    markers: record(MARKER_NAMES, (name) =>
      rounded(measures.reduce((sum, each) => sum + each.markers[name] * each.paragraphs, 0) / paragraphs),
    ),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  const middle = mean(values);
  const deviation = Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / Math.max(1, count - 1));
  const sorted = [...values].sort((a, b) => a - b);
  const quantiles = [0.1, 0.25, 0.5, 0.75, 0.9].map((part) =>
    rounded(sorted[Math.floor(part * (count - 1))] ?? Number.NaN),
  );
  return { mean: rounded(middle), deviation: rounded(deviation), variation: rounded(deviation / middle), quantiles };
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

const record = <K extends string>(keys: readonly K[], value: (key: K) => number): Record<K, number> =>
  Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, number>;

const numbersIn = (text: string): string[] =>
  (text.match(/\d+(?:,\d{3})*(?:\.\d+)?/g) ?? []).map((number) => number.replaceAll(",", ""));

const wordsIn = (text: string): string[] => text.match(/\S+/g) ?? [];

function trigramsIn(text: string): string[] {
  const words = wordsIn(text.toLowerCase());
  return words.slice(2).map((word, at) => `${words[at]} ${words[at + 1]} ${word}`);
}

/**
 * The equations of a text: each "=" with the up to 12 characters on either side, spaces left out, up to the nearest
 * word, line or sentence end. "So Ben has 3 * 4 = 12 apples." has "3*4=12".
 */
function equationsIn(text: string): string[] {
  if (!text.includes("=")) return [];
  return text.split(/\n|(?<=[.;,!?]) /).flatMap((part) => {
    const plain = part.replace(/\\[a-z]+|[A-Za-z]{2,}:?/g, (word) => (word.startsWith("\\") ? word : "¦"));
    const sides = plain.split("=").map((side) => side.split("¦").map((piece) => piece.replace(/\s|[.;,!?]+\s*$/g, "")));
    return sides.slice(1).map((right, at) => `${sides[at]!.at(-1)!.slice(-12)}=${right[0]!.slice(0, 12)}`);
  });
}
