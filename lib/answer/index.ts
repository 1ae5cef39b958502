export {
  type Expression,
  evaluate,
  type Failure,
  formatExpression,
  formatRational,
  leaves,
  mapExpression,
  type Operator,
  type Rational,
  type Result,
} from "./expression.js";
export { parseArithmetic, parseNumber } from "./parse-arithmetic.js";
export { type Agreement, compareStated, finalAnswer } from "./stated-value.js";
