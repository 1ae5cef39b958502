import { createRandom } from "../../core/index.js";
import { generateFunctionProblem, generateWordProblem } from "../../data/index.js";
import type { LanguageModel, Prompt } from "../../llm/index.js";
import { OPERATIONS, type OperationName } from "../all.js";
import { functionExample, operationExample } from "../examples.js";
import type { Operation } from "../operation.js";
import { operationPrompt } from "../prompt.js";
import { askedModel, operationFor } from "./asked-model.js";
import type { Kind } from "./table.js";

/** A prompt of an operation for reading: turns under their roles, the beginning of the answer last. */
export interface ShownPrompt {
  operation: OperationName;
  text: string;
}

/**
 * Write the prompts by which models of a kind are asked, each for a word problem of this library.
 *
 * @param demonstrations whether the worked examples are written too, for which GSM8K must be at hand. Default: true
 * @throws as `askedModel`
 */
export async function shownPrompts(
  kind: Kind,
  names: readonly OperationName[],
  { demonstrations = true }: { demonstrations?: boolean } = {},
): Promise<ShownPrompt[]> {
  const bare = {
    name: kind.name,
    capabilities: new Set(["text", "chat"] as const),
    ...(kind.tags ? { operations: new Set(Object.keys(OPERATIONS)) } : {}),
    hash: async () => undefined,
  } as unknown as LanguageModel;
  const ways = Object.entries(kind.operations).map(([name, { demonstrations: examples, ...way }]) => [
    name,
    demonstrations && examples ? { ...way, demonstrations: examples } : way,
  ]);
  const model = await askedModel(bare, { kind: { ...kind, operations: Object.fromEntries(ways) } });
  const problems = Array.from({ length: 20 }, (_, index) =>
    generateWordProblem({ seed: 1, index, operations: 3, split: "train" }),
  );
  const random = createRandom("shown");
  const function_ = generateFunctionProblem({ seed: 1, index: 1, steps: 2, split: "train" });
  return names.map((operation) => {
    const example = (problem: (typeof problems)[number]) =>
      operation === "code" ? functionExample(function_) : operationExample(operation, problem, random);
    // Not every problem can be contracted.
    const { input } = problems.map(example).find((each) => each !== undefined)!;
    const asked = operationFor(model, operation) as unknown as Operation<unknown, unknown>;
    return { operation, text: readable(operationPrompt(model, asked, input)) };
  });
}

function readable(prompt: Prompt): string {
  if (typeof prompt === "string") return prompt;
  if (!("messages" in prompt)) return "";
  const turns = prompt.messages.map(
    ({ role, content, operation }) =>
      `[${role}${operation === undefined ? "" : ` <|${operation as string}|>`}]\n${content as string}`,
  );
  return [...turns, `[assistant]\n${prompt.answer ?? ""}`].join("\n");
}
