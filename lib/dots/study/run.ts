import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkInterrupt, keptResult, type ProgressDisplay, withoutUndefined } from "../../core/index.js";
import { type EvaluationRecord, evaluate } from "../../eval/index.js";
import type { LanguageModel } from "../../llm/index.js";
import { resolveModel } from "../../model/index.js";
import { styleOf } from "../../operations/index.js";
import type { Strategy } from "../../rollouts/index.js";
import { cot } from "../../strategies/index.js";
import { modelSlot, withinHours } from "../../study/index.js";
import type { Task } from "../../tasks/index.js";
import { type Trajectory, trajectoriesOf, trajectoryKey } from "../actions.js";
import { DOTS_SPACE } from "../dots-space.js";
import { type ExplainedQuestion, explainTrajectories } from "../explain.js";
import { internalised } from "../internalised.js";
import { planOperation } from "../planner.js";
import { plansIn } from "../plans.js";
import { searchTrajectories } from "../search.js";
import type { SearchedQuestion } from "../search-results.js";
import { type Selection, selectTrajectories } from "../select.js";
import { staticRates } from "../static.js";
import { trainPlanner } from "../train.js";
import { saveRows, trainingRows } from "../training-rows.js";
import { actionShares, armGroups, type Outcome, shareOfWay } from "./measures.js";
import { planTask } from "./plan-task.js";
import type { DotsArm, DotsResults } from "./results.js";
import { type DotsStudent, type DotsStudy, loadStudyTask } from "./settings.js";

export interface DotsStudyOptions {
  /** Folder of everything that comes out. */
  folder: string;
  /** Loads a model by its specification. */
  load: (spec: string) => Promise<LanguageModel>;
  /** The solver from another place than the study says, such as a file. */
  model?: string | undefined;
  /** Ways to answer by name: those of `thoughtbook evaluate`. */
  strategies: Readonly<Record<string, () => Strategy>>;
  /** Hours after which nothing more is begun; what is finished stays. Default: no limit. */
  hours?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
  /** Called after each arm with all that is finished. */
  onResults?: ((results: DotsResults) => Promise<void>) | undefined;
}

/** An arm's outcomes and plans by seed, so far. */
interface ArmState {
  name: string;
  title: string;
  bySeed: Map<number, readonly Outcome[]>;
  plans: { group: string; trajectory?: Trajectory | undefined }[];
  rows: number;
}

/**
 * Carry a study of DOTS out: search the training problems of each seed; try all trajectories on the test problems, greedily; train the
 * students on what was found; let planners plan for the test problems, and measure internalised students and baselines. An external
 * planner's outcome is that of the trajectory it names, which was tried already.
 *
 * Everything is kept in the folder as soon as it is done: the same call goes on after a kill at any moment. When the hours are over, what
 * is finished is returned, and the rest is named.
 *
 * @throws bad-input for a folder with other settings; interrupted; as its steps
 */
export async function runDotsStudy(study: DotsStudy, options: DotsStudyOptions): Promise<DotsResults> {
  const models = modelSlot(options.load);
  const spec = options.model ?? study.model;
  const state: StudyState = {
    arms: new Map(),
    searches: [],
    statics: new Map(),
    unfinished: new Set(unitsOf(study)),
    modelHash: undefined,
  };
  const work = { study, options, models, spec, state };
  try {
    await withinHours(options.hours, options.signal, (signal) => carryOut({ ...work, signal }));
  } finally {
    await models.empty();
  }
  return resultsOf(work);
}

interface StudyState {
  arms: Map<string, ArmState>;
  searches: DotsResults["searches"];
  /** The best static trajectory by seed. */
  statics: Map<number, string>;
  unfinished: Set<string>;
  modelHash: string | undefined;
}

interface Work {
  study: DotsStudy;
  options: DotsStudyOptions;
  signal: AbortSignal | undefined;
  models: ReturnType<typeof modelSlot>;
  spec: string;
  state: StudyState;
}

const unitsOf = ({ seeds, baselines, students }: DotsStudy): string[] => [
  "static trajectories",
  ...seeds.flatMap((seed) => [`search/${seed}`, ...students.map(({ name }) => `${name}/${seed}`)]),
  "untrained planner",
  ...baselines,
];

