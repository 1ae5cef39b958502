import { type EvaluateOptions, type Evaluation, type EvaluationRecord, evaluate } from "thoughtbook/eval";
import type { LanguageModel } from "thoughtbook/llm";
import { type AnswerStrategyOptions, STRATEGIES, type StrategyName } from "thoughtbook/strategies";
import type { Task } from "thoughtbook/tasks";

/** Shows nothing. */
export const SILENT = { show() {}, finish() {}, log() {} };

/** A record with the parts that a test is about. */
export function record(parts: Partial<EvaluationRecord>): EvaluationRecord {
  const { problem = "p", sample = 0, budget = 100 } = parts;
  return {
    id: `${problem}#${sample}@${budget}`,
    problem,
    sample,
    budget,
    kind: "gsm8k",
    reference: "5",
    calls: [{ operation: "cot", promptTokens: 10, completionTokens: 20, finishReason: "stop" }],
    promptTokens: 10,
    completion: "",
    completionTokens: 20,
    finishReason: "stop",
    correct: { strict: false, astar: false },
    seed: 0,
    ...parts,
  };
}

export type AnswerOptions = Omit<EvaluateOptions, "model"> & AnswerStrategyOptions & { strategy?: StrategyName };

/** Evaluate one of the strategies of one call. */
export function evaluateModel(
  model: LanguageModel,
  task: Task,
  {
    systemPrompt,
    assistantPrefill,
    strategy = systemPrompt === undefined ? "cot" : "solve",
    ...options
  }: AnswerOptions = {},
): Promise<Evaluation> {
  return evaluate(STRATEGIES[strategy]({ systemPrompt, assistantPrefill }), task, { model, ...options });
}
