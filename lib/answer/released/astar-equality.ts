import { lastNumber } from "../braces.js";
import type { MathNode } from "../math/math-node.js";
import { nearlyEqual } from "../math/same-expression.js";
import { equalValues } from "../strict/equality.js";
import { choiceLetter } from "../strict/multiple-choice.js";
import { parsePlainAnswer } from "../strict/parse.js";
import type { AnswerValue } from "../strict/value.js";

const TOLERANCE = 1e-4;
const MAX_DEPTH = 4;

/**
 * Equality of the released A*-Thought evaluation (spec §1.2.6) on normalised answers, faults included: numbers agree
 * within 1e-4 also after division or multiplication by 100, `[1,2]` is `(1,2)`, brackets are deleted. Where the
 * original calls SymPy, the strict comparison of expressions stands in, and constants agree within 1e-4 as its numeric
 * step has it.
 */
export function equalAstar(prediction: string, reference: string): boolean {
  return equal(prediction.trim(), reference.trim(), 0);
}

/** The rule for GSM8K: the last number of the answer, commas and dollar signs removed, is the reference, as text. */
export function equalAstarGsm8k(prediction: string, reference: string): boolean {
  const number = lastNumber(prediction.replace(/[,$]/g, ""));
  return number !== "" && number === reference.replaceAll(",", "").trim();
}

function equal(prediction: string, reference: string, depth: number): boolean {
  if (prediction.toLowerCase() === reference.toLowerCase()) return true;
  if (/^[A-E]$/.test(reference) && choiceLetter(prediction) === reference.toLowerCase()) return true;
  const [p, r] = [digits(prediction), digits(reference)];
  if (p !== undefined && r !== undefined) return [r / 100, r, r * 100].some((each) => isClose(p, each));
  if (prediction === "" || depth > MAX_DEPTH) return false;
  if (withoutBrackets(prediction, reference) === withoutBrackets(reference, prediction)) return true;
  return (
    equalParts(tupleParts(prediction), tupleParts(reference), depth) ||
    equalParts(matrixParts(prediction), matrixParts(reference), depth) ||
    equalEquations(prediction.split("="), reference.split("="), depth) ||
    equalSymbolic(prediction, reference)
  );
}

/** Python's math.isclose with a relative tolerance: infinity is close to nothing but itself. */
const isClose = (a: number, b: number): boolean =>
  a === b || (Number.isFinite(a - b) && Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b)));

/** A decimal, without its commas; a percentage as its hundredth. */
function digits(text: string): number | undefined {
  const [, number, percent] =
    /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(\\?%)?$/.exec(text.replaceAll(",", "")) ?? [];
  return number === undefined ? undefined : Number(number) / (percent ? 100 : 1);
}

/**
 * Both kinds of outer brackets are deleted if they match or only one side has them, then all braces and parentheses.
 */
function withoutBrackets(text: string, other: string): string {
  const clash = (/^\[.*\]$/.test(text) && other.startsWith("(")) || (/^\(.*\)$/.test(text) && other.startsWith("["));
  const inner = clash ? text : text.replace(/^[[\]()]+|[[\]()]+$/g, "");
  return inner.replace(/[{}()]/g, "").toLowerCase();
}

const tupleParts = (text: string): string[] | undefined =>
  /^[([].+[)\]]$/.test(text) ? text.slice(1, -1).split(",") : undefined;

function matrixParts(text: string): string[] | undefined {
  const content = /^\\begin\{pmatrix\}(.*)\\end\{pmatrix\}$/.exec(text)?.[1];
  return content?.split("\\\\").flatMap((row, index) => [`row ${index}`, ...row.split("&")]);
}

function equalParts(a: readonly string[] | undefined, b: readonly string[] | undefined, depth: number): boolean {
  if (!a || !b || a.length !== b.length || a.length > 100) return false;
  return a.every((part, index) => equal(part.trim(), b[index]!.trim(), depth + 1));
}

function equalEquations(prediction: readonly string[], reference: readonly string[], depth: number): boolean {
  if (prediction.length === 2 && reference.length === 2) {
    const [p, r] = [prediction, reference].map(([left, right]) => `${left!.trim()} - (${right!.trim()})`);
    return equalSymbolic(p!, r!) || equalSymbolic(`-(${p})`, r!);
  }
  const isName = (sides: readonly string[]) => sides.length === 2 && sides[0]!.trim().length <= 2;
  if (isName(prediction) && reference.length === 1)
    return equal(prediction[1]!.trim(), reference[0]!.trim(), depth + 1);
  if (isName(reference) && prediction.length === 1)
    return equal(prediction[0]!.trim(), reference[1]!.trim(), depth + 1);
  return false;
}

function equalSymbolic(a: string, b: string): boolean {
  const [x, y] = [parsePlainAnswer(a), parsePlainAnswer(b)];
  if (!x.ok || !y.ok) return false;
  const [left, right] = [node(x.value), node(y.value)];
  return (
    equalValues(x.value, y.value) || (left !== undefined && right !== undefined && nearlyEqual(left, right, TOLERANCE))
  );
}

function node(value: AnswerValue): MathNode | undefined {
  if (value.kind === "number") return value;
  return value.kind === "expression" ? value.node : undefined;
}
