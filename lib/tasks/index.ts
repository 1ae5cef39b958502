export { isFileTask } from "./file-task.js";
export { gradeAttempt } from "./grade-attempt.js";
export {
  type CodeTests,
  type Correctness,
  type Failure,
  type Graded,
  gradeCompletion,
  PROBLEM_KINDS,
  type Problem,
  type ProblemKind,
  type ReferenceStep,
  sameAnswer,
  votes,
} from "./problems.js";
export { createTask, hashProblems, loadTask, type Task, type TaskOptions } from "./tasks.js";
