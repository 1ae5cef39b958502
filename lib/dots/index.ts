export {
  type ActionSpace,
  parseTrajectory,
  type ReasoningAction,
  type SolveState,
  type Trajectory,
  type Turn,
  trajectoriesOf,
  trajectoryKey,
  withAction,
} from "./actions.js";
export { DOTS_SPACE, RELEASED_SPACE } from "./dots-space.js";
export { type ExplainedQuestion, explainTrajectories, readExplained } from "./explain.js";
export { type InternalisedOptions, internalised } from "./internalised.js";
export { groupedWordProblems, WORD_PROBLEM_GROUP_NAMES, type WordProblemGroup } from "./kinds.js";
export { type Plan, type PlannedOptions, type PlannedTrace, planned, planOperation } from "./planner.js";
export { type PlanOfAttempt, plansIn } from "./plans.js";
export { searchTrajectories, type TrajectorySearchOptions } from "./search.js";
export { readSearchResults, type SearchedQuestion, type SearchSample } from "./search-results.js";
export type { SearchSettings } from "./search-settings.js";
export { type SelectedQuestion, type Selection, selectTrajectories } from "./select.js";
export { type StaticRate, staticRates } from "./static.js";
export { DOTS_STRATEGIES } from "./strategies.js";
export {
  type ArmRow,
  actionTable,
  armMethods,
  armPoints,
  armRows,
  type ComparedMethod,
  paperActionTable,
  paperMethods,
  type ShareTable,
  searchTable,
  studentNames,
  successTable,
} from "./study/figure-rows.js";
export { type ActionShares, type ArmGroup, actionShares } from "./study/measures.js";
export { type DotsArm, type DotsResults, loadDotsResults, readDotsResults } from "./study/results.js";
export { type DotsStudyOptions, runDotsStudy } from "./study/run.js";
export { type DotsStudy, parseDotsStudy, readDotsStudy } from "./study/settings.js";
export { loadDotsTask } from "./tasks.js";
export { trainPlanner } from "./train.js";
export { exportRows, type PlannerKind, saveRows, type TrajectoryRow, trainingRows } from "./training-rows.js";
export { type TrajectoryTrace, trajectoryStrategy } from "./trajectory-strategy.js";
