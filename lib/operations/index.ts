export { type Action, actionNamed, type Trajectory } from "./actions.js";
export { type InputOf, OPERATION_NAMES, OPERATION_TAGS, OPERATIONS, type OperationName, type OutputOf } from "./all.js";
export { annotatedExample } from "./annotated/annotated-examples.js";
export {
  type AskedModel,
  type AskingOptions,
  askedModel,
  askingSettings,
  isAsked,
  operationFor,
  wayOf,
  withUnseen,
} from "./asking/asked-model.js";
export { type Demonstration, demonstrationPool, type Evaluated } from "./asking/demonstrations.js";
export { type ShownPrompt, shownPrompts } from "./asking/shown-prompts.js";
export { askingTable, type Form, type Kind, kindOf, readKind, type Way, waySchema } from "./asking/table.js";
export { type AtomicQuestion, type LabelInput, type LabelledQuestion, label } from "./decompose.js";
export {
  functionExample,
  type OperationExample,
  operationExample,
  operationExamples,
  type ProblemOperation,
  shortenedThought,
} from "./examples.js";
export { explainSteps } from "./examples-explain.js";
export { type Explanation, type NamedActions, readActions } from "./explain.js";
export type { JudgeInput, Judgement } from "./judge.js";
export { defineOperation, type Operation } from "./operation.js";
export { type FunctionInput, pythonProgram } from "./programs.js";
export {
  exampleMessages,
  OPERATION_CHAT_TEMPLATE,
  operationMessage,
  operationPrompt,
  type PromptFrame,
  type PromptStyle,
  styleOf,
} from "./prompt.js";
export type { ContractInput } from "./reword.js";
export { type Attempted, type OperationFailure, type Outcome, type RunOperationOptions, runOperation } from "./run.js";
export { type QuestionInput, type Solution, type SolveInput, writeSolution } from "./solution.js";
export type { LongSolution } from "./solve.js";
export {
  requireSystemRole,
  SYSTEM_PROMPT_NAMES,
  SYSTEM_PROMPTS,
  type SystemPromptName,
  systemPromptName,
  THOUGHT_TAGS,
  thoughtThenSolution,
} from "./system-prompts.js";
export { THOUGHT_BEGIN, THOUGHT_END } from "./text.js";
export { feedbackOf, type ReviseInput, type SolutionInput, type Verification } from "./verify.js";
