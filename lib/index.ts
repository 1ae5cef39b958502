/**
 * What a first program needs: problems, a model, grading, an evaluation. The rest is in the subpaths, one for each
 * folder (`thoughtbook/astar`, …). Importing this loads no engine: that comes with the first model.
 */
import type { EvaluateOptions, Evaluation, EvaluationTask, TaskOptions } from "./eval/index.js";
import type { LanguageModel, LoadModelOptions } from "./llm/index.js";

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
export type { EvaluateOptions, Evaluation, EvaluationTask } from "./eval/index.js";
export type { Completion, LanguageModel, LoadModelOptions, Prompt, TextRequest } from "./llm/index.js";

/** `loadModel` of `thoughtbook/llm`: "mini", a folder, `owner/name` of the hub, or `http://host:port/v1#name`. */
export async function loadModel(spec: string, options?: LoadModelOptions): Promise<LanguageModel> {
  return (await import("./llm/index.js")).loadModel(spec, options);
}

/** `loadTask` of `thoughtbook/eval`: "word-problems:2-6", or a data set by its name. */
export async function loadTask(name: string, options?: TaskOptions): Promise<EvaluationTask> {
  return (await import("./eval/index.js")).loadTask(name, options);
}

/** `evaluateModel` of `thoughtbook/eval`: records, accuracy under each policy, length. */
export async function evaluateModel(
  model: LanguageModel,
  task: EvaluationTask,
  options?: EvaluateOptions,
): Promise<Evaluation> {
  return (await import("./eval/index.js")).evaluateModel(model, task, options);
}
