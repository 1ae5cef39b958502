import { z } from "zod";
import type { MultiHopRecord, TextRecord } from "../records.js";
import { hasField, malformed, type RowReader, rowReader } from "./row-reader.js";

const hotpotColumns: RowReader<MultiHopRecord> = rowReader(
  z.object({
    id: z.string(),
    question: z.string(),
    answer: z.string(),
    context: z.object({ title: z.array(z.string()), sentences: z.array(z.array(z.string())) }),
    supporting_facts: z.object({ title: z.array(z.string()), sent_id: z.array(z.int()) }),
  }),
  ({ id, question, answer, context: { title, sentences }, supporting_facts: facts }) => {
    if (title.length !== sentences.length) return malformed("context: titles and sentences differ in number");
    if (facts.title.length !== facts.sent_id.length) return malformed("supporting_facts: title and sent_id differ");
    return {
      kind: "multi-hop",
      key: id,
      question,
      answers: [answer],
      context: title.map((each, index) => ({ title: each, sentences: sentences[index]! })),
      supportingFacts: facts.title.map((each, index) => ({ title: each, sentence: facts.sent_id[index]! })),
    };
  },
);

const hotpotPairs: RowReader<MultiHopRecord> = rowReader(
  z.object({
    _id: z.string(),
    question: z.string(),
    answer: z.string(),
    context: z.array(z.tuple([z.string(), z.array(z.string())])),
    supporting_facts: z.array(z.tuple([z.string(), z.int()])),
  }),
  ({ _id, question, answer, context, supporting_facts }) => ({
    kind: "multi-hop",
    key: _id,
    question,
    answers: [answer],
    context: context.map(([title, sentences]) => ({ title, sentences })),
    supportingFacts: supporting_facts.map(([title, sentence]) => ({ title, sentence })),
  }),
);

/** HotpotQA, as on the hub (columns) or at its home ([title, sentences] pairs; its ids stand in `_id`). */
export const hotpotQA: RowReader<MultiHopRecord> = (row) => (hasField(row, "_id") ? hotpotPairs : hotpotColumns)(row);

/** LongBench: the context is one text; where it is made of passages, they are its paragraphs. */
export const longBench: RowReader<MultiHopRecord> = rowReader(
  z.object({ input: z.string(), context: z.string(), answers: z.array(z.string()), _id: z.string() }),
  ({ input, context, answers, _id }) => ({
    kind: "multi-hop",
    key: _id,
    question: input,
    context: passages(context),
    answers,
  }),
);

/** "Passage 1:\n…\n\nPassage 2:\n…" as paragraphs; any other text is one paragraph without a title. */
function passages(context: string): MultiHopRecord["context"] {
  const [before, ...parts] = context.split(/^(Passage \d+):[ \t]*\n/m);
  if (parts.length === 0 || before!.trim() !== "") return [{ title: "", sentences: [context] }];
  return Array.from({ length: parts.length / 2 }, (_, index) => ({
    title: parts[2 * index]!,
    sentences: [parts[2 * index + 1]!.trimEnd()],
  }));
}

const yesNo = (value: boolean) => (value ? "yes" : "no");

const strategyText: RowReader<TextRecord> = rowReader(
  z.object({ id: z.int(), problem: z.string(), solution: z.enum(["true", "false"]) }),
  ({ id, problem, solution }) => ({ kind: "text", key: id, question: problem, answer: yesNo(solution === "true") }),
);
const strategyFlags: RowReader<TextRecord> = rowReader(
  z.object({ qid: z.string().optional(), question: z.string(), answer: z.boolean() }),
  ({ qid, question, answer }) => ({ kind: "text", ...(qid && { key: qid }), question, answer: yesNo(answer) }),
);

/** StrategyQA, in rStar's layout or with `question` and a boolean `answer`; the answer is "yes" or "no". */
export const strategyQA: RowReader<TextRecord> = (row) =>
  (hasField(row, "problem") ? strategyText : strategyFlags)(row);
