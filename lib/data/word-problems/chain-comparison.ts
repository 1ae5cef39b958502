import { z } from "zod";
import { type Spread, type Trace, type TraceStatistics, traceStatistics } from "../papers/trace-statistics.js";
import { wordProblems } from "./generate.js";
import { longChain } from "./long-chain.js";

/** The problems whose long chains are compared with real ones. */
const COMPARED = { seed: "long chains", operations: [2, 6], count: 2000 } as const;

/** Statistics of a reasoning model's chains beside those of our word problems' long chains. */
export interface ChainComparison {
  /** Command that regenerates this. */
  command: string;
  real: TraceStatistics;
  generated: TraceStatistics;
}

const number = z.number();
const spreadSchema = z.strictObject({
  mean: number,
  deviation: number,
  variation: number,
  quantiles: z.array(number).length(5),
});
const statisticsSchema = z.strictObject({
  chains: z.int(),
  paragraphs: spreadSchema,
  words: spreadSchema,
  wordsPerParagraph: spreadSchema,
  droppable: spreadSchema,
  paragraphsPerNeeded: spreadSchema,
  trigramOverlap: spreadSchema,
  adds: z.strictObject({ number, equation: number, nothing: number, prose: number }),
  markers: z.strictObject({
    wait: number,
    hmm: number,
    check: number,
    alternatively: number,
    but: number,
    so: number,
    maybe: number,
    mistake: number,
  }),
});

/** The file `data/word-problems/long-chains.json`. */
export const chainComparisonSchema: z.ZodType<ChainComparison> = z.strictObject({
  command: z.string(),
  real: statisticsSchema,
  generated: statisticsSchema,
});

/** The statistics of the long chains of 2,000 word problems with 2 to 6 operations. */
export function generatedChainStatistics(): TraceStatistics {
  const { count, ...options } = COMPARED;
  function* traces(): Generator<Trace> {
    for (const problem of wordProblems(options, count)) {
      const { thought, solution } = longChain(problem);
      yield { question: problem.question, thought, solution };
    }
  }
  return traceStatistics(traces());
}

const NAMES: Record<string, string> = {
  number: "adds a new number",
  equation: "adds an equation, no new number",
  nothing: "numbers and equations all seen before",
  prose: "no number",
  wait: "“wait”",
  hmm: "“hmm”",
  check: "“check”, “verify”, “make sure”",
  alternatively: "“alternatively”, “another way”",
  but: "“but”",
  so: "begins with “so”",
  maybe: "“maybe”, “I think”, “not sure”",
  mistake: "“not right”, “wrong”, “mistake”",
};

/** The comparison as a table in Markdown. */
export function comparisonTable({ real, generated }: ChainComparison): string {
  const plain = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));
  const spread = (name: string, of: (statistics: TraceStatistics) => Spread): string[] => {
    const row = (label: string, show: (spread: Spread) => string) =>
      `| ${label} | ${show(of(real))} | ${show(of(generated))} |`;
    return [
      row(`${name}, mean`, ({ mean }) => plain(mean)),
      row(`${name}, 10/25/50/75/90 %`, ({ quantiles }) => quantiles.map(plain).join(" / ")),
      row(`${name}, deviation ÷ mean`, ({ variation }) => plain(variation)),
    ];
  };
  const shares = (kind: "adds" | "markers"): string[] =>
    Object.keys(real[kind]).map((key) => {
      const share = (statistics: TraceStatistics) =>
        (100 * (statistics[kind] as Record<string, number>)[key]!).toFixed(1);
      return `| ${NAMES[key]}, % of paragraphs | ${share(real)} | ${share(generated)} |`;
    });
  return [
    `| | ${real.chains} chains of R1 | ${generated.chains} of ours |`,
    "|---|---|---|",
    ...spread("paragraphs a chain", ({ paragraphs }) => paragraphs),
    ...spread("words a chain", ({ words }) => words),
    ...spread("words a paragraph", ({ wordsPerParagraph }) => wordsPerParagraph),
    ...spread("droppable share of paragraphs", ({ droppable }) => droppable),
    ...spread("paragraphs for each needed one", ({ paragraphsPerNeeded }) => paragraphsPerNeeded),
    ...spread("trigrams seen before", ({ trigramOverlap }) => trigramOverlap),
    ...shares("adds"),
    ...shares("markers"),
  ].join("\n");
}
