import { interruptible, type ProgressDisplay, sha256File, ThoughtbookError } from "../../core/index.js";
import type { LanguageModel, LoadModelOptions } from "../../llm/index.js";
import { resolveModel } from "../../model/index.js";
import { think } from "../../strategies/index.js";
import {
  type ArmComparison,
  type ArmResult,
  loadWithoutArenas,
  prepareArms,
  runStudy,
  type Stages,
  type StudyOptions,
} from "../../study/index.js";
import { fineTune } from "../../train/index.js";
import { studyTask } from "./study-chains.js";
import type { AstarStudy, StudySet } from "./study-config.js";
import { compressSet, type SetResult, setFiles, writeChains } from "./study-sets.js";

export interface AstarStudyOptions {
  study: AstarStudy;
  /** Of all that is made. The same call goes on with what is there; sets can be added. */
  folder: string;
  /** Aborts the work with an error; what is finished stays. */
  signal?: AbortSignal | undefined;
  /** Path of the computation of all models but training. Default: exact. */
  numerics?: LoadModelOptions["numerics"];
  /** Hours after which the work ends without an error, with what is finished. Default: no limit. */
  hours?: number | undefined;
  /** Where to show progress. Default: the notebook or the terminal. */
  display?: ProgressDisplay | undefined;
}

/** The students of one set against those of another one, by budget. */
export interface SetComparison {
  set: string;
  other: string;
  budgets: ArmComparison[];
}

export interface AstarStudyResults {
  study: AstarStudy;
  /** SHA-256 and number of parameters. */
  models: Record<ModelRole, ModelDescription>;
  sets: SetResult[];
  /** The students of a set by budget. */
  students: ArmResult[];
  comparisons: SetComparison[];
  /** What the hours did not suffice for: sets by their names, students as `SET/SEED`. */
  unfinished: string[];
}

type ModelRole = keyof AstarStudy["models"];
type ModelDescription = { hash: string | null; parameters: number | null };

/**
 * Carry a study of A*-Thought out: write the chains, compress them for each set, train a student on each set with each
 * seed, and measure all on the same problems at each budget. It is {@link runStudy} with the sets as arms: prepared by
 * compression, trained by `fineTune`, and evaluated with the strategy `think`. When the hours are over, what is finished is measured.
 *
 * @throws bad-input for a folder with work of other settings; interrupted; as `compressFile`, `fineTune`, `evaluate`
 */
export async function runAstarStudy(given: AstarStudyOptions): Promise<AstarStudyResults> {
  const { study, folder, display, hours, numerics } = given;
  const load: Load = (spec, { signal }) => loadWithoutArenas(spec, { signal, numerics });
  const options = { load, folder, display, hours, signal: interruptible(given.signal) };
  const { students: training, evaluation } = study;
  await writeChains(study, folder, options.signal);
  const compression = openCompression(study, load);
  const setsAfter = (prepared: readonly SetResult[]) => study.sets.slice(prepared.length).map(({ name }) => name);
  if (!training || !evaluation) {
    const sets = await prepareArms(study.sets, compression, options);
    return { study, models: compression.models(), sets, students: [], comparisons: [], unfinished: setsAfter(sets) };
  }
  const { seed, budgets } = evaluation;
  const files = setFiles(folder);
  const trainingOf = (student: number) => {
    const { steps, seeds: _, solutions: __, ...settings } = training;
    return { ...settings, ...(steps === undefined ? {} : { maxSteps: steps }), seed: `${study.seed}/${student}` };
  };
  const stages: Stages<StudySet, SetResult> = {
    ...compression,
    isEvaluated: ({ students }) => students,
    settings: async ({ name }, student) => ({
      base: compression.models().base.hash,
      training: trainingOf(student),
      data: await sha256File(files.training(name)),
      evaluation,
    }),
    async train({ name }, student, { folder: out, ...context }) {
      const model = await resolveModel(study.models.base);
      await fineTune({
        ...{ ...trainingOf(student), model, data: files.training(name), out, resume: true },
        ...(training.lora ? { dtype: "float16" as const } : {}),
        ...{ signal: context.signal, display: context.display },
      });
      return out;
    },
    strategy: () => think(),
  };
  const results = await runStudy<StudySet, SetResult>(
    {
      name: study.name,
      arms: study.sets,
      seeds: training.seeds,
      task: await studyTask(study, options.signal),
      budgets,
      comparisons: study.comparisons,
      policy: "astar",
      sampling: { seed },
    },
    stages,
    options,
  );
  return {
    study,
    models: compression.models(),
    sets: results.prepared,
    students: results.arms,
    comparisons: results.comparisons.map(({ arm, other, budgets }) => ({ set: arm, other, budgets })),
    unfinished: [...setsAfter(results.prepared), ...results.unfinished],
  };
}

type Load = NonNullable<StudyOptions["load"]>;

interface Models extends Record<ModelRole, LanguageModel> {
  dispose(): Promise<void>;
}

/** Preparing the sets of a study: each is compressed with its models, which are loaded for the first and then kept. */
function openCompression(study: AstarStudy, load: Load) {
  let opened: Models | undefined;
  let described: AstarStudyResults["models"] | undefined;
  return {
    async prepare(set, { folder, signal, display }) {
      opened ??= await openModels(study.models, load, signal);
      described ??= await describeModels(opened);
      return compressSet(study, set, { ...opened, folder, signal, display });
    },
    async release() {
      await opened?.dispose();
    },
    /** Known once a set is prepared. */
    models(): AstarStudyResults["models"] {
      if (described) return described;
      throw new ThoughtbookError("interrupted", `the study ${study.name} had no time for its first set`, {
        hint: "Run it again with more hours.",
      });
    },
  } satisfies Pick<Stages<StudySet, SetResult>, "prepare" | "release"> & Record<string, unknown>;
}

async function openModels(specs: AstarStudy["models"], load: Load, signal: AbortSignal | undefined): Promise<Models> {
  const loaded = new Map<string, LanguageModel>();
  const dispose = async () => {
    await Promise.all([...loaded.values()].map((model) => model.dispose()));
  };
  try {
    for (const spec of new Set([specs.base, specs.validator, specs.scorer])) {
      loaded.set(spec, await load(spec, { signal }));
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const modelOf = (role: ModelRole) => loaded.get(specs[role])!;
  return { base: modelOf("base"), validator: modelOf("validator"), scorer: modelOf("scorer"), dispose };
}

async function describeModels(models: Models): Promise<AstarStudyResults["models"]> {
  const described = async (role: ModelRole): Promise<ModelDescription> => ({
    hash: (await models[role].hash()) ?? null,
    parameters: models[role].parameterCount ?? null,
  });
  return {
    base: await described("base"),
    validator: await described("validator"),
    scorer: await described("scorer"),
  };
}
