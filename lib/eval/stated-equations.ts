import { evaluate, parseArithmetic, parseNumber, type Rational } from "../answer/index.js";
import { type Estimate, proportion } from "./intervals.js";

/** An equation stated by a text. */
export interface StatedEquation {
  /** Form of its left side, with a d for each digit: `dd*d` of 12*4. */
  form: string;
  holds: boolean;
  /** The number that it states. */
  stated: Rational;
  /** Where it begins in the text. */
  index: number;
  /** Whether its left side is a whole number of at least 0, as every quantity of our word problems is. */
  whole: boolean;
}

/** An expression of numbers, and the number it is said to equal. Bounded, as model output may be anything. */
const EQUATION =
  /(\d(?:[\d.\s+\-*/()]|,(?=\d{3}(?!\d))){0,80})=\s?\$?(\d{1,3}(?:,\d{3}){1,6}(?!\d)|\d{1,20}(?:\.\d{1,20})?)/g;

/** Find the equations of numbers that a text states; expressions that cannot be parsed or have no value are skipped. */
export function* statedEquations(text: string): Generator<StatedEquation> {
  for (const match of text.matchAll(EQUATION)) {
    const [left, right] = [match[1]!.replace(/[\s,]/g, ""), match[2]!.replace(/,/g, "")];
    const [expression, stated] = [parseArithmetic(left), parseNumber(right)];
    const value = expression.ok ? evaluate(expression.value) : expression;
    if (!value.ok || !stated.ok) continue;
    const whole = value.value.d === 1n && value.value.s >= 0n;
    yield {
      form: left.replace(/\d/g, "d"),
      holds: value.value.equals(stated.value),
      stated: stated.value,
      index: match.index,
      whole,
    };
  }
}

/** Error rate of the equations of a form. */
export interface EquationErrors {
  form: string;
  /** Share of the stated equations that do not hold; its interval assumes independence. */
  wrong: Estimate;
}

/**
 * Find the equations of texts that do not hold, by form, the most frequent errors first. Equations with a negative or
 * fractional value are left out: no step of a word problem has one.
 */
export function equationErrors(texts: Iterable<string>): EquationErrors[] {
  const counts = new Map<string, { stated: number; wrong: number }>();
  for (const text of texts) {
    for (const { form, holds, whole } of statedEquations(text)) {
      if (!whole) continue;
      const own = counts.get(form) ?? { stated: 0, wrong: 0 };
      counts.set(form, { stated: own.stated + 1, wrong: own.wrong + (holds ? 0 : 1) });
    }
  }
  return [...counts]
    .sort(([form, a], [other, b]) => b.wrong - a.wrong || b.stated - a.stated || (form < other ? -1 : 1))
    .map(([form, { stated, wrong }]) => ({ form, wrong: proportion(wrong, stated) }));
}
