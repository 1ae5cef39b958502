import { interruptible, keptResult, type ProgressDisplay, sha256File } from "../../core/index.js";
import { evaluate } from "../../eval/index.js";
import { type LanguageModel, loadModel } from "../../llm/index.js";
import { resolveModel } from "../../model/index.js";
import { think } from "../../strategies/index.js";
import { loadTask } from "../../tasks/index.js";
import { fineTune } from "../../train/index.js";
import {
  compareStudents,
  type StudentAnswers,
  type StudentComparison,
  type StudentMeasures,
  studentAnswers,
  studentMeasures,
} from "./student-measures.js";
import type { Study, StudySet } from "./study-config.js";
import { compressSet, type SetResult, studyFiles, writeChains } from "./study-sets.js";

export interface StudyOptions {
  study: Study;
  /** Folder of all results. Calling it again resumes from what is there; sets can be added. */
  folder: string;
  /** Aborts the work with an error; what is finished stays. */
  signal?: AbortSignal | undefined;
  /** Where to show progress. Default: the notebook or the terminal. */
  display?: ProgressDisplay | undefined;
}

/** The students of a set by budget. */
export interface StudentsResult {
  name: string;
  method: string;
  budgets: StudentMeasures[];
}

/** Students of one set against those of another one, by budget. */
export interface ComparisonResult {
  set: string;
  other: string;
  budgets: StudentComparison[];
}

export interface StudyResults {
  study: Study;
  /** SHA-256 and number of parameters. */
  models: Record<keyof Study["models"], { hash: string | null; parameters: number | null }>;
  sets: SetResult[];
  students: StudentsResult[];
  comparisons: ComparisonResult[];
}

/**
 * Run a study: write the chains, compress them for each set, train a student on each set with each seed, and measure
 * all students on the same problems at each budget.
 *
 * @throws bad-input for a folder with work of other settings; interrupted; as `compressFile`, `fineTune`, `evaluate`
 */
export async function runStudy(given: StudyOptions): Promise<StudyResults> {
  const options = { ...given, signal: interruptible(given.signal) };
  const { study, folder } = options;
  await writeChains(study, folder);
  const { models, sets } = await compressAll(options);
  const answers = new Map<string, StudentAnswers[][]>();
  const { students: training, evaluation } = study;
  if (training && evaluation) {
    for (const set of study.sets.filter((set) => set.students)) {
      const ofSet: StudentAnswers[][] = [];
      for (const seed of training.seeds) {
        const plan = { training, evaluation, seed, base: models.base.hash };
        ofSet.push(await measuredStudent(options, set, plan));
      }
      answers.set(set.name, ofSet);
    }
  }
  return {
    study,
    models,
    sets,
    students: study.sets.flatMap(({ name, method }) => {
      const own = answers.get(name);
      return own ? { name, method, budgets: studentMeasures(own) } : [];
    }),
    comparisons: study.comparisons.flatMap(([set, other]) => {
      const [own, others] = [answers.get(set), answers.get(other)];
      return own && others ? { set, other, budgets: compareStudents(own, others) } : [];
    }),
  };
}

async function compressAll({ study, folder, signal, display }: StudyOptions) {
  const { base, validator, scorer } = study.models;
  const loaded = new Map<string, LanguageModel>();
  for (const spec of new Set([base, validator, scorer])) {
    // Without arenas: each batch shape would keep memory of its own.
    loaded.set(spec, await loadModel(spec, { signal, session: { arena: false } }));
  }
  const modelOf = (name: keyof Study["models"]) => loaded.get(study.models[name])!;
  try {
    const sets: SetResult[] = [];
    const models = { base: modelOf("base"), validator: modelOf("validator"), scorer: modelOf("scorer") };
    for (const set of study.sets) sets.push(await compressSet(study, set, { ...models, folder, signal, display }));
    const described = async (model: LanguageModel) => ({
      hash: (await model.hash()) ?? null,
      parameters: model.parameterCount ?? null,
    });
    return {
      sets,
      models: {
        base: await described(models.base),
        validator: await described(models.validator),
        scorer: await described(models.scorer),
      },
    };
  } finally {
    await Promise.all([...loaded.values()].map((model) => model.dispose()));
  }
}

interface StudentPlan {
  training: NonNullable<Study["students"]>;
  evaluation: NonNullable<Study["evaluation"]>;
  seed: number;
  /** Hash of the weights that the student starts from. */
  base: string | null;
}

/** Train a student and measure it; finished work is reused. */
async function measuredStudent(
  { study, folder, signal, display }: StudyOptions,
  set: StudySet,
  plan: StudentPlan,
): Promise<StudentAnswers[]> {
  const files = studyFiles(folder);
  const { seed, base, evaluation } = plan;
  const { steps, batchSize, learningRate, optimizer, schedule } = plan.training;
  const training = { maxSteps: steps, batchSize, learningRate, optimizer, schedule, seed: `${study.seed}/${seed}` };
  const { problems, operations, split, budgets, seed: problemSeed } = evaluation;
  const data = files.training(set.name);
  const settings = { base, training, data: await sha256File(data), evaluation };
  return keptResult(files.answers(set.name, seed), settings, async () => {
    const out = files.student(set.name, seed);
    await fineTune({
      ...training,
      model: await resolveModel(study.models.base),
      data,
      out,
      resume: true,
      signal,
      display,
    });
    const student = await loadModel(out, { session: { arena: false } });
    try {
      const task = await loadTask(`word-problems:${operations.join("-")}`, {
        limit: problems,
        split,
        seed: problemSeed,
      });
      const { records } = await evaluate(think(), task, {
        model: student,
        budgets,
        seed: problemSeed,
        folder: files.evaluation(set.name, seed),
        signal,
        display,
        label: `student ${set.name}/${seed}`,
      });
      return studentAnswers(records);
    } finally {
      await student.dispose();
    }
  });
}
