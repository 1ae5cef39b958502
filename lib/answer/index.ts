export { ANSWER_KINDS, type AnswerKind } from "./answer-kind.js";
export { equalAot, extractAot } from "./aot.js";
export { equalAstar, equalAstarGsm8k } from "./astar-equality.js";
export { extractAstar, normalizeAstar } from "./astar-extract.js";
export { equalDots, equalDotsBbh, extractDots } from "./dots.js";
export {
  type Expression,
  evaluate,
  type Failure,
  fail,
  formatExpression,
  formatRational,
  leaves,
  mapExpression,
  type Operator,
  type Rational,
  type Result,
} from "./expression.js";
export { extractAnswer, POLICIES, type Policy } from "./extract.js";
export { lastBox, type Reading } from "./extract-strict.js";
export { checkGame24, checkGame24Dots } from "./game24.js";
export { type Grade, type GradeTask, grade } from "./grade.js";
export type { MathConstant, MathFunction, MathNode } from "./math-node.js";
export { choiceLetter, equalChoice, equalYesNo } from "./multiple-choice.js";
export { parseArithmetic, parseNumber } from "./parse-arithmetic.js";
export { equalStatedChoice, equalStatedYesNo, statedChoice, statedYesNo } from "./stated-choice.js";
export { type Agreement, compareStated, finalAnswer } from "./stated-value.js";
export { equalParsed, equalStrict, equalValues } from "./strict-equality.js";
export { parseAnswer } from "./strict-parse.js";
export type { AnswerValue, Relation } from "./strict-value.js";
export { equalWords, normalizeWords, type TokenScore, tokenF1 } from "./token-f1.js";
