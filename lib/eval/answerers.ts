import type { LanguageModel, Prompt, RequestPlace } from "../llm/index.js";
import {
  type Attempted,
  OPERATIONS,
  type Operation,
  type Outcome,
  operationPrompt,
  type PromptFrame,
  type QuestionInput,
  type RunOperationOptions,
  runOperation,
  type Solution,
  writeSolution,
} from "../operations/index.js";

/** One text of a model in answer to a question. */
export interface Answered extends Attempted {
  /** The text without thoughts, ending in the answer; undefined if it has none, or is not what was asked for. */
  solution: string | undefined;
  /** Whether the prompt alone was too long for the model. */
  tooLong: boolean;
}

export interface AnswerOptions extends Omit<RunOperationOptions, "onOutcome" | "attempts"> {
  onAnswer(answered: Answered, place: RequestPlace): void;
}

interface Answerer {
  /** Has a model answer all questions at once, each once: what cannot be read is not asked again. */
  answer(model: LanguageModel, inputs: readonly QuestionInput[], options: AnswerOptions): Promise<void>;
  /** What the model is asked. */
  promptOf(model: LanguageModel, input: QuestionInput, frame: PromptFrame): Prompt;
}

/** A text that ends by itself in its first line may be an answer alone, such as "C" or "18"; grading decides. */
const bareAnswer = ({ text, finishReason }: Attempted): string | undefined =>
  finishReason === "stop" && /^[^\n]{1,200}$/.test(text.trim()) ? text.trim() : undefined;

/** @param solutionOf the strict policy's text for what the operation read; undefined where there is no answer */
function answerer<Output>(
  operation: Operation<QuestionInput, Output>,
  solutionOf: (output: Output) => string | undefined,
): Answerer {
  return {
    async answer(model, inputs, { onAnswer, ...options }) {
      const onOutcome = (outcome: Outcome<Output>, place: RequestPlace) => {
        const solution = outcome.ok ? solutionOf(outcome.value) : bareAnswer(outcome);
        onAnswer({ ...outcome, solution, tooLong: !outcome.ok && outcome.failure === "too-long" }, place);
      };
      await runOperation(model, operation, inputs, { ...options, attempts: 1, onOutcome });
    },
    promptOf: (model, input, frame) => operationPrompt(model, operation, input, undefined, frame),
  };
}

/**
 * The question with nothing on how to think, which a system prompt says; as A*-Thought's evaluation asks. No model is
 * trained on it by a tag.
 */
const solve: Operation<QuestionInput, Solution> = {
  ...OPERATIONS.cot,
  name: "solve",
  tag: "<|solve|>",
  instruction: "Solve the following problem, and put your final answer within \\boxed{}.",
};

/** The operations that end in an answer. */
export const ANSWERERS = {
  cot: answerer(OPERATIONS.cot, writeSolution),
  think: answerer(OPERATIONS.think, (output) => (output.kind === "solved" ? writeSolution(output) : undefined)),
  answer: answerer(OPERATIONS.answer, OPERATIONS.answer.write),
  solve: answerer(solve, writeSolution),
} as const satisfies Record<string, Answerer>;

export type AnswerOperation = keyof typeof ANSWERERS;
