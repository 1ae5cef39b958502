import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder } from "thoughtbook/core";
import { initializeParameters, parameterCount, saveBpe, saveCheckpoint, trainBpe } from "thoughtbook/model";
import { modelConfig, PROBLEM } from "../generate/model.js";

const TEMPLATE =
  "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

/** Write the checkpoint of a small chat model with random weights, that of the bench of generation. Gives its parameters. */
export async function writeModel(folder: string): Promise<number> {
  const config = modelConfig({ ...PROBLEM, promptTokens: 512, newTokens: 512 });
  await saveCheckpoint(folder, { config, parameters: initializeParameters(config, { seed: 1 }) });
  const corpus = await readFile(join(projectFolder(), "data", "sample", "problems.jsonl"), "utf8");
  const bpe = await trainBpe([corpus], {
    vocabularySize: config.vocabularySize,
    specialTokens: ["<s>", "<|end|>", "<|user|>", "<|assistant|>"],
    bosToken: "<s>",
    eosToken: "<|end|>",
    minFrequency: 1,
  });
  await saveBpe(folder, bpe, { chatTemplate: TEMPLATE });
  return parameterCount(config);
}
