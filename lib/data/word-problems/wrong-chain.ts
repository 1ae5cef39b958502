import type { Random } from "../../core/index.js";
import { AS_NUMBER, equation } from "./kinds.js";
import type { ProceduralProblem, Quantity, Relation } from "./problem.js";
import { equationText, type ProblemStep, problemSteps, stepStatement } from "./steps.js";
import { LARGEST_VALUE } from "./values.js";

/**
 * Kind of error in a solution: a number that belongs elsewhere, another operation, a step left out, or a slip in the
 * arithmetic.
 */
export type SolutionError = "operand" | "operation" | "skip" | "slip";
const ERRORS: readonly SolutionError[] = ["operand", "operation", "skip", "slip"];

/** A line of a chain: which quantity it states, from which expression, with which value. */
export interface ChainLine {
  quantity: number;
  expression: string;
  value: number;
}

/** A short chain with one error and its consequences. */
export interface WrongChain {
  error: SolutionError;
  lines: readonly ChainLine[];
  /** The lines as text with plain arithmetic, the wrong answer after ####. */
  text: string;
  /** The first line that is wrong, from 0. */
  line: number;
  /** The step that should stand there, as an index in `problemSteps`; all lines before are right. */
  step: number;
  /** The wrong answer. */
  answer: number;
}

/** Draws of an error before it falls back on a slip in the last step, which is always possible. */
const MOST_TRIES = 40;

/** Draw a plausible wrong solution: all values whole, from 0 to 9,999, the answer another than the right one. */
export function drawWrongChain(random: Random, problem: ProceduralProblem): WrongChain {
  const steps = problemSteps(problem);
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const wrong = tryError(random, problem, steps, random.choice(ERRORS), random.integer(steps.length));
    if (wrong) return wrong;
  }
  return slipAtTheEnd(random, problem, steps);
}

function tryError(
  random: Random,
  problem: ProceduralProblem,
  steps: readonly ProblemStep[],
  error: SolutionError,
  at: number,
): WrongChain | undefined {
  const quantities = [...problem.quantities];
  const lines: ChainLine[] = [];
  for (const [position, { quantity }] of steps.entries()) {
    const own = quantities[quantity]!;
    const values = () => own.relation!.inputs.map((input) => quantities[input]!.value);
    if (position === at && error === "skip") {
      // What the step starts from is taken for its result.
      if (position === steps.length - 1) return undefined;
      quantities[quantity] = { ...own, value: values()[0]! };
      continue;
    }
    const relation = position === at ? wrongRelation(random, error, own.relation!, problem, steps, at) : own.relation!;
    if (!relation) return undefined;
    const computed = compute(relation, quantities);
    const value = position === at && error === "slip" ? slipped(random, computed) : computed;
    if (!isPossible(value)) return undefined;
    lines.push({ quantity, expression: equationText(relation, quantities), value });
    quantities[quantity] = { ...own, value };
  }
  return finish(problem, steps, quantities, lines, error, at);
}

const compute = ({ kind, inputs, numbers }: Relation, quantities: readonly Quantity[]): number =>
  equation(
    kind,
    inputs.map((input) => quantities[input]!.value),
    numbers,
    AS_NUMBER,
  );

const isPossible = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= LARGEST_VALUE;

function finish(
  problem: ProceduralProblem,
  steps: readonly ProblemStep[],
  quantities: readonly Quantity[],
  lines: readonly ChainLine[],
  error: SolutionError,
  at: number,
): WrongChain | undefined {
  const answer = quantities[problem.asked]!.value;
  const right = new Map(steps.map(({ quantity, expression, value }) => [quantity, `${expression}=${value}`]));
  const line = lines.findIndex(({ quantity, expression, value }) => right.get(quantity) !== `${expression}=${value}`);
  if (answer === problem.answer || line < 0) return undefined;
  const said = { ...problem, quantities };
  const statements = lines.map(({ quantity, expression, value }) =>
    stepStatement(said, quantity, `${expression}=${value}`),
  );
  const text = [...statements, `#### ${answer}`].join("\n");
  return { error, lines, text, line, step: at, answer };
}

function slipAtTheEnd(random: Random, problem: ProceduralProblem, steps: readonly ProblemStep[]): WrongChain {
  const at = steps.length - 1;
  for (;;) {
    const wrong = tryError(random, problem, steps, "slip", at);
    if (wrong) return wrong;
  }
}

/** The value with a wrong digit, a carry lost or won, or one counted too many or too few. */
function slipped(random: Random, value: number): number {
  const off = random.choice(value < 100 ? [1, 1, 2, 10] : [1, 2, 10, 100]);
  return random.uniform() < 0.5 ? value - off : value + off;
}

function wrongRelation(
  random: Random,
  error: SolutionError,
  relation: Relation,
  problem: ProceduralProblem,
  steps: readonly ProblemStep[],
  at: number,
): Relation | undefined {
  if (error === "slip") return relation;
  return error === "operation" ? otherOperation(random, relation) : otherOperand(random, relation, problem, steps, at);
}

function otherOperation(random: Random, { kind, inputs, numbers }: Relation): Relation {
  const [n = 0, m = 1] = numbers;
  const as = (other: Relation["kind"], ...own: number[]): Relation => ({ kind: other, inputs, numbers: own });
  switch (kind) {
    case "more":
      return as("fewer", n);
    case "fewer":
      return as("more", n);
    case "times":
    case "rate":
      return as(random.choice(["more", "share"]), n);
    case "fraction":
      return n === 1 ? as("times", m) : random.choice([as("share", m), as("times", n)]);
    case "percent":
      return random.choice([as("percent-change", -n), as("fewer", n)]);
    case "percent-change":
      return random.choice([as("percent", Math.abs(n)), as("percent-change", -n)]);
    case "share":
    case "pack":
      return as(random.choice(["times", "fewer"]), n);
    case "total":
      return as("difference");
    case "difference":
    case "product":
      return as("total");
  }
}

/** One input's place taken by a quantity that is known by then, of the same unit where there is one; it may be a distractor. */
function otherOperand(
  random: Random,
  relation: Relation,
  { quantities }: ProceduralProblem,
  steps: readonly ProblemStep[],
  at: number,
): Relation | undefined {
  const place = random.integer(relation.inputs.length);
  const replaced = quantities[relation.inputs[place]!]!;
  const computed = new Set(steps.slice(0, at).map(({ quantity }) => quantity));
  const known = quantities.flatMap((quantity, index) =>
    (!quantity.relation || computed.has(index)) && !relation.inputs.includes(index) && quantity.value !== replaced.value
      ? [index]
      : [],
  );
  if (known.length === 0) return undefined;
  const alike = known.filter((index) => quantities[index]!.unit === replaced.unit);
  const other = random.choice(alike.length > 0 ? alike : known);
  return { ...relation, inputs: relation.inputs.map((input, index) => (index === place ? other : input)) };
}
