import { badInput, interruptible, keptResult, ThoughtbookError } from "../core/index.js";
import { evaluate } from "../eval/index.js";
import { type LanguageModel, type LoadModelOptions, loadModel, numericalPath } from "../llm/index.js";
import { gradeCompletion, loadTask, type Task } from "../tasks/index.js";
import { withinHours } from "./deadline.js";
import { studyFiles } from "./files.js";
import { type ArmAnswers, armAnswers, armMeasures, compareArms } from "./measures.js";
import { type ModelSlot, modelSlot } from "./model-slot.js";
import { type Arm, checkStudy, type Stages, type Study, type StudyOptions, type StudyResults } from "./study.js";

/**
 * Carry a study out: prepare all arms, then with each seed train each arm that has no model of its own, evaluate it on
 * the task under all budgets, and measure and compare with intervals over seeds and problems.
 *
 * In the folder: `students/ARM/SEED` for what `train` writes, `evaluations/ARM/SEED` (records, as `evaluate` keeps them) and
 * `evaluations/ARM/SEED.json` (what the measures need). What is finished is not done again, and an interrupted evaluation goes on
 * with its records. A model that arms in a row share is loaded once; a trained one is disposed after its evaluation. When the hours
 * are over, what is finished is measured: an arm with the seeds that it has, two arms with those that both have.
 *
 * @throws bad-input, before any work, for a study that cannot be carried out; bad-input for a folder with answers of other
 *   settings; interrupted; as the stages, `loadModel`, `loadTask` and `evaluate`
 *
 * @example
 * ```ts
 * import { cot, direct } from "thoughtbook/strategies";
 * import { runStudy, type Study } from "thoughtbook/study";
 *
 * const strategies = { direct: direct(), cot: cot() };
 * const arms = (["direct", "cot"] as const).map((name) => ({ name, model: "mini" }));
 * const task = { name: "word-problems:2", limit: 6 };
 * const study: Study<(typeof arms)[number]> = { name: "baselines", arms, seeds: [1], task, budgets: [32, 64] };
 * const stages = { strategy: ({ name }: (typeof arms)[number]) => strategies[name] };
 * const results = await runStudy(study, stages, { folder: "runs/baselines" });
 * console.log(results.arms.map(({ name, budgets }) => [name, budgets.at(-1)?.accuracy.value]));
 * ```
 */
export async function runStudy<A extends Arm, Prepared = undefined>(
  study: Study<A>,
  stages: Stages<A, Prepared>,
  given: StudyOptions,
): Promise<StudyResults<Prepared>> {
  const { load = loadWithoutArenas, hours } = given;
  checkStudy(study, stages);
  const { policy = "strict", comparisons = [] } = study;
  const interruption = interruptible(given.signal);
  const task =
    "problems" in study.task ? study.task : await loadTask(study.task.name, { ...study.task, signal: interruption });
  requirePolicy(study, task);
  const evaluated = study.arms.filter((arm) => stages.isEvaluated?.(arm) ?? true);
  const prepared: Prepared[] = [];
  const answers = new Map(evaluated.map(({ name }) => [name, new Map<number, ArmAnswers[]>()]));
  await withinHours(hours, interruption, async (signal) => {
    const options = { ...given, signal };
    await prepareInto(prepared, study.arms, stages, options);
    const models = modelSlot((spec) => load(spec, { signal }));
    const work = { study, stages, options, task, models };
    try {
      // Seed by seed, so that hours that are too few leave a comparison of all arms.
      for (const seed of study.seeds) {
        for (const arm of evaluated) {
          const own = await answersOf(arm, seed, prepared[study.arms.indexOf(arm)] as Prepared, work);
          answers.get(arm.name)!.set(seed, own);
        }
      }
    } finally {
      await models.empty();
    }
  });
  const answersWith = (seeds: readonly number[], arm: string) => seeds.map((seed) => answers.get(arm)!.get(seed)!);
  const seedsOf = (...arms: readonly string[]) =>
    study.seeds.filter((seed) => arms.every((arm) => answers.get(arm)!.has(seed)));
  return {
    name: study.name,
    task: task.name,
    problems: task.problems.length,
    seeds: [...study.seeds],
    policy,
    prepared,
    arms: evaluated.flatMap(({ name, method = name }) => {
      const seeds = seedsOf(name);
      return seeds.length > 0 ? { name, method, budgets: armMeasures(answersWith(seeds, name), policy) } : [];
    }),
    comparisons: comparisons.flatMap(([arm, other]) => {
      const seeds = seedsOf(arm, other);
      if (seeds.length === 0) return [];
      return { arm, other, budgets: compareArms(answersWith(seeds, arm), answersWith(seeds, other), policy) };
    }),
    unfinished: study.seeds.flatMap((seed) =>
      evaluated.flatMap(({ name }) => (answers.get(name)!.has(seed) ? [] : `${name}/${seed}`)),
    ),
  };
}

