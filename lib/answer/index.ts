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
  type Operator,
  type Rational,
  type Result,
} from "./math/expression.js";
export type { MathConstant, MathFunction, MathNode } from "./math/math-node.js";
export { parseArithmetic, parseNumber } from "./math/parse-arithmetic.js";
export { equalAot, extractAot } from "./released/aot.js";
export { equalAstar, equalAstarGsm8k } from "./released/astar-equality.js";
export { extractAstar, normalizeAstar } from "./released/astar-extract.js";
export { equalDots, equalDotsBbh, extractDots } from "./released/dots.js";
export { ANSWER_KINDS, type AnswerKind } from "./strict/answer-kind.js";
export { equalParsed, equalStrict, equalValues } from "./strict/equality.js";
export { lastBox, type Reading } from "./strict/extract-strict.js";
export { choiceLetter, equalChoice, equalYesNo } from "./strict/multiple-choice.js";
export { parseAnswer } from "./strict/parse.js";
export { equalStatedChoice, equalStatedYesNo, statedChoice, statedYesNo } from "./strict/stated-choice.js";
export { type Agreement, compareStated, finalAnswer } from "./strict/stated-value.js";
export type { AnswerValue, Relation } from "./strict/value.js";
export { equalWords, normalizeWords, type TokenScore, tokenF1 } from "./token-f1.js";
