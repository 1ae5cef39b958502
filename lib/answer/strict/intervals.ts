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
  const excluded = items.filter((item) => item.kind === "relation");
  if (excluded.length > 0 && !alternatives && intervals.length === 1 && numbers.length === 0)
    return excluded.reduce<AnswerValue | undefined>((set, hole) => set && without(set, hole, first.of!), first);
  if (intervals.length + numbers.length < items.length) return undefined;
  if (numbers.length === 0 && !alternatives && intervals.length === 2) {
    const common = intersection(first, intervals[1]!);
    if (common) return common;
  }
  return numbers.length > 0 && !alternatives ? undefined : { kind: "union", items: [...items] };
}

/** What of intervals an inequality such as `x \\ne 1` leaves; undefined if it is about something else. */
function without(set: AnswerValue, hole: AnswerValue, name: string): AnswerValue | undefined {
  if (hole.kind !== "relation" || hole.rays === undefined) return undefined;
  if (hole.left.kind !== "expression" || hole.left.node.kind !== "variable" || hole.left.node.name !== name)
    return undefined;
  const at = endValue(hole.right);
  const parts = set.kind === "union" ? set.items : [set];
  if (at === undefined) return undefined;
  const items = parts.flatMap((part): AnswerValue[] => {
    const { low, high, lowClosed, highClosed } = rangeOf(part) ?? {};
    if (!isInterval(part) || low === undefined || high === undefined || at < low || at > high) return [part];
    if (at === low) return lowClosed ? [{ ...part, open: "(" }] : [part];
    if (at === high) return highClosed ? [{ ...part, close: ")" }] : [part];
    return [
      { ...part, close: ")", items: [part.items[0]!, hole.right] },
      { ...part, open: "(", items: [hole.right, part.items[1]!] },
    ];
  });
  return items.length === 1 ? items[0] : { kind: "union", items };
}

interface Range {
  low: number;
  high: number;
  lowClosed: boolean;
  highClosed: boolean;
  /** The ends as they are written. */
  ends: [AnswerValue, AnswerValue];
}

/** An interval, or a single number as one that is closed; undefined if an end has variables. */
function rangeOf(value: AnswerValue): Range | undefined {
  const ends: [AnswerValue, AnswerValue] = isInterval(value) ? [value.items[0]!, value.items[1]!] : [value, value];
  const [low, high] = ends.map(endValue);
  if (low === undefined || high === undefined || !(low <= high)) return undefined;
  const [lowClosed, highClosed] = isInterval(value) ? [value.open === "[", value.close === "]"] : [true, true];
  return { low, high, lowClosed, highClosed, ends };
}

/**
 * A union as ranges from the lowest to the highest, those that overlap or touch joined: [0,1] ∪ (1,2] is [0,2]. An
 * interval alone is one range. Undefined for anything else, and where an end has variables.
 */
export function rangesOf(value: AnswerValue): AnswerValue[] | undefined {
  const parts = value.kind === "union" ? value.items : isInterval(value) ? [value] : undefined;
  const ranges = parts?.flatMap((part) => (part.kind === "set" ? part.items : [part])).map(rangeOf);
  if (ranges === undefined || ranges.some((range) => range === undefined)) return undefined;
  const joined: Range[] = [];
  const closedFirst = (a: Range, b: Range) => a.low - b.low || Number(b.lowClosed) - Number(a.lowClosed);
  for (const range of (ranges as Range[]).sort(closedFirst)) {
    const last = joined.at(-1);
    if (last && (range.low < last.high || (range.low === last.high && (range.lowClosed || last.highClosed)))) {
      if (range.high > last.high) {
        last.high = range.high;
        last.highClosed = range.highClosed;
        last.ends = [last.ends[0], range.ends[1]];
      } else if (range.high === last.high) last.highClosed ||= range.highClosed;
    } else joined.push({ ...range });
  }
  return joined.map(({ lowClosed, highClosed, ends }) => ({
    kind: "sequence",
    open: lowClosed ? "[" : "(",
    close: highClosed ? "]" : ")",
    items: ends,
  }));
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
