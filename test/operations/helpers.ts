import { createRandom } from "thoughtbook/core";
import { generateWordProblem, type ProceduralProblem } from "thoughtbook/data";
import type { Completion, GenerateTextOptions, LanguageModel, Prompt, TextRequest } from "thoughtbook/llm";
import type { Operation, OperationExample } from "thoughtbook/operations";
import { OPERATIONS } from "thoughtbook/operations";

/** Problems of 1 to 6 operations, half of them with distractors. */
export const problems = (count: number, seed: number | string = "operations"): ProceduralProblem[] =>
  Array.from({ length: count }, (_, index) =>
    generateWordProblem({ seed, index, operations: [1, 6], distractors: index % 2 === 0 ? 0 : [1, 2] }),
  );

export const randomFor = (problem: ProceduralProblem) => createRandom(problem.id);

/** What the operation of an example makes of a text. */
export const parseAs = ({ operation, input }: OperationExample, text: string, complete?: boolean) =>
  (OPERATIONS[operation] as unknown as Operation<unknown, unknown>).parse(text, input, complete);

export type Said = string | (Pick<Completion, "text" | "finishReason"> & Partial<Completion>);

export interface ScriptedModel extends LanguageModel {
  /** Each call of `generate` with what was asked. */
  readonly calls: { requests: readonly TextRequest[]; options: GenerateTextOptions }[];
}

/** A model that says what a function of the request, the sample and the call's number says; ends in reverse order. */
export function scriptedModel(
  say: (request: TextRequest, sample: number, call: number) => Said,
  parts: Partial<LanguageModel> = {},
): ScriptedModel {
  const calls: ScriptedModel["calls"] = [];
  const lengthOf = (prompt: Prompt) => JSON.stringify(prompt).length;
  return {
    name: "scripted",
    capabilities: new Set(["text", "chat"]),
    contextLength: undefined,
    parameterCount: undefined,
    calls,
    hash: async () => undefined,
    async generate(requests, options = {}) {
      const call = calls.push({ requests, options }) - 1;
      const results: Completion[][] = requests.map(() => []);
      for (const [request, each] of [...requests.entries()].reverse()) {
        for (let sample = 0; sample < (each.samples ?? 1); sample++) {
          options.signal?.throwIfAborted();
          const said = say(each, sample, call);
          const { text, ...rest } = typeof said === "string" ? { text: said, finishReason: "stop" as const } : said;
          const counts = { promptTokens: lengthOf(each.prompt), completionTokens: text.length };
          const completion: Completion = { text, ...counts, ...rest };
          results[request]![sample] = completion;
          options.onFinish?.(completion, { request, sample });
        }
      }
      return results;
    },
    score: () => Promise.reject(new Error("not scripted")),
    countTokens: async (prompt) => lengthOf(prompt),
    dispose: async () => {},
    ...parts,
  };
}
