import { ThoughtbookError } from "../../core/index.js";
import { type MalformedRow, readRows } from "../files/row-files.js";
import { datasetEntry, defaultSplit } from "./dataset-table.js";
import { type LocatedFile, type LocateOptions, locateSplit, type Origin } from "./locate-split.js";
import {
  type ChoiceRecord,
  type CodeRecord,
  type DatasetRecord,
  datasetRecordSchema,
  type Game24Record,
  type MathRecord,
  type MultiHopRecord,
  type SearchRecord,
  type TextRecord,
  type TraceRecord,
} from "./records.js";
import { bbh, mmlu } from "./rows/choice.js";
import { humanEval, mbpp } from "./rows/code.js";
import { dots } from "./rows/dots.js";
import { game24 } from "./rows/game24.js";
import { amc23, gsm8k, math, math500, olympiadBench, pal, svamp, theoremQA } from "./rows/math.js";
import { hotpotQA, longBench, strategyQA } from "./rows/question-answering.js";
import { checkShape, type RowReader } from "./rows/row-reader.js";
import { astarThought, r1Traces, s1k } from "./rows/traces.js";

/** The records of each data set. */
interface RecordsByName {
  gsm8k: MathRecord;
  math500: MathRecord;
  math: MathRecord;
  amc23: MathRecord;
  olympiadbench: MathRecord;
  svamp: MathRecord;
  multiarith: MathRecord;
  singleeq: MathRecord;
  addsub: MathRecord;
  singleop: MathRecord;
  "gsm-hard": MathRecord;
  theoremqa: MathRecord;
  game24: Game24Record;
  bbh: ChoiceRecord | TextRecord;
  mmlu: ChoiceRecord;
  hotpotqa: MultiHopRecord;
  longbench: MultiHopRecord;
  strategyqa: TextRecord;
  humaneval: CodeRecord;
  mbpp: CodeRecord;
  s1k: TraceRecord;
  "astar-thought-1k": TraceRecord;
  dots: SearchRecord;
  "r1-traces": TraceRecord;
}

export type DatasetName = keyof RecordsByName;
export type RecordOf<N extends DatasetName> = RecordsByName[N];

const READERS: { [N in DatasetName]: RowReader<RecordsByName[N]> } = {
  gsm8k,
  math500,
  math,
  amc23,
  olympiadbench: olympiadBench,
  svamp,
  multiarith: pal,
  singleeq: pal,
  addsub: pal,
  singleop: pal,
  "gsm-hard": pal,
  theoremqa: theoremQA,
  game24,
  bbh,
  mmlu,
  hotpotqa: hotpotQA,
  longbench: longBench,
  strategyqa: strategyQA,
  humaneval: humanEval,
  mbpp,
  s1k,
  "astar-thought-1k": astarThought,
  dots,
  "r1-traces": r1Traces,
};

export const datasetNames = Object.keys(READERS) as DatasetName[];

export interface LoadOptions extends LocateOptions {
  /** Default: "test" or "validation" where the set has it, or its only split. */
  split?: string | undefined;
  /** Maximum number of records. */
  limit?: number | undefined;
  /** Called with each malformed row, which is then left out; without it the first one is an error. */
  onMalformed?: ((row: MalformedRow) => void) | undefined;
}

export interface LoadedDataset<R extends DatasetRecord> {
  records: R[];
  /** Skipped rows, and why. */
  malformed: MalformedRow[];
  /** Path of the file that was read. */
  file: string;
  origin: Origin;
}

/**
 * The records of a data set, one at a time; see `locateSplit` for where its file is looked for.
 *
 * @throws bad-input (unknown name or split, limit below 0), corrupt-data (a malformed row and no `onMalformed`, or a file
 * without rows), not-found, network, file-system, interrupted
 *
 * @example Only compiled: downloads the data set
 * ```ts
 * import { loadDataset } from "thoughtbook/data";
 *
 * for await (const { id, question } of loadDataset("math500", { limit: 3 })) console.log(id, question);
 * ```
 */
export async function* loadDataset<N extends DatasetName>(
  name: N,
  options: LoadOptions = {},
): AsyncGenerator<RecordOf<N>, void, undefined> {
  const { split, file } = await locate(name, options);
  yield* readRecords(name, split, file, options);
}

/** The records of a data set all at once, with the malformed rows and the file. Throws what `loadDataset` throws. */
export async function collectDataset<N extends DatasetName>(
  name: N,
  options: Omit<LoadOptions, "onMalformed"> = {},
): Promise<LoadedDataset<RecordOf<N>>> {
  const { split, file, origin } = await locate(name, options);
  const malformed: MalformedRow[] = [];
  const records: RecordOf<N>[] = [];
  const onMalformed = (row: MalformedRow) => malformed.push(row);
  for await (const record of readRecords(name, split, file, { ...options, onMalformed })) records.push(record);
  return { records, malformed, file, origin };
}

/**
 * Validate the name of a data set.
 * @throws ThoughtbookError "bad-input" that lists the available names.
 */
export async function asDatasetName(name: string): Promise<DatasetName> {
  await datasetEntry(name);
  return name as DatasetName;
}

async function locate(name: string, options: LoadOptions): Promise<LocatedFile & { split: string }> {
  const { limit = 0 } = options;
  if (!(limit >= 0)) {
    throw new ThoughtbookError("bad-input", `the limit is ${limit}`, { hint: "Give a number of records, 0 or more." });
  }
  const split = options.split ?? (await defaultSplit(name));
  return { split, ...(await locateSplit(name, split, options)) };
}

async function* readRecords<N extends DatasetName>(
  name: N,
  split: string,
  file: string,
  { limit = Number.POSITIVE_INFINITY, onMalformed = refuse, signal }: LoadOptions,
): AsyncGenerator<RecordOf<N>, void, undefined> {
  if (limit === 0) return;
  const readRow = READERS[name] as RowReader<DatasetRecord>;
  let [given, empty] = [0, true];
  const noteUnreadable = (row: MalformedRow) => {
    empty = false;
    onMalformed(row);
  };
  for await (const { index, place, value } of readRows(file, { onMalformed: noteUnreadable, signal })) {
    empty = false;
    const draft = readRow(value);
    if (draft === undefined) continue;
    const record = draft.ok ? finish(draft.value, `${name}/${split}`, index) : draft;
    if (!record.ok) {
      onMalformed({ file, place, reason: record.reason });
      continue;
    }
    yield record.value as RecordOf<N>;
    if (++given >= limit) return;
  }
  if (empty) {
    throw new ThoughtbookError("corrupt-data", `${file} holds no rows of ${name}`, {
      hint: "Check that it is the right file; JSON is an array, or an object with the array `examples`.",
    });
  }
}

function finish({ key, ...draft }: { key?: string | number }, prefix: string, index: number) {
  return checkShape(datasetRecordSchema, { id: `${prefix}/${key ?? index}`, ...draft });
}

function refuse({ file, place, reason }: MalformedRow): never {
  throw new ThoughtbookError("corrupt-data", `${file}, ${place}: ${reason}`, { hint: "Correct or delete it." });
}
