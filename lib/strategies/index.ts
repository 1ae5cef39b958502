export { cot, direct, solve, think } from "./answer-strategies.js";
export type { AnswerStrategyOptions } from "./frame.js";
export { program } from "./program.js";
export { STRATEGIES, type StrategyName } from "./strategies.js";
