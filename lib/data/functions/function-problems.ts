import { createRandom, type Random, sha256, ThoughtbookError } from "../../core/index.js";
import type { Split } from "../word-problems/problem.js";
import { drawInput, emptyInput } from "./inputs.js";
import { NUMBER_PRIMITIVES } from "./numbers.js";
import type { Primitive, Step, Value, ValueKind } from "./primitive.js";
import { specificationOf } from "./specification.js";
import { TEXT_PRIMITIVES } from "./texts.js";

/** A call and its result; both can be written as JSON. */
export interface FunctionCase {
  args: readonly Value[];
  result: Value;
}

/**
 * A small function to write in JavaScript, in the style of MBPP (arXiv 2108.07732) and HumanEval (arXiv 2107.03374).
 */
export interface FunctionProblem {
  /** Seed, split, number of steps and index, such as "7/train/1-3/12". */
  id: string;
  split: Split;
  /** Composition, without the constants: "numbers: keep-even, sum". Splits are disjoint in it. */
  signature: string;
  /** Difficulty: how many steps it is composed of. */
  steps: number;
  name: string;
  parameters: readonly string[];
  specification: string;
  /** A correct function, one line per step. */
  solution: string;
  /** Examples shown to the solver. */
  examples: readonly FunctionCase[];
  /** Hidden tests; other calls than the examples. */
  tests: readonly FunctionCase[];
}

export interface FunctionProblemOptions {
  seed: number | string;
  /** Index of the problem, counted from 0 within one seed, split and range of steps. Default 0. */
  index?: number;
  /** How many steps, or the least and the most (all equally likely): 1 to 3. */
  steps: number | readonly [number, number];
  /** Default "train". */
  split?: Split;
}

const MOST_STEPS = 3;
/** Minimum and maximum number of steps of a function. */
export const FUNCTION_STEPS = [1, MOST_STEPS] as const;
const EXAMPLES = 2;
const TESTS = 8;
/** Inputs drawn for one composition before another one is tried. */
const MOST_INPUTS = 60;
/** Maximum length of an input or output, as JSON; maximum number. */
const LONGEST = 60;
const LARGEST = 100_000;

/** All steps that functions are composed of. Their order is part of what a seed means: append only. */
export const PRIMITIVES: readonly Primitive[] = [...NUMBER_PRIMITIVES, ...TEXT_PRIMITIVES];

const INPUT_KINDS: readonly ValueKind[] = ["numbers", "number", "text", "words"];
const INPUT_WEIGHTS = [5, 1.5, 2, 2];
const NAMES = ["f", "g", "solve", "compute", "convert", "process", "transform", "make"];
const PARAMETERS: Readonly<Record<ValueKind, string>> = {
  numbers: "numbers",
  number: "n",
  text: "text",
  words: "words",
  boolean: "flag",
};

/**
 * A random composition of 1 to 3 steps. Each of its steps changes the result of some call, results differ between calls,
 * and all are whole numbers, texts, booleans, or lists of them. Train, validation and test have no composition in common.
 * The same options give the same problem on every machine.
 *
 * @throws bad-input if an option is out of range
 */
export function generateFunctionProblem({
  seed,
  index = 0,
  steps: wanted,
  split = "train",
}: FunctionProblemOptions): FunctionProblem {
  const [low, high] = range(wanted);
  const place = `${split}/${low === high ? low : `${low}-${high}`}/${index}`;
  const random = createRandom(seed).stream(`function problem/${place}`);
  const count = low + random.integer(high - low + 1);
  for (;;) {
    const steps = drawSteps(random, count);
    const signature = `${steps[0]!.primitive.from}: ${steps.map(({ primitive }) => primitive.name).join(", ")}`;
    if (splitOf(signature) !== split) continue;
    const cases = drawCases(random, steps);
    if (!cases) continue;
    const name = random.choice(NAMES);
    const parameter = PARAMETERS[steps[0]!.primitive.from];
    return {
      id: `${seed}/${place}`,
      split,
      signature,
      steps: count,
      name,
      parameters: [parameter],
      specification: specificationOf(random, steps),
      solution: solutionOf(name, parameter, steps),
      examples: cases.slice(0, EXAMPLES),
      tests: cases.slice(EXAMPLES),
    };
  }
}

/** Problem after problem of one seed, from an index on; endless unless a count is given. */
export function* functionProblems(
  { index = 0, ...options }: FunctionProblemOptions,
  count: number = Number.POSITIVE_INFINITY,
): Generator<FunctionProblem, void, undefined> {
  for (let at = 0; at < count; at++) yield generateFunctionProblem({ ...options, index: index + at });
}

