import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { badInput } from "../core/index.js";
import type { LanguageModel, Prompt, TextRequest } from "../llm/index.js";
import type { Flags } from "./flags.js";
import { LOW_MEMORY_HELP, MEMORY, NUMERICS_HELP, parseNumerics, useMemory } from "./memory.js";
import { MODEL_SPEC } from "./models.js";
import { byteSize, decimal, integer, wholeNumber } from "./numbers.js";

const OUTPUT = `
Without --temperature the model's own distribution is sampled (temperature 1); the same seed repeats the same text.

With --json one array with an object for each sample:
  ids            the new ids, with the one that ended the text; null where a model does not tell
  text           their text; null for a model without a tokenizer
  finishReason   stop (an id or string that ends the text) or length; from servers also content_filter, tool_calls and
                 other
  tokenLogProbs  natural logarithm of each new id's probability under the model, before temperature and filters;
                 null where a model does not tell

A model on a server is its address and name, http://127.0.0.1:8000/v1#name; several addresses have commas between them. Its
key stands in THOUGHTBOOK_API_KEY or OPENAI_API_KEY, in the environment or in the file .env.`;

export function addGenerateCommand(program: Command): void {
  generateCommand(program).action(generateText);
}

const generateCommand = (program: Command) =>
  program
    .command("generate")
    .description("let a language model go on from a prompt")
    .requiredOption("--model <model>", MODEL_SPEC)
    .option("--prompt <text>", "the text to go on from")
    .option("--ids <ids>", "its token ids instead, such as 1,2,3; needs no tokenizer", parseIds)
    .option("--chat", "take the prompt as a user's message, written by the model's chat template")
    .option("--max-new-tokens <n>", "the most new tokens (default: 256)", wholeNumber)
    .option("--greedy", "take the most probable token always")
    .option("--temperature <t>", "divide the logits by it; 0 is greedy", decimal)
    .option("--top-k <k>", "sample among this many best tokens", wholeNumber)
    .option("--top-p <p>", "choose among the fewest tokens with this probability together", decimal)
    .option("--min-p <p>", "choose among tokens at least this many times as probable as the best", decimal)
    .option("--repetition-penalty <r>", "above 1, tokens of the text so far become less probable", decimal)
    .option("--stop <text...>", "end the text before this string")
    .option("--samples <n>", "how many texts (default: 1)", wholeNumber)
    .option("--seed <n>", "where the random numbers come from (default: 0)", integer)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--numerics <path>", `${NUMERICS_HELP} (default: fast for such files, else exact)`, parseNumerics)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option("--json", "print one JSON array")
    .addHelpText("after", OUTPUT);

async function generateText({
  model: spec,
  prompt,
  ids,
  chat,
  greedy,
  stop,
  json,
  memory,
  numerics,
  lowMemory,
  ...options
}: Flags<typeof generateCommand>): Promise<void> {
  if ((prompt === undefined) === (ids === undefined)) {
    throw badInput(
      prompt === undefined ? "there is no prompt" : "--prompt and --ids are both given",
      "Give one of --prompt and --ids.",
    );
  }
  if (greedy && options.temperature !== undefined && options.temperature !== 0) {
    throw badInput("--greedy and --temperature contradict each other", "Give one of them.");
  }
  if (chat && prompt === undefined) {
    throw badInput("--chat needs a message, and ids are given", "Give the message as --prompt.");
  }
  useMemory(memory);
  // Imported here so that other commands do not load the engine.
  const { loadModel } = await import("../llm/index.js");
  const model = await loadModel(spec, { numerics: numerics ?? "auto", lowMemory });
  try {
    const request: TextRequest = {
      ...options,
      ...(greedy ? { temperature: 0 } : {}),
      ...(stop ? { stopStrings: stop } : {}),
      prompt: promptOf(model, prompt, ids, chat),
    };
    const streams = !json && model.capabilities.has("text") && (options.samples ?? 1) === 1;
    const [completions] = await model.generate([request], {
      seed: 0,
      ...(streams ? { onText: (text) => process.stdout.write(text) } : {}),
    });
    if (json) {
      const records = completions!.map(({ text, finishReason, tokens }) => ({
        ids: tokens?.completionIds ?? null,
        text: model.capabilities.has("text") ? text : null,
        finishReason,
        tokenLogProbs: tokens?.logProbs ?? null,
      }));
      console.log(JSON.stringify(records));
    } else if (streams) process.stdout.write("\n");
    else
      for (const { text, tokens } of completions!)
        console.log(model.capabilities.has("text") ? text : tokens?.completionIds.join(","));
  } finally {
    await model.dispose();
  }
}

function promptOf(
  model: LanguageModel,
  text: string | undefined,
  ids: number[] | undefined,
  chat: true | undefined,
): Prompt {
  if (ids) return { ids };
  if (!model.capabilities.has("text")) {
    throw badInput(
      `${model.name} has no tokenizer, so a prompt cannot be read`,
      "Give its token ids with --ids, or put a tokenizer.json into the folder.",
    );
  }
  return chat ? { messages: [{ role: "user", content: text! }] } : text!;
}

export function parseIds(text: string): number[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.every((part) => /^\d{1,9}$/.test(part))) return parts.map(Number);
  throw new InvalidArgumentError("expected token ids with commas between them, such as 1,2,3.");
}
