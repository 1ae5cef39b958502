import { join } from "node:path";
import { z } from "zod";
import { readJsonl, sum, withoutUndefined } from "../core/index.js";
import { FINISH_REASONS } from "../llm/index.js";
import type { Attempt, Call } from "../rollouts/index.js";
import { type Graded, PROBLEM_KINDS, type Problem } from "../tasks/index.js";

const wholeNumber = z.int().nonnegative();

/** One completion of an attempt. */
const callSchema = z.strictObject({
  /** Name of the operation that was asked for. */
  operation: z.string(),
  /** Text of the completion; omitted where it is the attempt's completion. */
  text: z.string().optional(),
  promptTokens: wholeNumber,
  completionTokens: wholeNumber,
  finishReason: z.enum(FINISH_REASONS),
  /** On request: token ids of the completion, and the natural logarithm of each one's probability. */
  ids: z.array(z.int()).optional(),
  logProbs: z.array(z.number()).optional(),
});

/** One attempt at a problem under a budget, graded. It holds no timings, so it repeats exactly. */
export const evaluationRecordSchema = z.strictObject({
  /** `PROBLEM#SAMPLE@BUDGET`. */
  id: z.string(),
  problem: z.string(),
  /** Index of the attempt at the problem, from 0. */
  sample: wholeNumber,
  /** Maximum new tokens of a call. */
  budget: z.int().positive(),
  kind: z.enum(PROBLEM_KINDS),
  reference: z.string(),
  /** All references, where there are several. */
  references: z.array(z.string()).optional(),
  /** Number of operations that the answer needs, where known. */
  operations: wholeNumber.optional(),
  /** Edges on the longest path from operation to operation, where known. */
  depth: wholeNumber.optional(),
  /** All calls of the attempt; none if the first prompt was too long for the model. */
  calls: z.array(callSchema),
  /** Tokens of the prompts of all calls. */
  promptTokens: wholeNumber,
  /** The text that ends in the answer. */
  completion: z.string(),
  /** New tokens of all calls, including the tokens that ended the texts. */
  completionTokens: wholeNumber,
  /** Finish reason of the last call. */
  finishReason: z.enum(FINISH_REASONS),
  /** Set where the token counts are not those of the model or its server. */
  countedBy: z.enum(["tokenizer", "estimate"]).optional(),
  /** Natural logarithm of the texts' probability under the model, rounded to hundredths, for models that return it. */
  logProb: z.number().optional(),
  /** Final answer under the strict policy, if there is one. */
  answer: z.string().optional(),
  /** Grade under each policy that applies. */
  correct: z.strictObject({
    strict: z.boolean().optional(),
    astar: z.boolean().optional(),
    dots: z.boolean().optional(),
    aot: z.boolean().optional(),
  }),
  /** Token F1, for answers in words. */
  f1: z.number().optional(),
  /** Of programs: why it gave no answer, or why a function did not pass its tests; see `Failure`. */
  failure: z.strictObject({ kind: z.string(), message: z.string() }).optional(),
  /** What the strategy kept of the attempt: a graph, a tree, a program. */
  trace: z.unknown().optional(),
  seed: z.union([z.number(), z.string()]),
  /** SHA-256 of the model, where known. */
  modelHash: z.string().optional(),
});
export type EvaluationRecord = z.infer<typeof evaluationRecordSchema>;

export const recordId = (problem: string, sample: number, budget: number): string => `${problem}#${sample}@${budget}`;

export interface RecordPlace {
  budget: number;
  seed: number | string;
  modelHash: string | undefined;
  /** Whether ids and log-probabilities are kept. */
  logProbs: boolean;
}

/** The record of an attempt with its grade. */
export function evaluationRecord(
  problem: Problem,
  { text, failure, sample, calls, trace }: Attempt,
  graded: Graded,
  { budget, seed, modelHash, logProbs }: RecordPlace,
): EvaluationRecord {
  const { references, operations, depth, kind } = problem;
  const finishReason = calls.at(-1)?.completion.finishReason ?? "length";
  const counted = new Set(calls.map(({ completion }) => completion.countedBy));
  const countedBy = counted.has("estimate") ? "estimate" : counted.has("tokenizer") ? "tokenizer" : undefined;
  const total = (of: (call: Call) => number) => sum(calls.map(of));
  const logProb = calls.length > 0 && calls.every(({ completion }) => completion.tokens?.logProbs.length);
  return {
    id: recordId(problem.id, sample, budget),
    problem: problem.id,
    sample,
    budget,
    kind,
    reference: references[0]!,
    ...(references.length > 1 ? { references: [...references] } : {}),
    ...withoutUndefined({ operations, depth }),
    calls: calls.map((call) => callRecord(call, text, logProbs)),
    promptTokens: total(({ completion }) => completion.promptTokens),
    completion: text,
    completionTokens: total(({ completion }) => completion.completionTokens),
    finishReason,
    ...(countedBy ? { countedBy } : {}),
    ...(logProb ? { logProb: hundredths(total(({ completion }) => sum(completion.tokens!.logProbs))) } : {}),
    ...withoutUndefined({ failure, ...graded, trace }),
    seed,
    ...(modelHash === undefined ? {} : { modelHash }),
  };
}

function callRecord(
  { operation, completion: { text, promptTokens, completionTokens, finishReason, tokens } }: Call,
  completion: string,
  logProbs: boolean,
): EvaluationRecord["calls"][number] {
  return {
    operation,
    ...(text === completion ? {} : { text }),
    promptTokens,
    completionTokens,
    finishReason,
    ...(logProbs && tokens ? { ids: [...tokens.completionIds], logProbs: tokens.logProbs.map(hundredths) } : {}),
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

/**
 * Read the records of an evaluation from its folder.
 *
 * @throws not-found, file-system; corrupt-data for a line that is no record
 *
 * @example
 * ```ts
 * import { evaluate, readEvaluationRecords } from "thoughtbook/eval";
 * import { loadModel } from "thoughtbook/llm";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const task = await loadTask("word-problems:2", { limit: 4 });
 * await evaluate(cot(), task, { model: await loadModel("mini"), folder: "runs/read" });
 * console.log((await readEvaluationRecords("runs/read")).length); // 4
 * ```
 */
export async function readEvaluationRecords(folder: string): Promise<EvaluationRecord[]> {
  const records: EvaluationRecord[] = [];
  for await (const { value } of readJsonl(join(folder, "records.jsonl"), { schema: evaluationRecordSchema })) {
    records.push(value);
  }
  return records;
}
