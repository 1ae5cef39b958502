import type { Policy } from "../answer/index.js";
import { badInput, checkWhole, type ProgressDisplay } from "../core/index.js";
import type { EvaluateOptions } from "../eval/index.js";
import type { LanguageModel } from "../llm/index.js";
import type { Strategy } from "../rollouts/index.js";
import type { Task, TaskOptions } from "../tasks/index.js";
import type { ArmComparison, ArmMeasures } from "./measures.js";

/** One of the ways to solve problems that a study compares: plain data, with what its stages need besides. */
export interface Arm {
  /** A name for files, unique in the study: letters, digits, `.`, `-`, `_`. */
  name: string;
  /** What figures call it. Default: its name. */
  method?: string | undefined;
  /** The model of an arm without training, as `loadModel` takes it. Arms that have none are trained. */
  model?: string | undefined;
}

/** A task by its name, with the options of `loadTask`. */
export interface TaskSpec extends Omit<TaskOptions, "signal"> {
  name: string;
}

/** How texts are drawn, as `evaluate` takes it. */
export type StudySampling = Pick<EvaluateOptions, "samples" | "temperature" | "topP" | "topK" | "minP" | "seed">;

/** Arms, each carried out with each seed and evaluated on the same problems under each budget. */
export interface Study<A extends Arm = Arm> {
  name: string;
  arms: readonly A[];
  /** Of the training, and of the evaluation unless `sampling` names another one. */
  seeds: readonly number[];
  task: TaskSpec | Task;
  /** The most new tokens of a call. */
  budgets: readonly number[];
  /** Pairs of arms: the first is compared with the second, seed by seed and problem by problem. Default: none. */
  comparisons?: readonly (readonly [string, string])[] | undefined;
  /** How the accuracy is graded; strict accuracy always stands beside it. Default: `strict`. */
  policy?: Policy | undefined;
  /** Default: one text a problem, greedy, with the seed of the arm's run. */
  sampling?: StudySampling | undefined;
}

export interface StudyOptions {
  /** Of all that is made. The same call goes on with what is there; arms, seeds and comparisons can be added. */
  folder: string;
  /** Ends the work with an error; what is finished stays. */
  signal?: AbortSignal | undefined;
  /** Hours after which the work ends without an error, with what is finished. Default: no limit. */
  hours?: number | undefined;
  /** Where progress is shown: the notebook or the terminal unless told otherwise. */
  display?: ProgressDisplay | undefined;
  /** How models are loaded, for options of a server for example. Default: `loadModel`, without memory arenas. */
  load?: ((spec: string, options: { signal?: AbortSignal | undefined }) => Promise<LanguageModel>) | undefined;
}

/** What a stage works with. */
export type StageContext = Pick<StudyOptions, "folder" | "signal" | "display">;

/** What is done with an arm. `Prepared` is what preparing gives, as plain data. */
export interface Stages<A extends Arm, Prepared = undefined> {
  /**
   * Make what an arm needs before any is trained, such as its training data: called for all arms in their order each time
   * the study is run, so long work should keep its result (`keptResult`, append-only files).
   */
  prepare?: ((arm: A, context: StageContext) => Promise<Prepared>) | undefined;
  /** Free what preparing needed, such as models; called once after the last arm, or where one failed. */
  release?: (() => Promise<void>) | undefined;
  /** Whether an arm is trained and evaluated, or prepared only. Default: all are. */
  isEvaluated?: ((arm: A) => boolean) | undefined;
  /**
   * Train the model of an arm that has none.
   *
   * @param context its folder is for this arm and seed; training should go on with what an interrupted run left there
   * @returns the model, as `loadModel` takes it: its folder
   */
  train?: ((arm: A, seed: number, context: StageContext & { prepared: Prepared }) => Promise<string>) | undefined;
  /**
   * What a trained model depends on, as plain data that is known before it is trained: a folder with answers of other
   * settings is refused. It may name `evaluation` itself, for what the evaluation depends on. Default: the arm, as JSON
   * keeps it, and what preparing gave.
   */
  settings?: ((arm: A, seed: number, prepared: Prepared) => Promise<Record<string, unknown>>) | undefined;
  /** How an arm solves problems. What it depends on stands in the strategy's `settings`. */
  strategy(arm: A, prepared: Prepared): Strategy;
}

/** An arm by budget. */
export interface ArmResult {
  name: string;
  method: string;
  budgets: ArmMeasures[];
}

/** One arm against another one, by budget. */
export interface ComparisonResult {
  arm: string;
  other: string;
  budgets: ArmComparison[];
}

/** Plain data: it can be kept as JSON. */
export interface StudyResults<Prepared = undefined> {
  name: string;
  task: string;
  /** How many, and under which seeds. */
  problems: number;
  seeds: number[];
  policy: Policy;
  /** What preparing gave, in the order of the arms; empty without that stage. */
  prepared: Prepared[];
  /** The arms that are evaluated, in their order. */
  arms: ArmResult[];
  comparisons: ComparisonResult[];
  /** What the hours did not suffice for, as `ARM/SEED`. */
  unfinished: string[];
}

/** @throws bad-input for a study that cannot be carried out with these stages */
export function checkStudy<A extends Arm, Prepared>(study: Study<A>, stages: Stages<A, Prepared>): void {
  const { name, arms, seeds, budgets, comparisons = [] } = study;
  const wrong = (what: string, hint: string) => badInput(`the study ${name} ${what}`, hint);
  const evaluated = arms.filter((arm) => stages.isEvaluated?.(arm) ?? true);
  for (const arm of arms) {
    if (/^[\w.-]+$/.test(arm.name) && !/^\.+$/.test(arm.name)) continue;
    throw wrong(
      `has an arm named ${JSON.stringify(arm.name)}`,
      "Name it with letters, digits, - and _; `method` is free.",
    );
  }
  // Where files are told apart by their letters alone, `A` and `a` would share a folder.
  const twice = repeated(arms.map((arm) => arm.name.toLowerCase()));
  if (twice !== undefined) throw wrong(`has two arms named ${twice}`, "Give each a name of its own.");
  if (arms.length === 0) throw wrong("has no arms", "Give one or more.");
  const without = evaluated.find(({ model }) => model === undefined);
  if (without && !stages.train) {
    throw wrong(`does not say which model the arm ${without.name} has`, "Give the arm a `model`, or a stage `train`.");
  }
  if (seeds.length === 0) throw wrong("has no seeds", "Give one or more, such as [1, 2, 3].");
  const odd = seeds.find((seed) => !Number.isInteger(seed));
  if (odd !== undefined) throw wrong(`has the seed ${odd}`, "Give whole numbers.");
  const again = repeated(seeds);
  if (again !== undefined) throw wrong(`has the seed ${again} twice`, "The same run counts once: give other seeds.");
  if (budgets.length === 0) throw wrong("has no budgets", "Give one or more numbers of new tokens, such as [64, 256].");
  for (const budget of budgets) checkWhole(`a budget of the study ${name}`, budget, 1);
  const unknown = comparisons.flat().find((compared) => !evaluated.some((arm) => arm.name === compared));
  if (unknown === undefined) return;
  throw wrong(
    `compares ${JSON.stringify(unknown)}, which is no arm that is evaluated`,
    `Those are ${evaluated.map((arm) => arm.name).join(", ")}.`,
  );
}

const repeated = <T>(values: readonly T[]): T | undefined => values.find((value, at) => values.indexOf(value) !== at);
