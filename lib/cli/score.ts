import type { Command } from "@commander-js/extra-typings";
import { sum, ThoughtbookError } from "../core/index.js";
import type { Flags } from "./flags.js";
import { parseIds } from "./generate.js";
import { LOW_MEMORY_HELP, MEMORY, NUMERICS, parseNumerics, useMemory } from "./memory.js";
import { MODEL_SPEC } from "./models.js";
import { byteSize } from "./numbers.js";

const OUTPUT = `
The ids of prompt and continuation are joined, never their texts.

With --json one object:
  tokenLogProbs       natural logarithm of the probability of each token after the first, given those before it; of a
                      server, for texts, those of the continuation only
  continuationTokens  with --continuation: how many of these, at the end, are the continuation's`;

export function addScoreCommand(program: Command): void {
  scoreCommand(program).action(scoreText);
}

const scoreCommand = (program: Command) =>
  program
    .command("score")
    .description("how probable a text is to a language model, token by token")
    .requiredOption("--model <model>", MODEL_SPEC)
    .option("--prompt <text>", "what stands before the continuation")
    .option("--continuation <text>", "the text to score")
    .option("--ids <ids>", "token ids to score instead, such as 1,2,3; needs no tokenizer", parseIds)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT);

async function scoreText(flags: Flags<typeof scoreCommand>): Promise<void> {
  const { model: spec, prompt, continuation, ids, json } = flags;
  const texts = [prompt, continuation].filter((text) => text !== undefined).length;
  if (ids ? texts > 0 : texts < 2) {
    throw new ThoughtbookError(
      "bad-input",
      ids
        ? "--ids and texts are both given"
        : texts === 0
          ? "there is nothing to score"
          : "one of --prompt and --continuation is missing",
      { hint: "Give --ids, or --prompt and --continuation." },
    );
  }
  if (ids && ids.length < 2) throw tooFew(ids.length);
  useMemory(flags.memory);
  // Imported here so that other commands do not load the engine.
  const { isTokenModel, loadModel, requireCapability } = await import("../llm/index.js");
  const model = await loadModel(spec, { numerics: flags.numerics, lowMemory: flags.lowMemory });
  try {
    if (!isTokenModel(model)) {
      requireCapability(model, "score");
      const request = ids
        ? { prompt: { ids: ids.slice(0, 1) }, continuation: { ids: ids.slice(1) } }
        : { prompt: prompt!, continuation: continuation! };
      const [scored] = await model.score([request]);
      show([...scored!.logProbs], ids ? undefined : scored!.ids.length, json);
      return;
    }
    if (!ids && !model.tokenizer) {
      throw new ThoughtbookError("bad-input", `${model.name} has no tokenizer, so a text cannot be read`, {
        hint: "Give its token ids with --ids, or put a tokenizer.json into the folder.",
      });
    }
    const before = ids ?? model.encode(prompt!);
    const after = ids ? [] : model.tokenizer!.encode(continuation!, { addSpecialTokens: false, continues: true });
    const all = [...before, ...after];
    const start = { ids: all.slice(0, 1) };
    if (all.length < 2) throw tooFew(all.length);
    const [scored] = await model.score([{ prompt: start, continuation: { ids: all.slice(1) } }]);
    show([...scored!.logProbs], ids ? undefined : after.length, json);
  } finally {
    await model.dispose();
  }
}

function tooFew(count: number): ThoughtbookError {
  return new ThoughtbookError("bad-input", `there are ${count} tokens, expected two at least`, {
    hint: "The first token has no score: nothing stands before it.",
  });
}

/** @param continuationTokens how many of the tokens, at the end, are the continuation's; all where undefined */
function show(tokenLogProbs: readonly number[], continuationTokens: number | undefined, json: true | undefined): void {
  if (json) console.log(JSON.stringify({ tokenLogProbs, continuationTokens }));
  else console.log(summary(tokenLogProbs.slice(tokenLogProbs.length - (continuationTokens ?? tokenLogProbs.length))));
}

function summary(logProbs: readonly number[]): string {
  const total = sum(logProbs);
  const perplexity = Math.exp(-total / logProbs.length);
  return `${logProbs.length} tokens, log-probability ${total.toFixed(3)} (${(total / logProbs.length).toFixed(3)} a token), perplexity ${perplexity.toFixed(3)}`;
}
