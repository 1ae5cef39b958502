export { type AtomMode, type AtomOptions, aot, aotPlugin } from "./aot.js";
export type {
  AnsweredQuestion,
  AtomStep,
  AtomTrace,
  SolutionSource,
  StepFailure,
  StopReason,
  Transition,
} from "./record.js";
export { AOT_STRATEGIES } from "./strategies.js";
