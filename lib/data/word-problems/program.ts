import { capitalize } from "./english.js";
import { type EquationForm, equation } from "./kinds.js";
import type { ProceduralProblem, Quantity } from "./problem.js";
import { problemSteps } from "./steps.js";

const AS_CODE: EquationForm<string> = {
  number: String,
  binary: (operator, left, right) => `${left} ${operator} ${right}`,
};

/**
 * The body of a JavaScript function that returns the answer: a constant for each quantity that the answer needs, in the
 * order of the short chain, named after holder and unit.
 */
export function problemProgram(problem: ProceduralProblem): string {
  const { quantities, asked } = problem;
  const lines: string[] = [];
  const declared = new Set<number>();
  const declare = (index: number, code: string) => {
    declared.add(index);
    lines.push(index === asked ? `return ${code};` : `const ${variableName(quantities[index]!)} = ${code};`);
  };
  for (const { quantity } of problemSteps(problem)) {
    const { kind, inputs, numbers } = quantities[quantity]!.relation!;
    for (const input of inputs) if (!declared.has(input)) declare(input, String(quantities[input]!.value));
    const names = inputs.map((input) => variableName(quantities[input]!));
    declare(quantity, equation(kind, names, numbers, AS_CODE));
  }
  return lines.join("\n");
}

/** "anaApples"; "anaBuyBeads" where the scenario does several things with beads; "redTeamMoney". */
function variableName({ holder, unit }: Quantity): string {
  const words = [...holder.replace(/^the /, "").split(" "), ...(unit.alone ? [] : [unit.verb]), unit.many];
  return words.map((word, at) => (at === 0 ? word.toLowerCase() : capitalize(word))).join("");
}
