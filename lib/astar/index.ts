export { type BestFirstOptions, type BestFirstResult, bestFirstSearch } from "./best-first-search.js";
export { openPathCosts, type PathCost, type PathCostOptions, type PathCosts, type PathText } from "./path-cost.js";
export { type PathTags, releasedTags, STEP_SEPARATOR, THINK_TAGS } from "./path-parts.js";
export type { SearchNode, SearchResult, SearchStatus, SearchTree } from "./search-tree.js";
export type { StepSet } from "./step-set.js";
export { createPathVerifier, type PathVerifier, type PathVerifierOptions, thoughtPrompt } from "./verify-path.js";
export { faithfulSearch, paperSearch, type WalkOptions } from "./walk-search.js";
