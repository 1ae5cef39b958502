export type { GroupOptions } from "./group-options.js";
export {
  type InstructionArm,
  instructed,
  type OptimizeInstructionsOptions,
  optimizeInstructions,
  type PoolRound,
} from "./instructions.js";
export {
  type OptimizedPrompt,
  type OptimizeSoftPromptOptions,
  optimizeSoftPrompt,
} from "./optimize-soft-prompt.js";
export { type OptimizeWeightsOptions, optimizeWeights } from "./optimize-weights.js";
export { type ArmScore, dropWorst, scoreArms } from "./pool.js";
export { softPromptStrategy, withPromptVectors, withQuestionPrompts } from "./soft-prompt.js";
export { loadSoftPrompt, type SoftPrompt, saveSoftPrompt } from "./soft-prompt-file.js";