/** A tenth of the compositions is held out for test, another tenth for validation. */
function splitOf(signature: string): Split {
  const part = Number.parseInt(sha256(signature).slice(0, 8), 16) % 10;
  return part === 0 ? "test" : part === 1 ? "validation" : "train";
}

function drawSteps(random: Random, count: number): Step[] {
  const steps: Step[] = [];
  let kind = INPUT_KINDS[random.weighted(INPUT_WEIGHTS)]!;
  while (steps.length < count) {
    const last = steps.length === count - 1;
    const previous = steps.at(-1)?.primitive;
    const next = PRIMITIVES.filter(
      (each) => each.from === kind && each !== previous && (last || each.to !== "boolean"),
    );
    const primitive = random.choice(next);
    steps.push({ primitive, constants: primitive.draw(random) });
    kind = primitive.to;
  }
  return steps;
}

/** Apply the steps to an input; undefined where the result of one of them is undefined. */
function runSteps(steps: readonly Step[], input: Value): Value | undefined {
  let value: Value | undefined = input;
  for (const { primitive, constants } of steps) {
    if (value === undefined || !isSmall(value)) return undefined;
    value = primitive.run(value, ...constants);
  }
  if (value === undefined || !isSmall(value)) return undefined;
  return JSON.parse(JSON.stringify(value)) as Value; // -0 is 0.
}

function isSmall(value: Value): boolean {
  if (JSON.stringify(value).length > LONGEST) return false;
  return [value].flat().every((each) => typeof each !== "number" || Math.abs(each) <= LARGEST);
}

/** Calls that distinguish the function from simpler ones; undefined if none were found. */
function drawCases(random: Random, steps: readonly Step[]): FunctionCase[] | undefined {
  const { from } = steps[0]!.primitive;
  const cases = new Map<string, FunctionCase>();
  for (let draw = 0; draw < MOST_INPUTS && cases.size < EXAMPLES + TESTS - 1; draw++) {
    const input = drawInput(random, from);
    const result = runSteps(steps, input);
    if (result !== undefined) cases.set(JSON.stringify(input), { args: [input], result });
  }
  const all = [...cases.values()];
  if (all.length < EXAMPLES + TESTS - 1) return undefined;
  const results = all.map(({ result }) => JSON.stringify(result));
  const least = steps.at(-1)!.primitive.to === "boolean" ? 2 : 3;
  if (new Set(results).size < least) return undefined;
  const shown = new Set(results.slice(0, EXAMPLES));
  if (shown.size < EXAMPLES) return undefined; // Two examples with different results say more.
  if (steps.some((_, at) => isIdle(steps, at, all))) return undefined;
  // The empty input is a test if the words define its result.
  const empty = emptyInput(from);
  const result = empty === undefined ? undefined : runSteps(steps, empty);
  const last = drawInput(random, from);
  const other = runSteps(steps, last);
  if (result !== undefined && empty !== undefined) all.push({ args: [empty], result });
  else if (other !== undefined && !cases.has(JSON.stringify(last))) all.push({ args: [last], result: other });
  return all;
}

/** Whether the function without this step gives the same results in all cases. */
function isIdle(steps: readonly Step[], at: number, cases: readonly FunctionCase[]): boolean {
  const { from, to } = steps[at]!.primitive;
  if (from !== to) return false;
  const without = steps.filter((_, index) => index !== at);
  return cases.every(({ args, result }) => JSON.stringify(runSteps(without, args[0]!)) === JSON.stringify(result));
}

function solutionOf(name: string, parameter: string, steps: readonly Step[]): string {
  const variables = [parameter, "a", "b"];
  const lines = steps.map(({ primitive, constants }, at) => {
    const expression = primitive.code(variables[at]!, ...constants);
    return at === steps.length - 1 ? `  return ${expression};` : `  const ${variables[at + 1]} = ${expression};`;
  });
  return [`function ${name}(${parameter}) {`, ...lines, "}"].join("\n");
}

function range(steps: number | readonly [number, number]): readonly [number, number] {
  const [low, high] = typeof steps === "number" ? [steps, steps] : steps;
  if (Number.isInteger(low) && Number.isInteger(high) && low >= 1 && high <= MOST_STEPS && low <= high) {
    return [low, high];
  }
  throw new ThoughtbookError("bad-input", `the number of steps is ${low === high ? low : `${low}-${high}`}`, {
    hint: `Give a whole number or a range from 1 to ${MOST_STEPS}.`,
  });
}
