import { equalStrict, parseNumber, type Rational } from "../answer/index.js";
import { statedEquations } from "../eval/index.js";
import type { ReferenceStep } from "../tasks/index.js";

/** An equation that a text states: "3+4=7". */
export interface StatedStep {
  /** The number that it states. */
  value: Rational;
  /** Whether its arithmetic is right. */
  holds: boolean;
  /** Line of the text, from 0. */
  line: number;
}

/** Steps of a text compared with those of a reference. */
export interface StepScore {
  /** Steps of the reference. */
  wanted: number;
  /** Steps of the reference that the text has, in their order, each by an equation that holds. */
  matched: number;
  /** λ · matched / wanted + (1 − λ) · final, from 0 to 1. */
  reward: number;
}

/** Signs of multiplication, division and subtraction as texts have them, and what only gets in the way of reading numbers. */
const plain = (text: string): string =>
  text
    .replace(/\\times|\\cdot|[×·]/g, "*")
    .replace(/\\div|÷/g, "/")
    .replace(/[−–]/g, "-")
    .replace(/(?<=\d)\s+x\s+(?=[\d$])/g, "*")
    .replace(/\\[()[\]]|\\?\$/g, "");

/** The equations of a text that compute something: 7=7 and 7 alone are none. */
export function statedSteps(text: string): StatedStep[] {
  const read = plain(text);
  const steps: StatedStep[] = [];
  for (const { form, holds, stated, index } of statedEquations(read)) {
    if (!/d\s*[+\-*/]/.test(form)) continue;
    steps.push({ value: stated, holds, line: read.slice(0, index).split("\n").length - 1 });
  }
  return steps;
}

/** Which steps of the reference are met, in order: the longest common subsequence of values. */
function matchedSteps(wanted: readonly ReferenceStep[], steps: readonly StatedStep[]): boolean[] {
  const values = wanted.map(({ value }) => parseNumber(value));
  const own = steps.filter(({ holds }) => holds);
  const isSame = (i: number, j: number) => {
    const value = values[i]!;
    return value.ok && value.value.equals(own[j]!.value);
  };
  // longest[i][j]: of the reference from step i on and the equations from j on.
  const longest = Array.from({ length: wanted.length + 1 }, () => new Array<number>(own.length + 1).fill(0));
  for (let i = wanted.length - 1; i >= 0; i--) {
    for (let j = own.length - 1; j >= 0; j--) {
      longest[i]![j] = isSame(i, j) ? 1 + longest[i + 1]![j + 1]! : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!);
    }
  }
  const met = wanted.map(() => false);
  for (let [i, j] = [0, 0]; i < wanted.length && j < own.length; ) {
    if (isSame(i, j)) {
      met[i++] = true;
      j++;
    } else if (longest[i + 1]![j]! >= longest[i]![j + 1]!) i++;
    else j++;
  }
  return met;
}

/**
 * Compare the steps of a text with those of a reference (longest common subsequence of values). A step counts only by an equation
 * that computes it and holds, so that writing the reference's numbers down earns nothing; further steps cost nothing.
 *
 * @param isRight whether the final answer is right
 * @param lambda weight of the steps against the final answer. Default: 0.5
 */
export function stepScore(text: string, wanted: readonly ReferenceStep[], isRight: boolean, lambda = 0.5): StepScore {
  if (wanted.length === 0) return { wanted: 0, matched: 0, reward: (1 - lambda) * Number(isRight) };
  const matched = matchedSteps(wanted, statedSteps(text)).filter(Boolean).length;
  return {
    wanted: wanted.length,
    matched,
    reward: lambda * (matched / wanted.length) + (1 - lambda) * Number(isRight),
  };
}

/** Lines of a solution that are steps, with their place in the text: not empty, and not the final answer. */
function stepLines(text: string): number[] {
  return text.split("\n").flatMap((line, at) => (line.trim() === "" || line.trim().startsWith("####") ? [] : [at]));
}

/**
 * Index, among the lines of a text that are steps, of the first one that is wrong: its arithmetic does not hold or, where there is a
 * reference, its value is none of the reference's. Undefined if there is none.
 */
export function firstWrongStep(text: string, wanted: readonly ReferenceStep[] = []): number | undefined {
  const values = wanted.map(({ value }) => value);
  const wrong = statedSteps(text).find(({ value, holds }) => {
    const said = value.toFraction();
    return !holds || (values.length > 0 && !values.some((each) => each === said || equalStrict(each, said)));
  });
  if (!wrong) return undefined;
  const place = stepLines(text).indexOf(wrong.line);
  return place < 0 ? undefined : place;
}

/** Share of a text's equations that hold; undefined if it states none. */
export function validShare(text: string): number | undefined {
  const steps = statedSteps(text);
  return steps.length === 0 ? undefined : steps.filter(({ holds }) => holds).length / steps.length;
}
