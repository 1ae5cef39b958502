export {
  type ActionSpace,
  type ReasoningAction,
  type SolveState,
  type Trajectory,
  type Turn,
  trajectoriesOf,
  trajectoryKey,
  withAction,
} from "./actions.js";
export { DOTS_SPACE, RELEASED_SPACE } from "./dots-space.js";
export { type PlannedOptions, type PlannedTrace, planned } from "./planner.js";
export { searchTrajectories, type TrajectorySearchOptions } from "./search.js";
export { readSearchResults, type SearchedQuestion, type SearchSample } from "./search-results.js";
export { type TrajectoryTrace, trajectoryStrategy } from "./trajectory-strategy.js";
