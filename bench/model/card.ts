import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OPERATION_NAMES, type OperationName } from "thoughtbook/operations";
import { renderSvg, trainingFigure } from "thoughtbook/plot";
import { readTrainingCurve } from "thoughtbook/train";
import { z } from "zod";
import { table } from "./markdown.js";
import type { Measured } from "./measured.js";

/** What the card tells of `training.json`. */
const trainingSchema = z.object({
  seed: z.int(),
  recipe: z.object({
    name: z.string(),
    tokenizer: z.object({ vocabularySize: z.int() }),
    model: z.object({
      hidden_size: z.int(),
      intermediate_size: z.int(),
      num_hidden_layers: z.int(),
      num_attention_heads: z.int(),
      num_key_value_heads: z.int(),
      max_position_embeddings: z.int(),
    }),
    phases: z.array(
      z.object({
        name: z.string(),
        operations: z.tuple([z.int(), z.int()]),
        longest: z.int(),
        mixture: z.record(z.string(), z.number()),
      }),
    ),
  }),
  phases: z.array(z.object({ phase: z.string(), updates: z.int(), hours: z.number() })),
  /** Phases whose weights were averaged, and how much each counts. */
  meanOf: z.record(z.string(), z.number()).optional(),
});

/** How a published model was trained. */
export type Training = z.output<typeof trainingSchema>;

/** @throws zod's error if the folder's `training.json` is of another kind */
export async function readTraining(folder: string): Promise<Training> {
  return trainingSchema.parse(JSON.parse(await readFile(join(folder, "training.json"), "utf8")));
}

/** Operations that a problem of the training needs at most. */
export const mostOperations = ({ recipe }: Training): number =>
  Math.max(...recipe.phases.map((phase) => phase.operations[1]));

/** Operations that examples of the training were of. */
export const trainedOperations = ({ recipe }: Training): OperationName[] =>
  OPERATION_NAMES.filter((name) => recipe.phases.some(({ mixture }) => (mixture[name] ?? 0) > 0));

/**
 * Write `measured.json`, the model card `README.md` and the curve in it, `curve.svg`, into the folder of a published model.
 *
 * @param about what the model is for
 * @param sections what was measured, as Markdown
 */
export async function writeCard(
  folder: string,
  training: Training,
  measured: Measured,
  { about, sections }: { about: string; sections: string },
): Promise<void> {
  const card = modelCard(training, measured, about) + sections;
  await writeFile(join(folder, "measured.json"), `${JSON.stringify(measured, null, 2)}\n`);
  await writeFile(join(folder, "README.md"), card);
  await writeFile(join(folder, "curve.svg"), await renderSvg(await curveOf(folder, training.recipe.name)));
}

const curveOf = async (folder: string, name: string) =>
  trainingFigure({ name: "curve", title: `How ${name} was trained`, phases: await readTrainingCurve(folder) });

function modelCard(training: Training, measured: Measured, about: string): string {
  const { recipe, seed, phases } = training;
  const { model, name } = recipe;
  const hours = phases.reduce((sum, phase) => sum + phase.hours, 0);
  const trained = trainedOperations(training);
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

${meanOf(training)}Trained on ${of}${others}.

    npx thoughtbook pretrain --recipe data/recipes/${trainedWith}.json --out runs/pretrain/${trainedWith} --publish data/models

## Measured

    npm run bench -- model --model ${name}

`;
}

/** Of a model whose weights are those of several phases, how. */
function meanOf({ meanOf }: Training): string {
  if (!meanOf) return "";
  const parts = Object.entries(meanOf).map(([phase, share]) => `\`${phase}\` (${(100 * share).toFixed(0)} %)`);
  return `Its weights are the mean of those after ${parts.join(" and ")}: a model soup (Wortsman et al. 2022).\n\n`;
}
