import { extractAnswer } from "../answer/index.js";
import { badInput, withoutUndefined } from "../core/index.js";
import { type Completion, isWholeText } from "../llm/index.js";
import type { ChatMessage } from "../model/index.js";
import { operationFor, operationPrompt } from "../operations/index.js";
import type { Answer, Context, Strategy } from "../rollouts/index.js";
import { runProgram } from "../strategies/index.js";
import { type ActionSpace, actionsOf, type Trajectory, trajectoryKey } from "./actions.js";
import { DOTS_SPACE, programTurn } from "./dots-space.js";
import { type PlannedText, plannedTextOperation, readSections } from "./internalised-text.js";
import type { PlannedTrace } from "./planner.js";
import { followTrajectory } from "./trajectory-strategy.js";

export interface InternalisedOptions {
  /** Trajectory where the model's text names no action: the best that is the same for all questions. Default: ["cot"]. */
  fallback?: Trajectory | undefined;
  space?: ActionSpace | undefined;
}

/** Turns of the model at most: its plan with a program, one repair of it, and the answer. */
const MOST_TURNS = 4;

/**
 * DOTS with the planner inside the solver (arXiv 2410.03864, §3.3): a model that was trained on explained trajectories writes its plan and
 * goes on with the actions. A program runs in the sandbox and its value, or its failure, is told to the model, which goes on. A text that
 * names no action falls back to a static trajectory, and the trace says so.
 */
export function internalised({ fallback = ["cot"], space = DOTS_SPACE }: InternalisedOptions = {}): Strategy {
  actionsOf(space, fallback);
  const operation = plannedTextOperation(space);
  return {
    name: "dots-internalised",
    settings: { fallback: trajectoryKey(fallback) },
    needs: ["chat"],
    async attempt(problem, context) {
      const prompt = operationPrompt(context.model, operation, { question: problem.question });
      if (typeof prompt === "string" || !("messages" in prompt)) {
        throw badInput("the model has no conversations", "Choose a model with a chat template.");
      }
      let messages: readonly ChatMessage[] = prompt.messages;
      let planned: PlannedText | undefined;
      let last: Answer = { text: "" };
      for (let turn = 0; turn < MOST_TURNS; turn++) {
        const completion = await continued(context, { ...prompt, messages }, turn);
        const isWhole = isWholeText(completion);
        if (turn === 0) {
          const read = operation.parse(completion.text, { question: problem.question }, isWhole);
          if (!read.ok) return fallenBack(context, space, fallback);
          planned = read.value;
        }
        last = answerOf(completion);
        const section = readSections(completion.text, space).sections.at(-1);
        if (!isWhole || section?.action !== "program" || turn === MOST_TURNS - 1) break;
        const program = operationFor(context.model, "program").parse(section.text, problem);
        const outcome = {
          ...completion,
          attempts: 1,
          ...program,
          ...(program.ok ? {} : { failure: "unparseable" as const }),
        };
        const ran = await runProgram(context, outcome as Parameters<typeof runProgram>[1]);
        const { observed } = programTurn(program.ok ? { ...ran, program: program.value } : ran);
        messages = [...messages, { role: "assistant", content: completion.text }, { role: "user", content: observed! }];
      }
      const { trajectory, explanation } = planned!;
      return { ...last, trace: { trajectory, explanation, plan: "read" } satisfies PlannedTrace };
    },
  };
}

async function fallenBack(context: Context, space: ActionSpace, fallback: Trajectory): Promise<Answer> {
  const answer = await followTrajectory(context, space, fallback);
  const trace: PlannedTrace = { trajectory: fallback, explanation: "", plan: "fallback" };
  return { ...answer, trace };
}

async function continued(
  context: Context,
  prompt: { messages: readonly ChatMessage[] },
  turn: number,
): Promise<Completion> {
  const { problem, seed, sampling, maxNewTokens } = context;
  const request = { prompt, seed: `${seed}/dots/${problem.id}/${turn}`, maxNewTokens, ...withoutUndefined(sampling) };
  const [[completion] = []] = await context.as("dots").generate([request], { signal: context.signal });
  return completion!;
}

/** The answer of a turn; none if it was cut off. */
function answerOf(completion: Completion): Answer {
  const { text } = completion;
  const answer = isWholeText(completion) ? extractAnswer(text, "strict", { cutOff: true }) : undefined;
  return { text, solution: answer?.ok ? text : undefined };
}
