import type { EvaluationRecord } from "thoughtbook/eval";

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
    calls: 1,
    promptTokens: 10,
    completion: "",
    completionTokens: 20,
    finishReason: "stop",
    correct: { strict: false, astar: false },
    seed: 0,
    ...parts,
  };
}
