export { classicTasks, FAMILIES } from "./families/families.js";
export { outcomeReward, reasonerReward, stepReward } from "./rewards.js";
export { searchStrategy } from "./search/search.js";
export { firstWrongStep, statedSteps, stepScore } from "./steps.js";
export { loadReasonerTask, readTaskFile } from "./tasks/load.js";
