import { z } from "zod";
import type { SearchRecord } from "../records.js";
import { malformed, type RowReader, rowReader } from "./row-reader.js";

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const samplesSchema = z.array(
  z.object({
    trajectory: z.array(z.string()),
    "reasoning dialogues": z.array(z.object({ role: z.string(), content: z.string() })),
    pred_ans: scalar.nullish(),
    score: z.union([z.number(), z.boolean()]).transform(Number),
  }),
);

/** Where the inputs of DOTS's tasks keep question and answer: MATH and BBH, TheoremQA, Game24, StrategyQA. */
const QUESTION_FIELDS = ["problem", "Question", "question", "input"];
const ANSWER_FIELDS = ["answer", "Answer", "target"];

/** What the search program of DOTS writes for a question; `searching_results` repeats the four phases and is not read. */
export const dots: RowReader<SearchRecord> = rowReader(
  z.object({
    meta_info: z.record(z.string(), z.unknown()),
    probing_result: samplesSchema,
    "step 1 result": samplesSchema,
    "step 2 result": samplesSchema,
    "step 3 result": samplesSchema,
  }),
  ({ meta_info, ...phases }) => {
    const question = firstText(meta_info, QUESTION_FIELDS);
    if (question === undefined) return malformed(`meta_info: expected one of ${QUESTION_FIELDS.join(", ")}`);
    const answer = firstText(meta_info, ANSWER_FIELDS);
    const key = firstText(meta_info, ["id", "Id", "question_id", "qid"]);
    const samples = [
      ...phaseSamples("probing", phases.probing_result),
      ...phaseSamples("step 1", phases["step 1 result"]),
      ...phaseSamples("step 2", phases["step 2 result"]),
      ...phaseSamples("step 3", phases["step 3 result"]),
    ];
    return { kind: "search", ...(key && { key }), question, ...(answer && { answer }), samples };
  },
);

function phaseSamples(
  phase: SearchRecord["samples"][number]["phase"],
  samples: z.infer<typeof samplesSchema>,
): SearchRecord["samples"] {
  return samples.map(({ trajectory, "reasoning dialogues": dialogue, pred_ans, score }) => ({
    phase,
    trajectory,
    dialogue,
    ...(pred_ans && { prediction: pred_ans }),
    score,
  }));
}

function firstText(fields: Record<string, unknown>, names: readonly string[]): string | undefined {
  const found = names.map((name) => scalar.safeParse(fields[name])).find(({ success }) => success);
  return found?.data;
}
