import Fraction from "fraction.js";
import { evaluate, formatRational, parseNumber, type Rational } from "../../answer/index.js";
import type { Random } from "../../core/index.js";
import type { ProblemGraph, WordProblem } from "../../data/index.js";

/** A solution with a slip in one step, and what follows from it in the others. */
export interface WrongSolution {
  steps: readonly string[];
  /** Index of the step with the slip. */
  step: number;
  /** What that step should say. */
  right: string;
  answer: string;
}

/**
 * Make an annotated solution wrong: the result of one calculation is another number, and all later steps go on with it.
 * Undefined where no step can be changed so that the answer changes.
 */
export function wrongSolution(
  { steps }: WordProblem,
  { graph: { nodes }, answerNode }: ProblemGraph,
  random: Random,
): WrongSolution | undefined {
  if (nodes.length !== steps.length || answerNode === undefined) return undefined;
  const changeable = nodes.flatMap(({ expression, value }, at) => (expression && value ? [at] : []));
  for (const step of random.shuffle(changeable)) {
    const values = nodes.map(({ value }) => value);
    values[step] = slip(values[step]!, random);
    for (const [at, { expression }] of nodes.entries()) {
      if (at <= step || !expression) continue;
      const computed = evaluate(expression, (index) => values[index]);
      if (computed.ok) values[at] = computed.value;
    }
    const answer = values[answerNode]!;
    if (answer.equals(nodes[answerNode]!.value!) || answer.compare(0) < 0) continue;
    const changed = new Map(
      nodes.flatMap(({ value }, at) =>
        value && values[at] && !values[at].equals(value) ? [[at, { from: value, to: values[at] }]] : [],
      ),
    );
    const texts = steps.map(({ text }, at) => {
      const own = changed.get(at);
      const used = nodes[at]!.dependsOn.flatMap((needed) => changed.get(needed) ?? []);
      return at < step ? text : withNumbers(text, [...(own ? [own] : []), ...(at === step ? [] : used)], at === step);
    });
    if (texts[step] === steps[step]!.text) continue;
    return { steps: texts, step, right: steps[step]!.text, answer: shortNumber(answer) };
  }
  return undefined;
}

/** A number near another. */
function slip(value: Rational, random: Random): Rational {
  const by = random.choice([1, 2, 10, -1, -2]);
  const other = value.add(by);
  return other.compare(0) > 0 ? other : value.add(Math.abs(by));
}

const NUMBER = /(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+/g;

/** The text with numbers replaced by others; `last`: only where it stands last, as the result. */
function withNumbers(text: string, changes: readonly { from: Rational; to: Rational }[], last: boolean): string {
  const isFrom = (number: string, from: Rational) => {
    const value = parseNumber(number);
    return value.ok && value.value.equals(from);
  };
  if (!last) {
    return text.replace(NUMBER, (number) => {
      const change = changes.find(({ from }) => isFrom(number, from));
      return change ? shortNumber(change.to) : number;
    });
  }
  const places = [...text.matchAll(NUMBER)].filter(([number]) => changes.some(({ from }) => isFrom(number, from)));
  const place = places.at(-1);
  if (!place) return text;
  const { to } = changes.find(({ from }) => isFrom(place[0], from))!;
  return `${text.slice(0, place.index)}${shortNumber(to)}${text.slice(place.index + place[0].length)}`;
}

/** With two decimals at most. */
const shortNumber = (value: Rational): string => formatRational(new Fraction(value.round(2)));
