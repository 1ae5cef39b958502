import { groupBy, sum } from "../core/index.js";
import { votes } from "../tasks/index.js";
import type { EvaluationRecord } from "./records.js";

/**
 * Let the samples of each problem vote: its first record with the majority's answer, as sample 0, with the tokens of all of them. Samples without
 * an answer do not vote; where none has one the first record stays.
 */
export function majorityOf(records: readonly EvaluationRecord[]): EvaluationRecord[] {
  return [...groupBy(records, ({ problem }) => problem).values()].map((samples) => {
    const own = [...samples].sort((a, b) => a.sample - b.sample);
    const [first] = own;
    const [chosen] = votes(
      first!.kind,
      own.map(({ answer }) => answer),
    );
    return {
      ...own[chosen?.[0] ?? 0]!,
      sample: 0,
      promptTokens: sum(own.map(({ promptTokens }) => promptTokens)),
      completionTokens: sum(own.map(({ completionTokens }) => completionTokens)),
    };
  });
}
