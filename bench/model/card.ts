import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFolder, ThoughtbookError } from "thoughtbook/core";
import { OPERATION_NAMES } from "thoughtbook/operations";
import { renderSvg, trainingFigure } from "thoughtbook/plot";
import {
  isTrainedBy,
  readRecipe,
  readTraining,
  readTrainingCurve,
  type TrainingOfModel,
  trainedOperations,
} from "thoughtbook/train";
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
  const sections = "chainOfThought" in measured ? reasonerSections(training, measured) : scorerSections(measured);
  await writeFile(join(folder, "measured.json"), `${JSON.stringify(measured, null, 2)}\n`);
  await writeParts(folder, await trainingPart(folder, training, measured), measuredHead(training) + sections);
}

/**
 * Write the card of a published model anew as far as it follows from how the model was trained, and its curve. What was
 * measured stays word for word, as earlier measurements counted in their own way.
 *
 * @throws bad-input for a card without that part; not-found, file-system
 */
export async function renewCard(folder: string, training: TrainingOfModel): Promise<void> {
  const card = join(folder, "README.md");
  const text = await readFile(card, "utf8");
  const measured = JSON.parse(await readFile(join(folder, "measured.json"), "utf8")) as Measured;
  const start = text.indexOf(MEASURED);
  if (start === -1) {
    throw new ThoughtbookError("bad-input", `${card} does not say what was measured`, { hint: "Measure the model." });
  }
  await writeParts(folder, await trainingPart(folder, training, measured), text.slice(start));
}

async function writeParts(folder: string, training: string, measured: string): Promise<void> {
  await writeFile(join(folder, "README.md"), training + measured);
  const { recipe } = await readTraining(folder);
  await writeFile(join(folder, "curve.svg"), await renderSvg(await curveOf(folder, recipe.name)));
}

const MEASURED = "## Measured\n";

const measuredHead = ({ recipe }: TrainingOfModel): string => `${MEASURED}
    npm run bench -- model --model ${recipe.name}

`;

/** How a model can be trained again, or what is nearest to that. */
async function trainingAgain(folder: string, { recipe, meanOf }: TrainingOfModel): Promise<string> {
  const name = recipe.name.replace(/-base$/, "");
  const file = `data/recipes/${name}.json`;
  const current = await readRecipe(join(projectFolder(), file));
  const phasesOf = (phases: readonly { name: string }[]) =>
    `${phases.length} ${phases.length === 1 ? "phase" : "phases"}, ${phases.map((phase) => `\`${phase.name}\``).join(", ")}`;
  const mean = Object.entries(meanOf ?? {}).map(([phase, share]) => `\`${phase}\` (${Math.round(100 * share)} %)`);
  const soup =
    mean.length === 0
      ? ""
      : `\nIts weights are the mean of those after ${mean.join(" and ")}: a model soup (Wortsman et al. 2022).`;
  const text = (await isTrainedBy(folder, current))
    ? `It was trained by [${file}](../../recipes/${name}.json). This trains it again, into a folder of its own:`
    : `The recipe that made it is the one in [training.json](training.json): ${phasesOf(recipe.phases)}.${soup}
[${file}](../../recipes/${name}.json) is a later one: ${phasesOf(current.phases)}.
This trains a model by the later one, into a folder of its own; it is another model than this:`;
  return `${text}

    npx thoughtbook pretrain --recipe ${file} --out runs/pretrain/${name} --publish runs/models
`;
}

const curveOf = async (folder: string, name: string) =>
  trainingFigure({ name: "curve", title: `How ${name} was trained`, phases: await readTrainingCurve(folder) });

async function trainingPart(folder: string, training: TrainingOfModel, measured: Measured): Promise<string> {
  const { recipe, seed, phases } = training;
  const isReasoner = trainedOperations(recipe.phases).length > 0;
  const { model, name } = recipe;
  const hours = phases.reduce((sum, phase) => sum + phase.hours, 0);
  const trained = trainedOperations(training.recipe.phases);
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
${recipe.tokenizer.vocabularySize} tokens with single digits, context ${model.max_position_embeddings}. No text of others is in it. ${isReasoner ? REASONER : SCORER}

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

${await trainingAgain(folder, training)}
`;
}