async function carryOut(work: Work): Promise<void> {
  const { study, options, signal, models, spec, state } = work;
  const { folder } = options;
  const finish = async (unit: string) => {
    state.unfinished.delete(unit);
    await options.onResults?.(resultsOf(work));
  };
  await mkdir(folder, { recursive: true });
  const searched = new Map<number, SearchedQuestion[]>();
  const explained = new Map<string, ExplainedQuestion[]>();
  for (const seed of study.seeds) {
    checkInterrupt(signal, "the study");
    const questions = await searchSeed(work, seed);
    searched.set(seed, questions);
    state.searches.push(searchSummary(seed, questions));
    state.statics.set(seed, trajectoryKey(staticRates(questions)[0]!.trajectory));
    await finish(`search/${seed}`);
  }
  const test = await loadStudyTask(`${study.name} test`, study.test, 0, signal);
  const groupOf = new Map(test.problems.map(({ id, fields }) => [id, String(fields!.group)]));
  const statics = await staticOutcomes(work, test);
  for (const [name, outcomes] of statics) setArm(state, `dots:${name}`, name, study.seeds[0]!, outcomes);
  addComparisons(work, statics, test);
  await finish("static trajectories");

  const base = await models.use(spec);
  state.modelHash = await base.hash();
  const selfPlans = await keptResult(join(folder, "plans", "untrained.json"), planSettings(work), () =>
    planTask(base, test, planOptions(work)),
  );
  addPlanned(
    work,
    { name: "self", title: "planner without training" },
    study.seeds[0]!,
    selfPlans,
    statics,
    groupOf,
    study.seeds,
  );
  await finish("untrained planner");

  for (const seed of study.seeds) {
    for (const student of study.students) {
      const key = `${seed}/${student.planner === "vanilla" ? "words" : student.select}`;
      const own = explained.get(key) ?? (await explainSeed(work, seed, student, searched.get(seed)!));
      explained.set(key, own);
      if (own.length === 0) continue;
      const trained = await trainStudent(work, student, seed, own);
      const arm = armOf(state, student.name, student.title);
      arm.rows += trained.rows;
      if (student.planner === "external") {
        const settings = { ...planSettings(work), student: student.name, seed };
        const plans = await keptResult(join(folder, "plans", student.name, `${seed}.json`), settings, async () =>
          planTask(await models.use(trained.folder), test, planOptions(work)),
        );
        addPlanned(work, student, seed, plans, statics, groupOf);
      } else {
        const strategy =
          student.planner === "vanilla" ? cot() : internalised({ fallback: state.statics.get(seed)!.split("+") });
        const records = await evaluated(
          work,
          strategy,
          test,
          trained.folder,
          join("students", student.name, String(seed)),
          student.maxNewTokens,
        );
        arm.bySeed.set(seed, recordOutcomes(records, groupOf));
        for (const { problem, trajectory } of plansIn(records))
          arm.plans.push({ group: groupOf.get(problem)!, trajectory });
      }
      await models.empty();
      await finish(`${student.name}/${seed}`);
    }
  }
  for (const name of study.baselines) {
    const records = await evaluated(work, options.strategies[name]!(), test, spec, join("baselines", name));
    setArm(state, name, name, study.seeds[0]!, recordOutcomes(records, groupOf));
    await finish(name);
  }
}

async function searchSeed({ study, options, signal, models, spec }: Work, seed: number): Promise<SearchedQuestion[]> {
  const file = join(options.folder, "search", `${seed}.json`);
  const { train, search, temperature, policy, maxNewTokens, batchSize } = study;
  return keptResult(file, { train, search, temperature, policy, maxNewTokens, seed, model: study.model }, async () => {
    const task = await loadStudyTask(`${study.name} train`, train, seed, signal);
    const model = await models.use(spec);
    const found: SearchedQuestion[] = [];
    const folder = join(options.folder, "search", String(seed));
    const asked = {
      model,
      search,
      temperature,
      seed,
      policy,
      maxNewTokens,
      batchSize,
      folder,
      signal,
      display: options.display,
    };
    for await (const question of searchTrajectories(task, asked)) found.push(question);
    return found;
  });
}

/** The outcome of each trajectory on each test problem, greedily: one attempt each, with shared beginnings. */
async function staticOutcomes(
  { study, options, signal, models, spec }: Work,
  test: Task,
): Promise<Map<string, Outcome[]>> {
  const { maxNewTokens, batchSize } = study;
  const settings = { test: test.settings, maxNewTokens, model: study.model };
  const kept = await keptResult(join(options.folder, "static.json"), settings, async () => {
    const found: [string, Outcome[]][] = trajectoriesOf(DOTS_SPACE).map((trajectory) => [
      trajectoryKey(trajectory),
      [],
    ]);
    const byName = new Map(found);
    const search = { method: "uniform" as const, pulls: found.length };
    const asked = { model: await models.use(spec), search, temperature: 0, seed: 0, maxNewTokens, batchSize };
    const all = searchTrajectories(test, {
      ...asked,
      folder: join(options.folder, "static"),
      signal,
      display: options.display,
    });
    for await (const { group, samples } of all) {
      for (const { problem, trajectory, correct, tokens } of samples) {
        const right = Number(correct.strict ?? false);
        byName
          .get(trajectoryKey(trajectory))!
          .push({ problem, group: group!, right, dots: Number(correct.dots ?? right), tokens });
      }
    }
    return found;
  });
  return new Map(kept);
}

