export type { BaselineComparison } from "./baselines/compare-arms.js";
export { armIds, type BaselineArm, type BaselinePlan, readBaselinePlan } from "./baselines/plan.js";
export { findBaselineResults, readBaselineResults } from "./baselines/read-results.js";
export { type BaselineRow, baselineRows } from "./baselines/rows.js";
export {
  type BaselineOptions,
  type BaselineResult,
  type BaselineResults,
  type PromptedArm,
  runBaselines,
} from "./baselines/run-baselines.js";
export { withinHours } from "./deadline.js";
export type { ArmComparison, ArmMeasures } from "./measures.js";
export { type ModelSlot, modelSlot } from "./model-slot.js";
export { type ArmPoint, armPoints } from "./points.js";
export { loadWithoutArenas, prepareArms, runStudy } from "./run-study.js";
export type {
  Arm,
  ArmResult,
  ComparisonResult,
  StageContext,
  Stages,
  Study,
  StudyOptions,
  StudyResults,
  StudySampling,
  TaskSpec,
} from "./study.js";
