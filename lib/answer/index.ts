export { extractAnswer, POLICIES, type Policy } from "./extract.js";
export { checkGame24, checkGame24Dots } from "./game24.js";
export { type Grade, type GradeTask, grade } from "./grade.js";
export {
  type Expression,
  evaluate,
  type Failure,
  fail,
  formatExpression,
  formatRational,
  leaves,
  mapExpression,
  type Rational,
  type Result,
} from "./math/expression.js";
export { parseArithmetic, parseNumber } from "./math/parse-arithmetic.js";
export { ANSWER_KINDS, type AnswerKind } from "./strict/answer-kind.js";
export { equalStrict } from "./strict/equality.js";
export { lastBox, type Reading } from "./strict/extract-strict.js";
export { equalStatedChoice, equalStatedYesNo } from "./strict/stated-choice.js";
export { type Agreement, compareStated, finalAnswer } from "./strict/stated-value.js";
export { equalWords, type TokenScore, tokenF1 } from "./token-f1.js";
