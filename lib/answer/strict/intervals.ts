import type { MathNode } from "../math/math-node.js";
import { evaluateReal } from "../math/sample.js";
import type { AnswerValue } from "./value.js";

/** An interval in the notation of brackets, with the variable that an inequality was about, if it came from one. */
export type Interval = AnswerValue & { kind: "sequence" };

interface Bounds {
  low?: AnswerValue;
  lowClosed?: boolean;
  high?: AnswerValue;
  highClosed?: boolean;
}

const INFINITY: MathNode = { kind: "constant", name: "infinity" };
const POSITIVE: AnswerValue = { kind: "expression", node: INFINITY };
const NEGATIVE: AnswerValue = { kind: "expression", node: { kind: "negate", operand: INFINITY } };

export const ALL_REALS: Interval = { kind: "sequence", open: "(", close: ")", items: [NEGATIVE, POSITIVE] };

/** The interval that bounds give a variable; without a bound it is infinite on that side. */
export function boundedBy(of: string, { low, lowClosed = false, high, highClosed = false }: Bounds): Interval {
  const items = [low ?? NEGATIVE, high ?? POSITIVE];
  return { kind: "sequence", open: lowClosed ? "[" : "(", close: highClosed ? "]" : ")", items, of };
}

/** Whether a value is an interval by its brackets, or a pair of numbers in parentheses, which may be one. */
const isInterval = (value: AnswerValue): value is Interval =>
  value.kind === "sequence" && value.items.length === 2 && /^[([]$/.test(value.open) && /^[)\]]$/.test(value.close);

/**
 * A list of inequalities of one variable as one set of numbers: joined by "or" their union (also with single numbers,
 * as in "x = 0 or x > 5", and of intervals in brackets), else what they have in common if anything, since "x > 0, x < 5" is (0,5) and "x < 1, x > 3"
 * is two rays. Undefined for other lists.
 */
export function joinedIntervals(items: readonly AnswerValue[], alternatives: boolean): AnswerValue | undefined {
  const all = items.filter(isInterval);
  if (alternatives && all.length === items.length && all.some(isNoPoint)) return { kind: "union", items: [...items] };
  const intervals = all.filter(({ of }) => of !== undefined);
  const [first] = intervals;
  if (first === undefined || intervals.some(({ of }) => of !== first.of)) return undefined;
  const numbers = items.filter(({ kind }) => kind === "number" || kind === "expression");
  if (intervals.length + numbers.length < items.length) return undefined;
  if (numbers.length === 0 && !alternatives && intervals.length === 2) {
    const common = intersection(first, intervals[1]!);
    if (common) return common;
  }
  return numbers.length > 0 && !alternatives ? undefined : { kind: "union", items: [...items] };
}

/** Whether brackets and ends distinguish an interval from a point with two coordinates: (3,4], (3,∞). */
const isNoPoint = ({ open, close, items, of }: Interval): boolean =>
  of === undefined &&
  ((open === "(") !== (close === ")") ||
    items.some((item) => endValue(item) !== undefined && !Number.isFinite(endValue(item))));

function intersection(a: Interval, b: Interval): Interval | undefined {
  const [lowA, highA, lowB, highB] = [...a.items, ...b.items].map(endValue);
  if (lowA === undefined || highA === undefined || lowB === undefined || highB === undefined) return undefined;
  const low = lowA > lowB || (lowA === lowB && a.open === "(") ? a : b;
  const high = highA < highB || (highA === highB && a.close === ")") ? a : b;
  if (Math.max(lowA, lowB) >= Math.min(highA, highB)) return undefined;
  return { ...a, open: low.open, close: high.close, items: [low.items[0]!, high.items[1]!] };
}

/** An end as a number in floating point, which decides which of two is larger; undefined for one with variables. */
function endValue(value: AnswerValue): number | undefined {
  if (value.kind === "number") return value.value.valueOf();
  if (value.kind !== "expression") return undefined;
  const { node } = value;
  if (isInfinity(node)) return Number.POSITIVE_INFINITY;
  if (node.kind === "negate" && isInfinity(node.operand)) return Number.NEGATIVE_INFINITY;
  return evaluateReal(node, () => Number.NaN)?.re;
}

const isInfinity = (node: MathNode): boolean => node.kind === "constant" && node.name === "infinity";

/** All numbers but one, as two rays: what `x \ne 5` says. */
export const allBut = (number: AnswerValue): AnswerValue => ({
  kind: "union",
  items: [
    { kind: "sequence", open: "(", close: ")", items: [NEGATIVE, number] },
    { kind: "sequence", open: "(", close: ")", items: [number, POSITIVE] },
  ],
});
