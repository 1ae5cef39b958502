export type { ArmComparison, ArmMeasures } from "./measures.js";
export { type ArmPoint, armPoints } from "./points.js";
export { prepareArms, runStudy } from "./run-study.js";
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
