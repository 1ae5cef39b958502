import Fraction from "fraction.js";
import type { Expression } from "../../answer/index.js";
import type { QuestionGraph } from "../../graph/index.js";
import { type EquationForm, equation } from "./kinds.js";
import type { ProceduralProblem } from "./problem.js";
import { directQuestion, QUESTION_PHRASINGS, quantityQuestion } from "./sentences.js";
import { problemSteps, stepStatement } from "./steps.js";

const AS_EXPRESSION: EquationForm<Expression> = {
  number: (value) => ({ kind: "number", value: new Fraction(value), text: String(value) }),
  binary: (operator, left, right) => ({ kind: "binary", operator, left, right }),
};

/** "How many apples does Ben pick?": the question whose answer is this quantity. */
function subQuestion({ quantities, asked, askedDirectly }: ProceduralProblem, index: number): string {
  const quantity = quantities[index]!;
  if (!askedDirectly || index !== asked) return quantityQuestion(quantity);
  const inputs = quantity.relation!.inputs.map((input) => quantities[input]!);
  return directQuestion(quantity, quantity.relation!, inputs);
}

/**
 * Of each step the sub-question in all its wordings, in the order of {@link questionGraph}. Which one a problem takes is
 * drawn, and no reader of its text can know it.
 */
export function subQuestionWordings(problem: ProceduralProblem): string[][] {
  const { quantities } = problem;
  return problemSteps(problem).map(({ quantity }) =>
    QUESTION_PHRASINGS.map((phrasing) => {
      const worded = quantities.with(quantity, { ...quantities[quantity]!, phrasing });
      return subQuestion({ ...problem, quantities: worded }, quantity);
    }),
  );
}

/**
 * The problem as Atom of Thoughts decomposes it: one sub-question a step, in the order of the short chain, with its
 * answer, its exact value, the sub-questions it depends on and the expression that computes it. The last one is the
 * question itself.
 */
export function questionGraph(problem: ProceduralProblem): QuestionGraph {
  const { quantities } = problem;
  const steps = problemSteps(problem);
  const position = new Map(steps.map(({ quantity }, at) => [quantity, at]));
  const operand = (index: number): Expression => {
    const at = position.get(index);
    return at === undefined ? AS_EXPRESSION.number(quantities[index]!.value) : { kind: "reference", index: at };
  };
  return {
    nodes: steps.map(({ quantity, value, dependsOn }) => {
      const { kind, inputs, numbers } = quantities[quantity]!.relation!;
      return {
        question: subQuestion(problem, quantity),
        answer: stepStatement(problem, quantity),
        expression: equation(kind, inputs.map(operand), numbers, AS_EXPRESSION),
        value: new Fraction(value),
        dependsOn,
      };
    }),
  };
}