/**
 * The first stage of a study alone: prepare arms in their order, then release what that needed.
 *
 * @returns what preparing gave, in the order of the arms, as far as the hours went; nothing if there is no such stage
 * @throws interrupted; as the stage
 */
export async function prepareArms<A extends Arm, Prepared>(
  arms: readonly A[],
  stages: Pick<Stages<A, Prepared>, "prepare" | "release">,
  options: StudyOptions,
): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  await withinHours(options.hours, options.signal, (signal) =>
    prepareInto(prepared, arms, stages, { ...options, signal }),
  );
  return prepared;
}

async function prepareInto<A extends Arm, Prepared>(
  prepared: Prepared[],
  arms: readonly A[],
  { prepare, release }: Pick<Stages<A, Prepared>, "prepare" | "release">,
  { folder, signal, display }: StudyOptions,
): Promise<void> {
  if (!prepare) return;
  try {
    for (const arm of arms) {
      requireUninterrupted(signal);
      prepared.push(await prepare(arm, { folder, signal, display }));
    }
  } finally {
    await release?.();
  }
}

interface Work<A extends Arm, Prepared> {
  study: Study<A>;
  stages: Stages<A, Prepared>;
  options: StudyOptions;
  task: Task;
  models: ModelSlot;
}

/** Train an arm, if it has no model, and evaluate it; what was done before is taken as it is. */
async function answersOf<A extends Arm, Prepared>(
  arm: A,
  seed: number,
  prepared: Prepared,
  { study, stages, options, task, models }: Work<A, Prepared>,
): Promise<ArmAnswers[]> {
  const { folder, signal, display } = options;
  requireUninterrupted(signal);
  const { policy = "strict", budgets } = study;
  const files = studyFiles(folder);
  const strategy = stages.strategy(arm, prepared);
  const sampling = { ...study.sampling, seed: study.sampling?.seed ?? seed };
  const evaluation = {
    ...{ task: task.settings, budgets: [...new Set(budgets)].sort((a, b) => a - b), policy, sampling },
    strategy: { name: strategy.name, ...strategy.settings },
  };
  const settings = { evaluation, ...(await modelSettings(arm, seed, prepared, stages, models)) };
  return keptResult(files.answers(arm.name, seed), settings, async () => {
    const { train } = stages;
    const isTrained = arm.model === undefined;
    // Training has the memory to itself.
    if (isTrained) await models.empty();
    const context = { folder: files.student(arm.name, seed), signal, display, prepared };
    const model = await models.use(isTrained ? await train!(arm, seed, context) : arm.model!);
    const { records } = await evaluate(strategy, task, {
      model,
      budgets,
      ...sampling,
      folder: files.evaluation(arm.name, seed),
      signal,
      display,
      label: `${arm.name}/${seed}`,
    });
    if (isTrained) await models.empty();
    return armAnswers(records, policy);
  });
}

/** What the model of an arm depends on. */
async function modelSettings<A extends Arm, Prepared>(
  arm: A,
  seed: number,
  prepared: Prepared,
  { settings }: Stages<A, Prepared>,
  models: ModelSlot,
): Promise<Record<string, unknown>> {
  if (arm.model !== undefined) {
    const model = await models.use(arm.model);
    // Answers that were kept before the path was named are exact.
    const { numerics } = numericalPath(model);
    return { model: (await model.hash()) ?? arm.model, ...(numerics === "fast" ? { numerics } : {}) };
  }
  if (settings) return settings(arm, seed, prepared);
  const { method: _, ...own } = arm;
  // As a file would keep it: an arm may hold functions.
  return { arm: JSON.parse(JSON.stringify(own)), prepared };
}

/** Load a model without memory arenas: each shape of batch would keep its own. */
export const loadWithoutArenas = (
  spec: string,
  options: Pick<LoadModelOptions, "signal" | "numerics">,
): Promise<LanguageModel> => loadModel(spec, { ...options, session: { arena: false } });

function requirePolicy({ name, policy = "strict" }: Pick<Study, "name" | "policy">, { problems }: Task): void {
  const kinds = new Map(problems.map((problem) => [problem.kind, problem]));
  for (const [kind, problem] of kinds) {
    const { correct } = gradeCompletion(problem, "", undefined);
    if (correct[policy] !== undefined) continue;
    throw badInput(
      `the study ${name} grades as ${policy}, which says nothing of answers of the kind ${kind}`,
      `Choose one of ${Object.keys(correct).join(", ")}.`,
    );
  }
}

function requireUninterrupted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new ThoughtbookError("interrupted", "the study was interrupted", {
    hint: "Run it again: it goes on from there.",
    cause: signal.reason,
  });
}
