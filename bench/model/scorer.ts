import {
  type ChainRow,
  type ImportanceSignal,
  importanceSignals,
  type LabelledSignals,
  NORMALISATIONS,
  type Normalisation,
  problemRow,
  signalPrecision,
} from "thoughtbook/astar";
import { wordProblems } from "thoughtbook/data";
import { type Estimate, mean } from "thoughtbook/eval";
import { type LanguageModel, loadModel } from "thoughtbook/llm";
import { describeMachine } from "../shared/report.js";
import { identify, type Measured } from "./measured.js";
import type { ModelOptions } from "./reasoner.js";

/** What a model that weighs texts can do, on unseen problems. */
export interface ScorerMeasurement extends Measured {
  operations: [number, number];
  /** Mean negative log-probability of a token, in nats: of a part of a text after another one, averaged over problems. */
  losses: { text: string; after: string; loss: Estimate }[];
  /** Share of the needed steps among the most important ones at α = 0.5, as many as are needed. */
  precision: { signal: ImportanceSignal; normalisation: Normalisation; precision: Estimate }[];
}

const OPERATIONS: [number, number] = [2, 5];
const BLANK_LINE = "\n\n";
const KINDS: { signal: ImportanceSignal; normalisation: Normalisation }[] = [
  ...NORMALISATIONS.map((normalisation) => ({ signal: "both" as const, normalisation })),
  ...NORMALISATIONS.map((normalisation) => ({ signal: "attention" as const, normalisation })),
  { signal: "nll", normalisation: "code" },
  { signal: "random", normalisation: "code" },
];

/** Measure a model on long chains of word problems: how well it knows such texts, and which steps it finds important. */
export async function measureScorer({
  model: name,
  problems,
  seed,
  onProgress,
}: ModelOptions): Promise<ScorerMeasurement> {
  const model = await loadModel(name);
  try {
    const identity = await identify(model);
    const drawn = wordProblems({ seed, operations: OPERATIONS, split: "test" }, problems);
    const rows = Array.from(drawn, (problem) => problemRow(problem));
    onProgress?.("losses");
    const losses = [
      await lossOf(model, rows, "solution", "question"),
      await lossOf(model, rows, "solution", "thought"),
      await lossOf(model, rows, "question", "solution"),
    ];
    onProgress?.("importance");
    const weighed: LabelledSignals[] = [];
    for await (const { chain, signals } of importanceSignals(model, rows)) {
      weighed.push({ signals, necessary: chain.necessary! });
    }
    const precision = KINDS.map((kind) => ({ ...kind, precision: signalPrecision(weighed, { alpha: 0.5, ...kind }) }));
    const machine = describeMachine();
    return { ...identity, seed, operations: OPERATIONS, losses, precision, machine };
  } finally {
    await model.dispose();
  }
}

type Part = "question" | "thought" | "solution";

async function lossOf(model: LanguageModel, rows: readonly ChainRow[], text: Part, after: Part) {
  const requests = rows.map((row) => ({ prompt: row[after], continuation: BLANK_LINE + row[text] }));
  const scores = await model.score(requests);
  const losses = scores.map(({ logProbs }) => -logProbs.reduce((sum, each) => sum + each, 0) / logProbs.length);
  return { text, after, loss: mean(losses) };
}
