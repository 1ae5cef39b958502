/**
 * What a first program needs: problems, a model, grading, an evaluation. The rest is in the subpaths, one for each
 * folder (`thoughtbook/astar`, …). Importing this loads no engine: that comes with the first model.
 */
import type { EvaluateOptions, Evaluation } from "./eval/index.js";
import type { LanguageModel, LoadModelOptions } from "./llm/index.js";
import type { Strategy } from "./rollouts/index.js";
import type { StrategyName } from "./strategies/index.js";
import type { Task, TaskOptions } from "./tasks/index.js";

export { type AnswerKind, extractAnswer, type Grade, type GradeTask, grade, type Policy } from "./answer/index.js";
export { ThoughtbookError } from "./core/index.js";
export {
  type DatasetName,
  datasetNames,
  generateWordProblem,
  type LoadedProblems,
  loadDataset,
  loadSample,
  type ProceduralProblem,
  type WordProblem,
  wordProblems,
} from "./data/index.js";
export type { EvaluateOptions, Evaluation } from "./eval/index.js";
export type { Completion, LanguageModel, LoadModelOptions, Prompt, TextRequest } from "./llm/index.js";
export type { Strategy } from "./rollouts/index.js";
export type { Task } from "./tasks/index.js";

/** `loadModel` of `thoughtbook/llm`: "mini", a folder, `owner/name` of the hub, or `http://host:port/v1#name`. */
export async function loadModel(spec: string, options?: LoadModelOptions): Promise<LanguageModel> {
  return (await import("./llm/index.js")).loadModel(spec, options);
}

/** `loadTask` of `thoughtbook/tasks`: "word-problems:2-6", a data set by its name, or a file of one's own. */
export async function loadTask(name: string, options?: TaskOptions): Promise<Task> {
  return (await import("./tasks/index.js")).loadTask(name, options);
}

/** `evaluate` of `thoughtbook/eval`, of a strategy or one by its name: records, accuracy under each policy, length. */
export async function evaluate(
  strategy: Strategy | StrategyName,
  task: Task,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const [{ evaluate }, { STRATEGIES }] = await Promise.all([
    import("./eval/index.js"),
    import("./strategies/index.js"),
  ]);
  return evaluate(typeof strategy === "string" ? STRATEGIES[strategy]() : strategy, task, options);
}
