import { join } from "node:path";
import { z } from "zod";
import {
  badInput,
  canonicalJson,
  dataFolder,
  interruptible,
  openRun,
  type ProgressDisplay,
  readSettingsFile,
  sha256,
  startProgress,
  sum,
  ThoughtbookError,
  writeWhole,
} from "../../core/index.js";
import { type LanguageModel, numericalPath, UNNAMED_PATH } from "../../llm/index.js";
import { askedModel, type Kind, readKind, type Way, waySchema, withUnseen } from "../../operations/index.js";
import { openProgramSandbox } from "../../rollouts/index.js";
import { successiveHalving } from "../../search/index.js";
import { proportion } from "../intervals.js";
import { askCases, type CaseRecord, caseRecordId, caseRecordSchema } from "./ask-cases.js";
import { ANNOTATED, type AnnotatedCase, type AnnotatedOperation, readCases } from "./cases.js";
import { isChecked } from "./checks.js";
import { together } from "./together.js";

const candidatesSchema = z.strictObject({
  about: z.string().optional(),
  operations: z.partialRecord(
    z.enum(ANNOTATED),
    z
      .array(z.strictObject({ name: z.string().min(1), way: waySchema }))
      .min(1)
      .refine((ways) => new Set(ways.map(({ name }) => name)).size === ways.length, "two ways have the same name"),
  ),
});
export type Candidates = z.infer<typeof candidatesSchema>;

const CANDIDATES = { what: "list of ways to try", example: "data/operations/candidates.json" } as const;

/** The ways to try by default, or those of a file of one's own. Throws bad-input, not-found. */
export const readCandidates = (
  file: string = join(dataFolder(), "operations", "candidates.json"),
): Promise<Candidates> => readSettingsFile(file, candidatesSchema, CANDIDATES);

/** The file of what was chosen, in the folder of a run. */
const ASKING = "asking.json";

