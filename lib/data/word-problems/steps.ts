import { AS_TEXT, equation } from "./kinds.js";
import type { ProceduralProblem, Quantity, Relation } from "./problem.js";
import { directStatement } from "./sentences.js";
import { sentence, stateOf } from "./wording.js";

/** An operation that the answer needs. */
export interface ProblemStep {
  /** The quantity it computes. */
  quantity: number;
  /** "12*3", as calculator annotations write it. */
  expression: string;
  value: number;
  /** The steps whose values it uses, as positions in the list of steps. */
  dependsOn: readonly number[];
}

/**
 * The operations that the answer needs, in the order that the question determines: among those whose inputs are known,
 * the one that the text mentions first.
 */
export function problemSteps(problem: ProceduralProblem): readonly ProblemStep[] {
  const known = STEPS.get(problem);
  if (known) return known;
  const steps = orderSteps(problem);
  STEPS.set(problem, steps);
  return steps;
}

/** Problems do not change, and every rendering needs the steps. */
const STEPS = new WeakMap<ProceduralProblem, readonly ProblemStep[]>();

function orderSteps(problem: ProceduralProblem): ProblemStep[] {
  const { quantities } = problem;
  const waiting = stepQuantities(problem);
  const position = new Map<number, number>();
  const steps: ProblemStep[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex((index) =>
      quantities[index]!.relation!.inputs.every((input) => !quantities[input]!.relation || position.has(input)),
    );
    const [quantity] = waiting.splice(at, 1) as [number];
    const { relation, value } = quantities[quantity] as Quantity & { relation: Relation };
    position.set(quantity, steps.length);
    steps.push({
      quantity,
      expression: equationText(relation, quantities),
      value,
      dependsOn: relation.inputs.flatMap((input) => position.get(input) ?? []).sort((a, b) => a - b),
    });
  }
  return steps;
}

/** The computed quantities that the answer needs, in the order of the text. */
const stepQuantities = ({ quantities, facts, asked, askedDirectly }: ProceduralProblem): number[] => [
  ...facts.filter((index) => quantities[index]!.needed && quantities[index]!.relation),
  ...(askedDirectly ? [asked] : []),
];

/** "12*3". */
export const equationText = ({ kind, inputs, numbers }: Relation, quantities: readonly Quantity[]): string =>
  equation(
    kind,
    inputs.map((input) => String(quantities[input]!.value)),
    numbers,
    AS_TEXT,
  );

/** "Ben picks 36 apples.", or with what stands for the number: "Ben picks <<12*3=36>>36 apples." */
export function stepStatement(problem: ProceduralProblem, index: number, number?: string): string {
  const { quantities, asked, askedDirectly } = problem;
  const quantity = quantities[index]!;
  if (!askedDirectly || index !== asked) return sentence(stateOf(quantity, number));
  const inputs = quantity.relation!.inputs.map((input) => quantities[input]!);
  return sentence(directStatement(quantity, quantity.relation!, inputs, number));
}

/** How a chain shows its arithmetic: with GSM8K's calculator annotations, or in plain sight: "12*3=36". */
export type Arithmetic = "annotated" | "plain";

/**
 * The short chain of thought: a line for each necessary step, and the answer after ####, in the manner of GSM8K
 * (arXiv 2110.14168).
 */
export function shortChain(problem: ProceduralProblem, arithmetic: Arithmetic = "annotated"): string {
  const lines = problemSteps(problem).map(({ quantity, expression, value }) =>
    stepStatement(
      problem,
      quantity,
      arithmetic === "plain" ? `${expression}=${value}` : `<<${expression}=${value}>>${value}`,
    ),
  );
  return [...lines, `#### ${problem.answer}`].join("\n");
}
