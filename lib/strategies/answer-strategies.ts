import { isWholeText } from "../llm/index.js";
import {
  type Attempted,
  OPERATIONS,
  type Operation,
  operationPrompt,
  type QuestionInput,
  type Solution,
  writeSolution,
} from "../operations/index.js";
import { ask, type Strategy } from "../rollouts/index.js";
import { type AnswerStrategyOptions, framed } from "./frame.js";

/** A text that ends by itself in its first line may be an answer alone, such as "C" or "18"; grading decides. */
function bareAnswer({
  text,
  begun = "",
  finishReason,
}: Pick<Attempted, "text" | "begun" | "finishReason">): string | undefined {
  const said = `${begun}${text}`.trim();
  return finishReason === "stop" && /^[^\n]{1,200}$/.test(said) ? said : undefined;
}

/** A strategy of one call: an operation whose text ends in the answer. */
function answerStrategy<Output>(
  name: string,
  operation: Operation<QuestionInput, Output>,
  solutionOf: (output: Output) => string | undefined,
  options: AnswerStrategyOptions,
): Strategy {
  const { frame, common } = framed(options);
  return {
    ...common,
    name,
    firstPrompt: (model, problem) => operationPrompt(model, operation, problem, undefined, frame),
    async attempt(problem, context) {
      // Outputs that cannot be parsed are not retried: the evaluation measures what the model writes.
      const outcome = await ask(context, operation, problem, { ...frame, attempts: 1 });
      // A text that was cut off has no final answer.
      const isWhole = isWholeText(outcome);
      const solution = !isWhole ? undefined : outcome.ok ? solutionOf(outcome.value) : bareAnswer(outcome);
      return { text: outcome.text, begun: outcome.begun, solution };
    },
  };
}

/**
 * The question alone, with no instruction on how to think, which a system prompt may give; as A*-Thought's evaluation
 * asks. No model is trained on it by a tag.
 */
const solveOperation: Operation<QuestionInput, Solution> = {
  ...OPERATIONS.cot,
  name: "solve",
  tag: "<|solve|>",
  instruction: "Solve the following problem, and put your final answer within \\boxed{}.",
};

/** Answer immediately. */
export const direct = (options: AnswerStrategyOptions = {}): Strategy =>
  answerStrategy("direct", OPERATIONS.answer, OPERATIONS.answer.write, options);

/** Think step by step in a few lines, then answer (chain of thought, arXiv 2201.11903). */
export const cot = (options: AnswerStrategyOptions = {}): Strategy =>
  answerStrategy("cot", OPERATIONS.cot, writeSolution, options);

/** Think at length, then write a solution. */
export const think = (options: AnswerStrategyOptions = {}): Strategy =>
  answerStrategy(
    "think",
    OPERATIONS.think,
    (output) => (output.kind === "solved" ? writeSolution(output) : undefined),
    options,
  );

/** Ask the question alone, for a system prompt that says how to think. */
export const solve = (options: AnswerStrategyOptions = {}): Strategy =>
  answerStrategy("solve", solveOperation, writeSolution, options);
