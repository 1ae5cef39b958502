import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OPERATION_NAMES } from "thoughtbook/operations";
import { renderSvg, trainingFigure } from "thoughtbook/plot";
import { readTrainingCurve, type TrainingOfModel, trainedOperations } from "thoughtbook/train";
import { table } from "./markdown.js";
import type { Measured } from "./measured.js";
import type { ReasonerMeasurement } from "./reasoner.js";
import { REASONER, reasonerSections } from "./reasoner-card.js";
import type { ScorerMeasurement } from "./scorer.js";
import { SCORER, scorerSections } from "./scorer-card.js";

/**
 * Write `measured.json`, the model card `README.md` and the curve in it, `curve.svg`, into the folder of a published model.
 * The card follows from what was measured and from how the model was trained.
 */
export async function writeCard(
  folder: string,
  training: TrainingOfModel,
  measured: ReasonerMeasurement | ScorerMeasurement,
): Promise<void> {
  const [about, sections] =
    "chainOfThought" in measured
      ? [REASONER, reasonerSections(training, measured)]
      : [SCORER, scorerSections(measured)];
  await writeFile(join(folder, "measured.json"), `${JSON.stringify(measured, null, 2)}\n`);
  await writeFile(join(folder, "README.md"), modelCard(training, measured, about) + sections);
  await writeFile(join(folder, "curve.svg"), await renderSvg(await curveOf(folder, training.recipe.name)));
}

const curveOf = async (folder: string, name: string) =>
  trainingFigure({ name: "curve", title: `How ${name} was trained`, phases: await readTrainingCurve(folder) });

function modelCard(training: TrainingOfModel, measured: Measured, about: string): string {
  const { recipe, seed, phases } = training;
  const { model, name } = recipe;
  const hours = phases.reduce((sum, phase) => sum + phase.hours, 0);
  const trained = trainedOperations(training.recipe.phases);
  const trainedWith = name.replace(/-base$/, "");
  const of = trained.map((operation) => `\`${operation}\``).join(", ") || "plain texts, without operations";
  const others =
    trained.length < OPERATION_NAMES.length
      ? "; tags of other operations are in its vocabulary, and mean nothing to it"
      : "";
  return `---
license: mit
language: en
library_name: transformers
tags: [reasoning, word-problems, from-scratch]
---

# ${name}

A Llama of ${(measured.parameters / 1e6).toFixed(2)} M parameters, trained from nothing by Thoughtbook on its own procedural word
problems: ${model.num_hidden_layers} layers, ${model.hidden_size} wide, ${model.num_attention_heads} heads (${model.num_key_value_heads} of keys and values),
${recipe.tokenizer.vocabularySize} tokens with single digits, context ${model.max_position_embeddings}. No text of others is in it. ${about}

## Training

![loss and accuracy by update](curve.svg)

Recipe and seed (${seed}) are in \`training.json\`, the numbers of the figure in \`curve.csv\`. ${hours.toFixed(1)} hours on a shared machine with ${measured.machine.cores} cores:

${table(
  ["phase", "updates", "hours", "operations", "longest text"],
  phases.map(({ phase, updates, hours }, i) => [
    phase,
    updates,
    hours,
    recipe.phases[i]!.operations.join("–"),
    recipe.phases[i]!.longest,
  ]),
)}

Trained on ${of}${others}.

    npx thoughtbook pretrain --recipe data/recipes/${trainedWith}.json --out runs/pretrain/${trainedWith} --publish data/models

## Measured

    npm run bench -- model --model ${name}

`;
}