/** What is computed of all static trajectories: the best one on the training problems, a random one, and the oracle. */
function addComparisons({ study, state }: Work, statics: ReadonlyMap<string, readonly Outcome[]>, test: Task): void {
  const all = [...statics.values()];
  const at = (problem: number) => all.map((outcomes) => outcomes[problem]!);
  const combined = (of: (outcomes: readonly Outcome[]) => Partial<Outcome>): Outcome[] =>
    test.problems.map((_, problem) => ({ ...at(problem)[0]!, ...of(at(problem)) }));
  const mean = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, each) => sum + of(each), 0) / outcomes.length;
  const random = combined((outcomes) => ({
    right: mean(outcomes, ({ right }) => right),
    dots: mean(outcomes, ({ dots }) => dots),
    tokens: mean(outcomes, ({ tokens }) => tokens),
  }));
  // The oracle takes the cheapest trajectory among those that are right.
  const oracle = combined(
    (outcomes) => [...outcomes].sort((a, b) => b.right - a.right || b.dots - a.dots || a.tokens - b.tokens)[0]!,
  );
  for (const seed of study.seeds) {
    setArm(state, "random", "random trajectory", seed, random);
    setArm(state, "oracle", "oracle", seed, oracle);
    setArm(state, "static", "best static trajectory", seed, statics.get(state.statics.get(seed)!)!);
  }
}

function addPlanned(
  { study, state }: Work,
  { name, title }: Pick<DotsStudent, "name" | "title">,
  seed: number,
  plans: readonly PlannedProblem[],
  statics: ReadonlyMap<string, readonly Outcome[]>,
  groupOf: ReadonlyMap<string, string>,
  seeds: readonly number[] = [seed],
): void {
  const arm = armOf(state, name, title);
  const byProblem = new Map([...statics].map(([key, own]) => [key, new Map(own.map((each) => [each.problem, each]))]));
  for (const own of seeds) {
    const fallback = state.statics.get(own) ?? state.statics.get(study.seeds[0]!)!;
    arm.bySeed.set(
      own,
      plans.map(({ problem, trajectory, tokens }) => {
        const outcome = byProblem.get(trajectory ? trajectoryKey(trajectory) : fallback)!.get(problem)!;
        return { ...outcome, tokens: outcome.tokens + tokens };
      }),
    );
  }
  for (const { problem, trajectory } of plans) arm.plans.push({ group: groupOf.get(problem)!, trajectory });
}

type PlannedProblem = Awaited<ReturnType<typeof planTask>>[number];

const planSettings = ({ study }: Work) => ({ test: study.test, model: study.model, operation: planOperation().name });
const planOptions = ({ study, options, signal }: Work) => ({
  batchSize: study.batchSize,
  signal,
  display: options.display,
});

async function explainSeed(
  { study, options, signal, models, spec }: Work,
  seed: number,
  student: DotsStudent,
  searched: readonly SearchedQuestion[],
): Promise<ExplainedQuestion[]> {
  const selection: Selection = student.planner === "vanilla" ? { trajectory: ["cot"] } : student.select;
  const name = student.planner === "vanilla" ? "words" : student.select;
  const file = join(options.folder, "explained", String(seed), `${name}.json`);
  return keptResult(
    file,
    { train: study.train, search: study.search, selection, seed, model: study.model },
    async () => {
      const selected = selectTrajectories(searched, selection, { seed });
      // Plain solutions have no plan to explain.
      const model = await models.use(spec);
      const rows: ExplainedQuestion[] = [];
      for await (const row of explainTrajectories(selected, { model, seed, signal, display: options.display }))
        rows.push(row);
      return rows;
    },
  );
}

