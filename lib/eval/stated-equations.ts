import { evaluate, parseArithmetic, parseNumber } from "../answer/index.js";
import { type Estimate, proportion } from "./intervals.js";

/** An equation that a text states. */
export interface StatedEquation {
  /** Its left side with a d for each digit: `dd*d` of 12*4. */
  form: string;
  holds: boolean;
  /** Its left side is a whole number of at least 0, as every quantity of our word problems is. */
  whole: boolean;
}

/** An expression of numbers, and the number it is said to be. Bounded, as model output may be anything. */
const EQUATION =
  /(\d(?:[\d.\s+\-*/()]|,(?=\d{3}(?!\d))){0,80})=\s?\$?(\d{1,3}(?:,\d{3}){1,6}(?!\d)|\d{1,20}(?:\.\d{1,20})?)/g;

/** The equations of numbers that a text states; what cannot be read or has no value is none. */
export function* statedEquations(text: string): Generator<StatedEquation> {
  for (const match of text.matchAll(EQUATION)) {
    const [left, right] = [match[1]!.replace(/[\s,]/g, ""), match[2]!.replace(/,/g, "")];
    const [expression, stated] = [parseArithmetic(left), parseNumber(right)];
    const value = expression.ok ? evaluate(expression.value) : expression;
    if (!value.ok || !stated.ok) continue;
    const whole = value.value.d === 1n && value.value.s >= 0n;
    yield { form: left.replace(/\d/g, "d"), holds: value.value.equals(stated.value), whole };
  }
}

/** How often equations of a form do not hold. */
export interface EquationErrors {
  form: string;
  /** The share of those that are stated; its interval takes them to be independent. */
  wrong: Estimate;
}

/**
 * Which equations of texts do not hold: by form, with those first that most often go wrong in all. Those with a negative or
 * broken value are left out: no step of a word problem is like that, whatever is made of it.
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
