import { join } from "node:path";
import { interruptible, openRun, type ProgressDisplay, startProgress, sum, writeWhole } from "../../core/index.js";
import type { Part } from "../../data/index.js";
import { type LanguageModel, numericalPath, UNNAMED_PATH } from "../../llm/index.js";
import { askedModel, askingSettings, withUnseen } from "../../operations/index.js";
import { openProgramSandbox } from "../../rollouts/index.js";
import { type Estimate, proportion } from "../intervals.js";
import { memoryRun } from "../memory-run.js";
import { askCases, type CaseRecord, caseRecordId, caseRecordSchema } from "./ask-cases.js";
import { ANNOTATED, type AnnotatedOperation, readCases } from "./cases.js";
import { isChecked } from "./checks.js";
import { together } from "./together.js";

/** Quality of a model's outputs for one operation on GSM8K. */
export interface AnnotatedQuality {
  operation: AnnotatedOperation;
  problems: number;
  /** Outputs that could be parsed. */
  parsed: Estimate;
  /** Share of all outputs that are right by the annotated solution; undefined where that does not tell. */
  right: Estimate | undefined;
  /** How often outputs are not right for each cause, the most frequent first. */
  causes: Readonly<Record<string, number>>;
  /** Of decompositions that could be parsed: share of the sub-questions that are questions. */
  questions?: Estimate;
  /** Share of texts that the model ended itself. */
  finished: Estimate;
  /** Mean tokens of an output. */
  tokens: number;
}

export interface AnnotatedQualityOptions {
  /** Default: all that GSM8K's solutions tell something of. */
  operations?: readonly AnnotatedOperation[] | undefined;
  /** Maximum number of problems for each operation. */
  problems: number;
  /** Of GSM8K. Default: test. */
  split?: "train" | "test" | undefined;
  part?: Part | undefined;
  seed: number | string;
  maxNewTokens: number;
  batchSize?: number | undefined;
  /** Folder for the records, from which the same call resumes; without it they are kept in memory only. */
  folder?: string | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/**
 * Measure a model's outputs for operations on problems of GSM8K, greedy, one attempt each. The annotations of the solutions tell what is
 * right: the graph of a decomposition, what a contracted question must keep, the value of a program, which step of a solution is
 * wrong; see `checkCase`.
 *
 * With a folder: `records.jsonl`, `run.json` and at the end `summary.json`; the same call resumes, with more problems too.
 *
 * @throws bad-input for a folder with other settings, or demonstrations from the same split; as `runOperation`
 */
export async function annotatedQuality(
  given: LanguageModel,
  options: AnnotatedQualityOptions,
): Promise<AnnotatedQuality[]> {
  const { problems, split = "test", part, seed, maxNewTokens, batchSize, folder } = options;
  const operations = [...new Set(options.operations ?? ANNOTATED)];
  const signal = interruptible(options.signal);
  const asked = await askedModel(given, { signal });
  const all = await readCases(operations, { tasks: ["gsm8k"], split, part, seed, signal });
  const works = operations.map((operation) => ({ operation, cases: all.get(operation)!.slice(0, problems) }));
  const problemsAsked = works.flatMap(({ cases }) => cases.map(({ problem }) => problem));
  const model = withUnseen(asked, { problems: problemsAsked, settings: { name: "gsm8k", split, part } });
  const modelHash = await model.hash();
  const config = {
    ...{ model: model.name, ...(modelHash === undefined ? {} : { modelHash }), ...numericalPath(model) },
    ...{ task: "gsm8k", split, ...(part === undefined ? {} : { part }), operations, maxNewTokens },
    ...(askingSettings(model) ? { asking: askingSettings(model) } : {}),
  };
  const run =
    folder === undefined
      ? memoryRun<CaseRecord>()
      : await openRun<CaseRecord>({
          folder,
          config,
          seed,
          unnamed: UNNAMED_PATH,
          idOf: ({ id }) => id,
          schema: caseRecordSchema,
        });
  const total = sum(works.map(({ cases }) => cases.length));
  const initial = sum(
    works.map(({ operation, cases }) => cases.filter(({ id }) => run.done.has(caseRecordId(operation, id))).length),
  );
  const progress = startProgress(`Measuring the operations of ${model.name} on GSM8K`, {
    total,
    initial,
    unit: "outputs",
    display: options.display,
  });
  const sandbox = openProgramSandbox();
  const found = new Map<string, CaseRecord>();
  try {
    let done = initial;
    await together(model, works, { batchSize, signal }, async ({ operation, cases }, view, ends) => {
      const missing = cases.filter(({ id }) => !run.done.has(caseRecordId(operation, id)));
      await askCases(view, missing, {
        ...{ arm: operation, maxNewTokens, seed, sandbox, batchSize, signal: ends },
        store: async (record) => {
          await run.append(record);
          progress.update(++done, operation);
        },
      });
    });
    for await (const record of run.records()) found.set(record.id, record);
    progress.succeed(`${total.toLocaleString("en-US")} outputs`);
  } catch (error) {
    progress.fail();
    throw error;
  } finally {
    await sandbox.close();
    await run.close();
  }
  const results = works.flatMap(({ operation, cases }) =>
    cases.length === 0
      ? []
      : [
          summarise(
            operation,
            cases.map(({ id }) => found.get(caseRecordId(operation, id))!),
          ),
        ],
  );
  if (folder !== undefined) {
    await writeWhole(join(folder, "summary.json"), `${JSON.stringify({ ...config, seed, results }, null, 2)}\n`);
  }
  return results;
}

function summarise(operation: AnnotatedOperation, records: readonly CaseRecord[]): AnnotatedQuality {
  const share = (isOne: (record: CaseRecord) => boolean | undefined) =>
    proportion(records.filter(isOne).length, records.length);
  const subQuestions = sum(records.map((record) => record.subQuestions ?? 0));
  return {
    operation,
    problems: records.length,
    parsed: share(({ parsed }) => parsed),
    right: isChecked(operation) ? share(({ right }) => right) : undefined,
    causes: countCauses(records),
    ...(subQuestions > 0
      ? { questions: proportion(sum(records.map(({ questions = 0 }) => questions)), subQuestions) }
      : {}),
    finished: share(({ finished }) => finished),
    tokens: sum(records.map(({ completionTokens }) => completionTokens)) / records.length,
  };
}

function countCauses(records: readonly CaseRecord[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { cause } of records) if (cause !== undefined) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)));
}
