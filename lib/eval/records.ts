import { z } from "zod";
import { FINISH_REASONS, isWholeText } from "../llm/index.js";
import type { Answered } from "./answerers.js";
import { type EvaluationProblem, gradeCompletion, PROBLEM_KINDS } from "./problems.js";

const wholeNumber = z.int().nonnegative();

/** One text of a model for a problem under a budget, graded. It holds no times, so it repeats exactly. */
export const evaluationRecordSchema = z.strictObject({
  /** `PROBLEM#SAMPLE@BUDGET`. */
  id: z.string(),
  problem: z.string(),
  /** Which of the texts for the problem, from 0. */
  sample: wholeNumber,
  /** The most new tokens. */
  budget: z.int().positive(),
  kind: z.enum(PROBLEM_KINDS),
  reference: z.string(),
  /** All of them, where there are several. */
  references: z.array(z.string()).optional(),
  /** That the answer needs, where that is known. */
  operations: wholeNumber.optional(),
  /** How often a run with this budget asks the model for this text: 1, or 0 if the prompt was too long for it. */
  calls: wholeNumber,
  promptTokens: wholeNumber,
  completion: z.string(),
  /** With the one that ended the text. */
  completionTokens: wholeNumber,
  finishReason: z.enum(FINISH_REASONS),
  /** Where the numbers of tokens are not those of the model or its server. */
  countedBy: z.enum(["tokenizer", "estimate"]).optional(),
  /** Natural logarithm of the text's probability under the model, in hundredths, from models that tell it. */
  logProb: z.number().optional(),
  /** The final answer by the strict policy, if there is one. */
  answer: z.string().optional(),
  /** Under each policy that applies. */
  correct: z.strictObject({
    strict: z.boolean().optional(),
    astar: z.boolean().optional(),
    dots: z.boolean().optional(),
    aot: z.boolean().optional(),
  }),
  /** How well the words match, for answers in words. */
  f1: z.number().optional(),
  seed: z.union([z.number(), z.string()]),
  /** SHA-256 of the model, where it is known. */
  modelHash: z.string().optional(),
});
export type EvaluationRecord = z.infer<typeof evaluationRecordSchema>;

export const recordId = (problem: string, sample: number, budget: number): string => `${problem}#${sample}@${budget}`;

export interface RecordPlace {
  sample: number;
  budget: number;
  seed: number | string;
  modelHash: string | undefined;
}

/** The record of a text, graded. */
export function evaluationRecord(
  problem: EvaluationProblem,
  answered: Answered,
  { sample, budget, seed, modelHash }: RecordPlace,
): EvaluationRecord {
  const { text, solution, finishReason, countedBy, promptTokens, completionTokens, tokens, attempts } = answered;
  const { references, operations, kind } = problem;
  const logProb = tokens && tokens.logProbs.length > 0 ? sum(tokens.logProbs) : undefined;
  return {
    id: recordId(problem.id, sample, budget),
    problem: problem.id,
    sample,
    budget,
    kind,
    reference: references[0]!,
    ...(references.length > 1 ? { references: [...references] } : {}),
    ...(operations === undefined ? {} : { operations }),
    calls: attempts,
    promptTokens,
    completion: text,
    completionTokens,
    finishReason,
    ...(countedBy ? { countedBy } : {}),
    ...(logProb === undefined ? {} : { logProb: Math.round(logProb * 100) / 100 }),
    ...withoutUndefined(gradeCompletion(problem, text, isWholeText(answered) ? solution : undefined)),
    seed,
    ...(modelHash === undefined ? {} : { modelHash }),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const withoutUndefined = <T extends { answer?: string | undefined }>({ answer, ...rest }: T) =>
  answer === undefined ? rest : { answer, ...rest };
