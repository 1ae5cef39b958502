export {
  type AnswerStrategyOptions,
  cot,
  direct,
  STRATEGIES,
  type StrategyName,
  solve,
  think,
} from "./answer-strategies.js";
