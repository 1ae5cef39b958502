import type { ProceduralProblem, Relation } from "./problem.js";
import { problemSteps } from "./steps.js";
import { thingsOf } from "./wording.js";

/**
 * Plan the solution, in the order of the short chain, without computing anything: "Find Ben's apples: 3 times Ana's
 * apples."
 */
export function problemPlan(problem: ProceduralProblem): string[] {
  const { quantities, asked, askedDirectly } = problem;
  return problemSteps(problem).map(({ quantity }) => {
    const relation = quantities[quantity]!.relation!;
    const how = inWords(
      relation,
      relation.inputs.map((input) => thingsOf(quantities[input]!)),
    );
    const what = askedDirectly && quantity === asked ? directName(relation) : thingsOf(quantities[quantity]!);
    return `Find ${what}: ${how}.`;
  });
}

const directName = ({ kind }: Relation): string => (kind === "total" ? "the total" : "the difference");

function inWords({ kind, numbers }: Relation, inputs: readonly string[]): string {
  const [first, second] = inputs;
  const [n = 0, m = 1] = numbers;
  switch (kind) {
    case "more":
      return `${first} plus ${n}`;
    case "fewer":
      return `${first} minus ${n}`;
    case "times":
    case "rate":
      return `${n} times ${first}`;
    case "fraction":
      return n === 1 ? `${first} divided by ${m}` : `${first} times ${n}, divided by ${m}`;
    case "percent":
      return `${n}% of ${first}`;
    case "percent-change":
      return `${first} ${n < 0 ? "minus" : "plus"} ${Math.abs(n)}% of it`;
    case "share":
    case "pack":
      return `${first} divided by ${n}`;
    case "total":
      return inputs.join(" plus ");
    case "difference":
      return `${first} minus ${second}`;
    case "product":
      return `${first} times ${second}`;
  }
}
