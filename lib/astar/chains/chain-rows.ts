import { extractAnswer } from "../../answer/index.js";
import { longChain, type MalformedRow, type ProceduralProblem, readRows, type TraceRecord } from "../../data/index.js";
import { thoughtThenSolution } from "../../operations/index.js";
import type { Chain } from "../importance/importance.js";
import { type DraftRow, ROW_FORMATS, type RowFormat, SKIP_REASONS, type SkipReason } from "./row-formats.js";
import { type Splitting, splitSteps } from "./split-steps.js";
import { checkTags, THOUGHT_TAGS, type ThoughtTags } from "./tags.js";

/** A row to compress: a question, the steps of a chain of thought, and the solution after it. */
export interface ChainRow extends Chain {
  /** The row's own id, or else its position in the file, such as "row 2". */
  id: string;
  system: string;
  thought: string;
  /** The reference answer, where the row names one; else the answer of the solution, if one can be read. */
  answer?: string;
  /** For each step whether the answer needs it, where the data says. */
  necessary?: readonly boolean[];
}

/**
 * Remarks on a row that is used:
 * - one step: there is nothing to choose
 * - no answer: neither the row nor its solution states one, so a shorter chain cannot be verified
 */
export type RowRemark = "one step" | "no answer";
const ROW_REMARKS: readonly RowRemark[] = ["one step", "no answer"];

/** Outcome of a row: used, with remarks, or skipped with the reason. Rows do not influence each other. */
export type RowOutcome =
  | { used: true; row: ChainRow; remarks: readonly RowRemark[] }
  | { used: false; place: string; reason: SkipReason; detail: string };

/** Number of rows read and used, and counts of each remark and skip reason. */
export type RowTally = { rows: number; used: number } & Record<RowRemark | SkipReason, number>;

export interface SplitOptions {
  /** Default: `clean`. */
  splitting?: Splitting | undefined;
  /** Default: {@link THOUGHT_TAGS}. */
  tags?: ThoughtTags | undefined;
}

export interface ReadChainRowsOptions extends SplitOptions {
  /** Default: `conversations`. */
  format?: RowFormat | undefined;
  /** Read only the first rows of the file, skipped ones included. Default: all. */
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Read the rows of a Parquet, JSONL, JSON or CSV file one at a time. Memory use does not grow with the file (except for
 * a row group of Parquet).
 *
 * @throws bad-input (an empty tag, another ending), corrupt-data, not-found, file-system, interrupted
 */
export async function* readChainRows(
  file: string,
  { format = "conversations", limit = Number.POSITIVE_INFINITY, signal, ...options }: ReadChainRowsOptions = {},
): AsyncGenerator<RowOutcome, void, undefined> {
  const tags = options.tags ?? THOUGHT_TAGS;
  checkTags(tags);
  if (!(limit > 0)) return;
  const malformed: MalformedRow[] = [];
  let rows = 0;
  for await (const { place, value } of readRows(file, { signal, onMalformed: (row) => malformed.push(row) })) {
    for (const { place, reason } of malformed.splice(0)) {
      yield skipped(place, "malformed", reason);
      if (++rows >= limit) return;
    }
    yield outcomeOf(ROW_FORMATS[format](value, tags), place, options);
    if (++rows >= limit) return;
  }
  for (const { place, reason } of malformed) {
    if (rows++ < limit) yield skipped(place, "malformed", reason);
  }
}

/** The row of a chain of a data set, as `loadDataset("r1-traces")` gives them. */
export function traceRow({ id, question, thought, solution, reference, ...rest }: TraceRecord, options?: SplitOptions) {
  // A reference may be a whole solution; `answer` is the one of this chain, right or not.
  const answer = reference === undefined ? rest.answer : (answerOf(reference) ?? reference);
  return outcomeOf({ value: { id, question, thought, solution, answer, system: rest.system } }, id, options);
}

/** The row of a word problem with its long chain, of which it is known which steps the answer needs. */
export function problemRow(problem: ProceduralProblem, variant = 0): ChainRow {
  const { paragraphs, thought, solution } = longChain(problem, variant);
  return {
    id: problem.id,
    system: thoughtThenSolution(THOUGHT_TAGS),
    question: problem.question,
    thought,
    steps: paragraphs.map(({ text }) => text),
    solution,
    answer: String(problem.answer),
    necessary: paragraphs.map(({ necessary }) => necessary),
  };
}

export const emptyTally = (): RowTally =>
  Object.fromEntries(["rows", "used", ...ROW_REMARKS, ...SKIP_REASONS].map((key) => [key, 0])) as unknown as RowTally;

/** Add an outcome to the counts. */
export function countOutcome(tally: RowTally, outcome: RowOutcome): void {
  tally.rows += 1;
  if (!outcome.used) {
    tally[outcome.reason] += 1;
    return;
  }
  tally.used += 1;
  for (const remark of outcome.remarks) tally[remark] += 1;
}

function outcomeOf(draft: DraftRow, place: string, { splitting, tags = THOUGHT_TAGS }: SplitOptions = {}): RowOutcome {
  if ("problem" in draft) return skipped(place, draft.problem, draft.detail);
  const { id, question, thought, solution, system, necessary } = draft.value;
  const blank = (
    [
      ["question", "no question"],
      ["solution", "no solution"],
    ] as const
  ).find(([part]) => draft.value[part].trim() === "");
  if (blank) return skipped(place, blank[1], `the ${blank[0]} is empty`);
  const steps = splitSteps(thought, splitting);
  if (steps.every((step) => step === "")) return skipped(place, "empty chain", "the thought has no step");
  if (necessary && necessary.length !== steps.length) {
    return skipped(place, "malformed", `${steps.length} steps, and ${necessary.length} are marked as necessary or not`);
  }
  const answer = draft.value.answer ?? answerOf(solution);
  const remarks: RowRemark[] = [
    ...(steps.length === 1 ? (["one step"] as const) : []),
    ...(answer === undefined ? (["no answer"] as const) : []),
  ];
  const row: ChainRow = {
    id: id ?? place,
    system: system ?? thoughtThenSolution(tags),
    question,
    thought,
    steps,
    solution,
    ...(answer === undefined ? {} : { answer }),
    ...(necessary === undefined ? {} : { necessary }),
  };
  return { used: true, row, remarks };
}

function answerOf(solution: string): string | undefined {
  const answer = extractAnswer(solution, "strict");
  return answer.ok ? answer.value : undefined;
}

const skipped = (place: string, reason: SkipReason, detail: string): RowOutcome => ({
  used: false,
  place,
  reason,
  detail,
});
