export { type BeamOptions, beamSearch } from "./beam-search.js";
export {
  type Allocate,
  type Allocated,
  type AllocationLimits,
  type PulledArm,
  successiveHalving,
} from "./successive-halving.js";
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