async function trainStudent(
  { study, options, signal, models, spec }: Work,
  student: DotsStudent,
  seed: number,
  explained: readonly ExplainedQuestion[],
): Promise<{ folder: string; rows: number }> {
  const place = join(options.folder, "students", student.name, String(seed));
  const folder = join(place, "model");
  const style = styleOf(await models.use(spec), planOperation());
  const rows = trainingRows(explained, { planner: student.planner, style, explanations: student.explanations });
  const data = join(place, "rows.jsonl");
  await saveRows(data, rows);
  // Training has the memory to itself.
  await models.empty();
  const { lora, ...training } = study.training;
  await trainPlanner({
    ...withoutUndefined(training),
    ...{ model: await resolveModel(spec), data, out: folder, seed, resume: true, signal },
    ...(lora === undefined ? {} : { lora: { rank: lora } }),
    display: options.display,
  });
  return { folder, rows: rows.length };
}

async function evaluated(
  { study, options, signal, models }: Work,
  strategy: Strategy,
  test: Task,
  spec: string,
  place: string,
  maxNewTokens: number = study.maxNewTokens,
): Promise<EvaluationRecord[]> {
  const settings = { test: study.test, maxNewTokens, strategy: { name: strategy.name, ...strategy.settings }, place };
  return keptResult(join(options.folder, "evaluations", `${place}.json`), settings, async () => {
    const { records } = await evaluate(strategy, test, {
      model: await models.use(spec),
      budgets: [maxNewTokens],
      seed: 0,
      folder: join(options.folder, "evaluations", place),
      batchSize: study.batchSize,
      signal,
      display: options.display,
      label: `${study.title}, ${strategy.name}`,
    });
    return records;
  });
}

const recordOutcomes = (records: readonly EvaluationRecord[], groupOf: ReadonlyMap<string, string>): Outcome[] =>
  records.map(({ problem, correct, completionTokens }) => {
    const right = Number(correct.strict ?? false);
    return {
      problem,
      group: groupOf.get(problem)!,
      right,
      dots: Number(correct.dots ?? right),
      tokens: completionTokens,
    };
  });

function armOf({ arms }: StudyState, name: string, title: string): ArmState {
  const known = arms.get(name) ?? { name, title, bySeed: new Map(), plans: [], rows: 0 };
  arms.set(name, known);
  return known;
}

const setArm = (state: StudyState, name: string, title: string, seed: number, outcomes: readonly Outcome[]) =>
  armOf(state, name, title).bySeed.set(seed, outcomes);

function searchSummary(seed: number, questions: readonly SearchedQuestion[]): DotsResults["searches"][number] {
  const best: Record<string, Record<string, number>> = {};
  for (const question of questions) {
    if (!question.best) continue;
    const key = trajectoryKey(question.best);
    best[key] ??= {};
    const group = question.group ?? "all";
    best[key][group] = (best[key][group] ?? 0) + 1;
  }
  const samples = questions.flatMap((question) => question.samples);
  return {
    ...{ seed, questions: questions.length, attempts: samples.length },
    tokens: samples.reduce((sum, { tokens }) => sum + tokens, 0),
    kept: questions.filter((question) => question.best).length,
    every: questions.filter(({ dropped }) => dropped === "every").length,
    none: questions.filter(({ dropped }) => dropped === "none").length,
    static: trajectoryKey(staticRates(questions)[0]!.trajectory),
    best,
  };
}

function resultsOf({ study, state, options }: Pick<Work, "study" | "state" | "options">): DotsResults {
  const { arms } = state;
  const outcomesOf = (name: string) => [...(arms.get(name)?.bySeed.values() ?? [])];
  const [best, oracle] = [outcomesOf("static"), outcomesOf("oracle")];
  const made = [...arms.values()]
    .filter(({ bySeed }) => bySeed.size > 0)
    .map(({ name, title, bySeed, plans, rows }): DotsArm => {
      const outcomes = [...bySeed.values()];
      const way = best.length > 0 && oracle.length > 0 ? shareOfWay(outcomes, best, oracle) : undefined;
      return {
        ...{
          name,
          title,
          seeds: [...bySeed.keys()],
          groups: armGroups(outcomes),
        },
        ...(way && !name.startsWith("dots:") ? { way } : {}),
        ...(rows > 0 ? { rows } : {}),
        ...(plans.length > 0 ? { shares: actionShares(plans) } : {}),
      };
    });
  const { name, title, model, seeds } = study;
  const other = options.model === undefined ? "" : ` --model ${options.model.replace(/^.*[\\/]/, "")}`;
  return {
    ...{ name, title, model, seeds: [...seeds] },
    ...(state.modelHash === undefined ? {} : { modelHash: state.modelHash }),
    command: `npx thoughtbook dots study data/studies/${name}.json --out runs/${name}${other} --results data/results/${name}.json`,
    searches: [...state.searches],
    arms: made,
    unfinished: [...state.unfinished],
  };
}
