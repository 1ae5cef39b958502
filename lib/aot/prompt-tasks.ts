import { badInput } from "../core/index.js";
import { datasetTable, partOf } from "../data/index.js";
import { createTask, isFileTask, loadTask, type Task, type TaskOptions } from "../tasks/index.js";

export interface PromptTaskOptions extends Pick<TaskOptions, "split" | "path" | "signal" | "seed"> {
  /** Problems to evaluate. */
  samples: number;
  /** The most problems to learn on. Default: 64. */
  training?: number | undefined;
}

/** Problems to evaluate on, and others to learn a prompt on. */
export interface PromptTasks {
  task: Task;
  training: Task;
}

/** Sets whose test split has a training split beside it. */
const WITH_TRAINING: readonly string[] = ["gsm8k", "math"];
/** Sets whose splits are tasks of their own: without a split, problems of all of them in turn. */
const OF_TASKS: readonly string[] = ["bbh", "longbench"];

/**
 * Load what a prompt is learned on and what it is then evaluated on: never the same problems. Word problems and sets with a
 * training split are learned on that; of others, and of files, the part `tune` is learned on and the part `rest` evaluated.
 *
 * @param name as `loadTask` takes it; `bbh` and `longbench` without a split are all their tasks in turn
 * @throws bad-input where a part has no problems; as `loadTask`
 */
export async function promptTasks(name: string, options: PromptTaskOptions): Promise<PromptTasks> {
  const { samples, training = 64, split, path, signal, seed } = options;
  if (/^word-problems(?::|$)/.test(name)) {
    return {
      task: await loadTask(name, { limit: samples, split, seed, signal }),
      training: await loadTask(name, { limit: training, split: "train", seed, signal }),
    };
  }
  if (WITH_TRAINING.includes(name) && split === undefined && path === undefined) {
    return {
      task: await loadTask(name, { limit: samples, signal }),
      training: await loadTask(name, { limit: training, split: "train", signal }),
    };
  }
  const all =
    OF_TASKS.includes(name) && split === undefined && path === undefined
      ? await allTasks(name, signal)
      : await loadTask(name, isFileTask(name) ? { signal } : { split, path, signal });
  return { task: partOfTask(all, "rest", samples), training: partOfTask(all, "tune", training) };
}

function partOfTask(task: Task, part: "tune" | "rest", limit: number): Task {
  const problems = task.problems.filter(({ id }) => partOf(id) === part).slice(0, limit);
  if (problems.length === 0) {
    throw badInput(
      `${task.name} has no problems in the part ${part}`,
      "Give more problems, or optimise a prompt for each question: --per question.",
    );
  }
  return createTask(task.name, problems, { ...task.settings, part }, task.leftOut);
}

/** Problems of all splits in turn, so that the first ones are of different tasks. */
async function allTasks(name: string, signal: AbortSignal | undefined): Promise<Task> {
  const table = await datasetTable();
  const splits = Object.keys(table[name]!.splits);
  const tasks: Task[] = [];
  for (const split of splits) tasks.push(await loadTask(name, { split, signal }));
  const most = Math.max(...tasks.map(({ problems }) => problems.length));
  const problems = Array.from({ length: most }, (_, at) => tasks.flatMap((task) => task.problems[at] ?? [])).flat();
  const leftOut = tasks.reduce((sum, task) => sum + task.leftOut, 0);
  return createTask(name, problems, { splits }, leftOut);
}
