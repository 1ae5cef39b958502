export { type AdamWOptions, adamW } from "./adamw.js";
export { type Clipping, clipByGlobalNorm, globalNorm } from "./clipping.js";
export { type MuonOptions, muon, orthogonalised } from "./muon.js";
export type { DecayFilter, Optimizer, OptimizerState, Updated, UpdateInputs } from "./optimizer.js";
export {
  constantRate,
  type Schedule,
  type StableDecayOptions,
  type WarmupDecayOptions,
  warmupCosine,
  warmupLinear,
  warmupStableDecay,
} from "./schedules.js";
export { type SgdOptions, sgd } from "./sgd.js";
