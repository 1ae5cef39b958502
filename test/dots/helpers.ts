import type { LanguageModel, TextRequest } from "thoughtbook/llm";
import { OPERATION_NAMES } from "thoughtbook/operations";
import { type Attempt, runAttempts, type Strategy } from "thoughtbook/rollouts";
import type { Problem } from "thoughtbook/tasks";
import { type Said, type ScriptedModel, scriptedModel } from "../operations/helpers.js";

export const problem: Problem = {
  id: "p",
  question: "Ana has 3 pens. Ben has 4 pens. How many pens do both have?",
  kind: "gsm8k",
  references: ["7"],
};

type Message = { role: string; content: string; operation?: string };
export const messagesOf = ({ prompt }: TextRequest) => (prompt as unknown as { messages: Message[] }).messages;

/** A model asked by tags, that says what a function of the operation, the last turn and the sample says. */
export const acting = (
  say: (operation: string | undefined, content: string, sample: number, request: TextRequest) => Said,
  parts: Partial<LanguageModel> = {},
): ScriptedModel =>
  scriptedModel(
    (request, sample) => {
      const { operation, content } = messagesOf(request).at(-1)!;
      return say(operation, content, (request.firstSample ?? 0) + sample, request);
    },
    { operations: new Set(OPERATION_NAMES), ...parts },
  );

/** The operations of all requests, in order. */
export const operationsAsked = ({ calls }: ScriptedModel): (string | undefined)[] =>
  calls.flatMap(({ requests }) => requests.map((request) => messagesOf(request).at(-1)!.operation));

export const attempted = async (strategy: Strategy, model: LanguageModel, sample = 0): Promise<Attempt> =>
  (
    await runAttempts(strategy, [{ problem, sample }], {
      model,
      ...(sample > 0 ? { sampling: { temperature: 1 } } : {}),
    })
  )[0]!;
