export type { Allocate, Allocated, AllocationLimits, Pull, PulledArm } from "./allocate.js";
export { type BeamOptions, beamSearch } from "./beam-search.js";
export { type ActionImportance, type ActionSample, actionImportance } from "./importance.js";
export { type PrunedRoundsOptions, prunedRounds, type RankedBy, uniformPulls } from "./pruned-rounds.js";
export {
  RATE_PRIORS,
  type RatePrior,
  SIMULATED_ALLOCATIONS,
  type SimulatedAllocation,
  type SimulatedResult,
  simulateAllocations,
} from "./simulate.js";
export { successiveHalving } from "./successive-halving.js";
export { type TopTwoOptions, topTwo } from "./top-two.js";
export {
  checkAnswers,
  pathTo,
  type SearchFound,
  type SearchLimits,
  type SearchProblem,
  type SearchTree,
  type TreeNode,
} from "./tree.js";
export { type TreeSearchOptions, treeSearch } from "./tree-search.js";
export { wilsonLowerBound } from "./wilson.js";