export interface TuneOptions {
  /** Operations to tune. Default: all that there are candidates of. */
  operations?: readonly AnnotatedOperation[] | undefined;
  /** Default: those of `data/operations/candidates.json`. */
  candidates?: Candidates | undefined;
  /** Data sets: GSM8K is asked on the part `tune` of its training split, all others on that of their only one. Default: gsm8k. */
  tasks?: readonly string[] | undefined;
  /** Problems on which the first round asks every way of an operation; later rounds twice as many each time. */
  problems: number;
  seed: number | string;
  maxNewTokens: number;
  folder: string;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/** A way that was tried. */
export interface TriedWay {
  operation: AnnotatedOperation;
  arm: string;
  /** Problems that it was asked on, and how many of these right. */
  problems: number;
  successes: number;
  /** 95 %, Wilson's. */
  interval: readonly [number, number];
  /** Mean new tokens and prompt tokens. */
  tokens: number;
  promptTokens: number;
  /** Share of outputs that could be parsed, and that the model ended itself. */
  parsed: number;
  finished: number;
  chosen: boolean;
}

export interface Tuned {
  /** How to ask this model: a kind for `--asking`, or for the table. */
  kind: Kind;
  tried: readonly TriedWay[];
}

/**
 * Search the best way of asking a model for each operation, on problems to tune on alone: ways × problems by successive halving, where the
 * n-th pull of every way is the same problem. Success is a right output, or one that can be parsed where nothing tells what is
 * right.
 *
 * The folder gets `records.jsonl` (an output each, append-only), `run.json`, and at the end `asking.json` (the chosen ways, and
 * all that were tried; those of other operations stay that an earlier call found). The same call resumes: finished outputs are not
 * asked again.
 *
 * @throws bad-input for a folder with other settings, or operations without candidates; as `runOperation`
 */
export async function tuneOperations(model: LanguageModel, options: TuneOptions): Promise<Tuned> {
  const { tasks = ["gsm8k"], problems, seed, maxNewTokens, folder, batchSize } = options;
  const signal = interruptible(options.signal);
  const candidates = options.candidates ?? (await readCandidates());
  const named = options.operations ?? (Object.keys(candidates.operations) as AnnotatedOperation[]);
  const operations = [...new Set(named)];
  const without = operations.find((name) => candidates.operations[name] === undefined);
  if (without !== undefined) throw badInput(`there are no ways to try of ${without}`, "Add some to the candidates.");
  const all = await readCases(operations, { tasks, split: "train", part: "tune", seed, signal });
  const modelHash = await model.hash();
  const config = {
    ...{ model: model.name, ...(modelHash === undefined ? {} : { modelHash }), ...numericalPath(model) },
    ...{ tasks: [...tasks], maxNewTokens },
  };
  const run = await openRun<CaseRecord>({
    folder,
    config,
    seed,
    unnamed: UNNAMED_PATH,
    idOf: ({ id }) => id,
    schema: caseRecordSchema,
  });
  const before = await foundBefore(folder, operations).catch(async (error: unknown) => {
    await run.close();
    throw error;
  });
  const found = new Map<string, CaseRecord>();
  const sandbox = openProgramSandbox();
  const plans = operations.map((operation) => ({
    operation,
    // A server that cannot begin an answer is asked in the other ways.
    arms: candidates.operations[operation]!.filter(({ way }) => way.begin === "" || model.takesAnswer !== false),
    cases: all.get(operation)!,
  }));
  const progress = startProgress(`Tuning how ${model.name} is asked`, {
    total: sum(plans.map(({ arms }) => pullsOf(arms.length, problems))),
    unit: "outputs",
    display: options.display,
  });
  let done = 0;
  const results = new Map<AnnotatedOperation, { best: Way; tried: TriedWay[] }>();
  const resultsSoFar = (): Found => {
    const finished = operations.filter((operation) => results.has(operation));
    return {
      chosen: {
        ...before.chosen,
        ...Object.fromEntries(finished.map((operation) => [operation, results.get(operation)!.best])),
      },
      tried: [...before.tried, ...finished.flatMap((operation) => results.get(operation)!.tried)],
    };
  };
  let writing = Promise.resolve();
  try {
    for await (const record of run.records()) found.set(record.id, record);
    const empty = plans.find(({ cases }) => cases.length === 0);
    if (empty) throw badInput(`there are no problems to tune ${empty.operation} on`, "Add gsm8k to the tasks.");
    await together(model, plans, { batchSize, signal }, async ({ operation, arms, cases }, view, ends) => {
      const pull = async ({ name, way }: Arm, count: number, from: number): Promise<number[]> => {
        const own = casesFrom(cases, from, count);
        const arm = armId(operation, { name, way });
        const kind = kindWith(arm, { [operation]: way });
        const asked = withUnseen(await askedModel(view, { kind, seed, signal: ends }), {
          problems: own.map((each) => each.problem),
          settings: { part: "tune" },
        });
        const missing = distinct(own).filter(({ id }) => !found.has(caseRecordId(arm, id)));
        done += count - missing.length;
        progress.update(done, arm);
        await askCases(asked, missing, {
          ...{ arm, maxNewTokens, seed, sandbox, batchSize, signal: ends },
          store: async (record) => {
            await run.append(record);
            found.set(record.id, record);
            progress.update(++done, arm);
          },
        });
        return own.map(({ id }) => successOf(found.get(caseRecordId(arm, id))!));
      };
      const { best, arms: pulled } = await successiveHalving(arms, pull, {
        pulls: pullsOf(arms.length, problems),
        signal: ends,
      });
      const tried = pulled.map(({ arm, rewards }) => {
        const asked = distinct(casesFrom(cases, 0, rewards.length));
        const records = asked.map(({ id }) => found.get(caseRecordId(armId(operation, arm), id))!);
        return triedWay(operation, arm.name, records, arm === best);
      });
      results.set(operation, { best: best.way, tried });
      // One after the other, so that the last one has all.
      writing = writing.then(() =>
        writeWhole(join(folder, ASKING), kindFile(model, modelHash, options, resultsSoFar())),
      );
      await writing;
    });
    progress.succeed();
  } catch (error) {
    progress.fail();
    throw error;
  } finally {
    await sandbox.close();
    await run.close();
  }
  return { kind: kindOfModel(model, modelHash, options, resultsSoFar()), tried: resultsSoFar().tried };
}

/** Of the operations that are finished, those of earlier calls first. */
interface Found {
  chosen: Record<string, Way>;
  tried: TriedWay[];
}

/** What an earlier call in the folder, of the same settings, found for other operations. */
async function foundBefore(folder: string, now: readonly string[]): Promise<Found> {
  const kind = await readKind(join(folder, ASKING)).catch((error: unknown) => {
    if (error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  });
  const { tried = [] } = (kind?.about ?? {}) as { tried?: readonly TriedWay[] };
  return {
    chosen: Object.fromEntries(Object.entries(kind?.operations ?? {}).filter(([name]) => !now.includes(name))),
    tried: tried.filter(({ operation }) => !now.includes(operation)),
  };
}

type Arm = Candidates["operations"][AnnotatedOperation] extends (infer Each)[] | undefined ? Each : never;

/** With a hash of the way, so that records of a way that was changed since are not taken for its own. */
const armId = (operation: AnnotatedOperation, { name, way }: Arm): string =>
  `${operation}/${name}/${sha256(canonicalJson(way)).slice(0, 8)}`;

/** So that the first round asks each way on this many problems. */
const pullsOf = (arms: number, problems: number): number => Math.max(1, Math.ceil(Math.log2(arms))) * arms * problems;

/** Cases from a place on, from the beginning again where there are no more. */
const casesFrom = (cases: readonly AnnotatedCase[], from: number, count: number): AnnotatedCase[] =>
  Array.from({ length: count }, (_, at) => cases[(from + at) % cases.length]!);

const distinct = (cases: readonly AnnotatedCase[]): AnnotatedCase[] => [
  ...new Map(cases.map((each) => [each.id, each])).values(),
];

const successOf = ({ operation, right, parsed }: CaseRecord): number => Number(isChecked(operation) ? right : parsed);

const kindWith = (name: string, operations: Record<string, Way>): Kind => ({
  ...{ name, models: [], hashes: [], tags: false, operations },
});

function triedWay(
  operation: AnnotatedOperation,
  arm: string,
  records: readonly CaseRecord[],
  chosen: boolean,
): TriedWay {
  const successes = sum(records.map(successOf));
  const mean = (of: (record: CaseRecord) => number) => Math.round((100 * sum(records.map(of))) / records.length) / 100;
  return {
    ...{ operation, arm, problems: records.length, successes },
    interval: proportion(successes, records.length).interval!,
    tokens: mean(({ completionTokens }) => completionTokens),
    promptTokens: mean(({ promptTokens }) => promptTokens),
    parsed: mean(({ parsed }) => Number(parsed)),
    finished: mean(({ finished }) => Number(finished)),
    chosen,
  };
}

function kindOfModel(
  { name }: LanguageModel,
  modelHash: string | undefined,
  { tasks = ["gsm8k"], problems, seed, maxNewTokens }: TuneOptions,
  { chosen, tried }: Found,
): Kind {
  const own = name
    .replace(/[\\/]+$/, "")
    .replace(/^.*[\\/#]/, "")
    .replace(/\.gguf$/i, "");
  const known = own.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const about = { ...(modelHash === undefined ? {} : { modelHash }), tasks, problems, seed, maxNewTokens, tried };
  return {
    name: own,
    models: [known],
    hashes: modelHash === undefined ? [] : [modelHash],
    tags: false,
    operations: chosen,
    about,
  };
}

const kindFile = (...parts: Parameters<typeof kindOfModel>): string =>
  `${JSON.stringify(kindOfModel(...parts), null, 2)}\n`;
