import type { Command } from "commander";
import { ThoughtbookError } from "../core/index.js";
import type { LanguageModel, LocalModel } from "../llm/index.js";
import { parseIds } from "./generate.js";

const OUTPUT = `
The ids of prompt and continuation are joined, never their texts.

With --json one object:
  tokenLogProbs       natural logarithm of the probability of each token after the first, given those before it
  continuationTokens  with --continuation: how many of these, at the end, are the continuation's

A model on a server (http://127.0.0.1:8000/v1#name; vLLM or thoughtbook serve) scores the continuation only.`;

interface ScoreFlags {
  model: string;
  prompt?: string;
  continuation?: string;
  ids?: number[];
  json?: true;
}

export function addScoreCommand(program: Command): void {
  program
    .command("score")
    .description("how probable a text is to a language model, token by token")
    .requiredOption("--model <model>", "folder of a checkpoint, or owner/name of the Hugging Face hub")
    .option("--prompt <text>", "what stands before the continuation")
    .option("--continuation <text>", "the text to score")
    .option("--ids <ids>", "token ids to score instead, such as 1,2,3; needs no tokenizer", parseIds)
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT)
    .action(scoreText);
}

async function scoreText({ model: spec, prompt, continuation, ids, json }: ScoreFlags): Promise<void> {
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
  // Here, so that other commands need not load the engine.
  const { loadModel } = await import("../llm/index.js");
  const model = await loadModel(spec);
  try {
    const scored = ids ? await scoreIds(model, ids) : await scoreTexts(model, prompt!, continuation!);
    const { tokenLogProbs, continuationTokens } = scored;
    if (json) console.log(JSON.stringify(scored));
    else console.log(summary(tokenLogProbs.slice(-(continuationTokens ?? tokenLogProbs.length))));
  } finally {
    await model.dispose();
  }
}

interface Scored {
  tokenLogProbs: number[];
  continuationTokens?: number;
}

async function scoreIds(model: LanguageModel, ids: readonly number[]): Promise<Scored> {
  if (ids.length < 2) {
    throw new ThoughtbookError("bad-input", `there are ${ids.length} tokens, expected two at least`, {
      hint: "The first token has no score: nothing stands before it.",
    });
  }
  const [scored] = await model.score([{ prompt: { ids: ids.slice(0, 1) }, continuation: { ids: ids.slice(1) } }]);
  return { tokenLogProbs: [...scored!.logProbs] };
}

async function scoreTexts(model: LanguageModel, prompt: string, continuation: string): Promise<Scored> {
  if (!model.capabilities.has("text")) {
    throw new ThoughtbookError("bad-input", `${model.name} has no tokenizer, so a text cannot be read`, {
      hint: "Give its token ids with --ids, or put a tokenizer.json into the folder.",
    });
  }
  // Where the tokenizer is here, the prompt is scored too.
  if (isLocal(model)) {
    const after = model.tokenizer!.encode(continuation, { addSpecialTokens: false, continues: true });
    const scored = await scoreIds(model, [...model.encode(prompt), ...after]);
    return { ...scored, continuationTokens: after.length };
  }
  const [scored] = await model.score([{ prompt, continuation }]);
  return { tokenLogProbs: [...scored!.logProbs], continuationTokens: scored!.logProbs.length };
}

const isLocal = (model: LanguageModel): model is LocalModel => "tokenizer" in model;

function summary(logProbs: readonly number[]): string {
  const sum = logProbs.reduce((total, each) => total + each, 0);
  const perplexity = Math.exp(-sum / logProbs.length);
  return `${logProbs.length} tokens, log-probability ${sum.toFixed(3)} (${(sum / logProbs.length).toFixed(3)} a token), perplexity ${perplexity.toFixed(3)}`;
}
