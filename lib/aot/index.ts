export { type AtomMode, type AtomOptions, aot, aotPlugin } from "./aot.js";
export {
  type AnswerReward,
  type AotGrpoOptions,
  type AotGrpoResult,
  aotGrpo,
  type PromptUpdate,
} from "./aot-grpo.js";
export { learnPrompt, type RecordMeasures, recordMeasures } from "./baseline-parts.js";
export type { AtomPart } from "./chain.js";
export type { Chooser } from "./choose.js";
export { type PromptTaskOptions, type PromptTasks, promptTasks } from "./prompt-tasks.js";
export type {
  AnsweredQuestion,
  AtomStep,
  AtomTrace,
  SolutionSource,
  StepCost,
  StepFailure,
  StopReason,
  Transition,
} from "./record.js";
export { AOT_STRATEGIES } from "./strategies.js";
export {
  type AtomSummary,
  accuracyByDepth,
  atomChains,
  type DepthAccuracy,
  questionDepths,
  summarizeAtoms,
} from "./traces.js";
