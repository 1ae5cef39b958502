export type { CodeTests } from "./code-problems.js";
export { isFileTask } from "./file-task.js";
export {
  type Correctness,
  type Failure,
  type Graded,
  gradeAttempt,
  gradeCompletion,
  PROBLEM_KINDS,
  type Problem,
  type ProblemKind,
  sameAnswer,
} from "./problems.js";
export { createTask, hashProblems, loadTask, type Task, type TaskOptions } from "./tasks.js";
