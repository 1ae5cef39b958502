import { isWholeText } from "../llm/index.js";
import { defineOperation, OPERATIONS, type QuestionInput, type Solution, writeSolution } from "../operations/index.js";
import { ask, type Strategy } from "../rollouts/index.js";
import { answerWith } from "./calls.js";

/** Recall before solving; no model is trained on it by a tag. */
const recallAndSolve = defineOperation<QuestionInput, Solution>({
  name: "analogical",
  instruction: `Recall three problems that are like the one below but different from each other. For each write the problem and its solution in a few short lines. Then solve the problem below step by step. The last line is "####", a space, and the answer to the problem below alone (for example "#### 42").`,
  render: OPERATIONS.cot.render,
  write: writeSolution,
  read: (text, input, complete) => OPERATIONS.cot.parse(text, input, complete),
});

/** Let the model recall problems like the one at hand before it solves that (analogical prompting, arXiv 2310.01714). */
export function analogical(): Strategy {
  return {
    name: "analogical",
    singleCall: true,
    async attempt(problem, context) {
      const outcome = await ask(context, recallAndSolve, problem, { attempts: 1 });
      return answerWith(outcome.text, outcome.ok && isWholeText(outcome) ? outcome.value : undefined);
    },
  };
}
