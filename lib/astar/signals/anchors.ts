import { z } from "zod";
import { readJsonl } from "../../core/index.js";

/** Measures of a sentence's importance, by how the data were made: by resampling from it on, and by forcing an answer. */
export const GOLD_MEASURES = [
  "resampling_importance_accuracy",
  "resampling_importance_kl",
  "counterfactual_importance_accuracy",
  "counterfactual_importance_kl",
  "forced_importance_accuracy",
  "forced_importance_kl",
] as const;
export type GoldMeasure = (typeof GOLD_MEASURES)[number];

/** A chain of thought whose sentences carry measured importance. */
export interface AnchorChain {
  id: string;
  question: string;
  /** Sentences, in order; the last states the answer. */
  steps: string[];
  /** The final answer of the chain. */
  answer: string;
  /** For each measure a number per sentence. Of accuracies the size: a step that misleads matters as well. */
  gold: Record<GoldMeasure, number[]>;
}

const measure = z.number();
const chunkSchema = z.looseObject({
  chunk: z.string(),
  ...(Object.fromEntries(GOLD_MEASURES.map((name) => [name, measure])) as Record<GoldMeasure, typeof measure>),
});
const rowSchema = z.looseObject({
  id: z.string(),
  problem: z.looseObject({ problem: z.string() }),
  base_answer: z.union([z.string(), z.number()]),
  chunks: z.array(chunkSchema).min(2),
});

/**
 * Read chains of the data set Thought Anchors (Bogdan et al. 2025, arXiv 2506.19143), JSON lines.
 *
 * @throws corrupt-data naming file and line, not-found, file-system, interrupted
 */
export async function* readAnchors(file: string, signal?: AbortSignal): AsyncGenerator<AnchorChain, void, undefined> {
  for await (const { value } of readJsonl(file, { schema: rowSchema, signal })) {
    const { id, problem, base_answer, chunks } = value;
    // A sentence without a text has no tokens, and no signal could tell anything of it.
    const said = chunks.filter(({ chunk }) => chunk.trim() !== "");
    const valuesOf = (name: GoldMeasure) =>
      said.map((chunk) => (name.endsWith("accuracy") ? Math.abs(chunk[name]) : chunk[name]));
    yield {
      id,
      question: problem.problem,
      steps: said.map(({ chunk }) => chunk.trim()),
      answer: String(base_answer),
      gold: Object.fromEntries(GOLD_MEASURES.map((name) => [name, valuesOf(name)])) as AnchorChain["gold"],
    };
  }
}

/** The chain with each `size` sentences in a row as one step, whose importance is their mean. */
export function inGroups(chain: AnchorChain, size: number): AnchorChain {
  if (size === 1) return chain;
  const groups = Array.from({ length: Math.ceil(chain.steps.length / size) }, (_, group) => group * size);
  const meanOf = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  return {
    ...chain,
    steps: groups.map((start) => chain.steps.slice(start, start + size).join(" ")),
    gold: Object.fromEntries(
      GOLD_MEASURES.map((name) => [name, groups.map((start) => meanOf(chain.gold[name].slice(start, start + size)))]),
    ) as AnchorChain["gold"],
  };
}
