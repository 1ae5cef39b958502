export type { GroupOptions } from "./group-options.js";
export type { HeldOut } from "./held-out.js";
export {
  type InstructionArm,
  instructed,
  type OptimizeInstructionsOptions,
  optimizeInstructions,
  type PoolRound,
} from "./instructions.js";
export { type Optimization, type OptimizationRecord, type OptimizeOptions, optimize } from "./optimize.js";
export {
  type OptimizedPrompt,
  type OptimizeSoftPromptOptions,
  optimizeSoftPrompt,
} from "./optimize-soft-prompt.js";
export { type OptimizeWeightsOptions, optimizeWeights } from "./optimize-weights.js";
export {
  type GrpoPlan,
  type GrpoPlanOptions,
  type GrpoResults,
  optimizationIds,
  type PlannedResult,
  readGrpoPlan,
  runGrpoPlan,
} from "./plan.js";
export { type ArmScore, dropWorst, scoreArms } from "./pool.js";
export { type GrpoGain, grpoGains, type MeasuredGrpo, measuredGrpo } from "./results.js";
export type { OptimizationInput, OptimizationSettings } from "./settings.js";
export { softPromptStrategy, withPromptVectors, withQuestionPrompts } from "./soft-prompt.js";
export { loadSoftPrompt, type SoftPrompt, saveSoftPrompt } from "./soft-prompt-file.js";
