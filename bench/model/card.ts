import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ModelMeasurement } from "./index.js";

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
    phases: z.array(z.object({ name: z.string(), operations: z.tuple([z.int(), z.int()]), longest: z.int() })),
  }),
  phases: z.array(z.object({ phase: z.string(), updates: z.int(), hours: z.number() })),
});

const percent = (share: number): string => (100 * share).toFixed(1);
const band = ([low, high]: readonly [number, number]): string => `${percent(low)} – ${percent(high)}`;
const table = (head: string[], rows: (string | number)[][]): string =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Write `measured.json` and the model card `README.md` into the folder of a published model. */
export async function writeCard(folder: string, measured: ModelMeasurement): Promise<void> {
  const training = trainingSchema.parse(JSON.parse(await readFile(join(folder, "training.json"), "utf8")));
  await writeFile(join(folder, "measured.json"), `${JSON.stringify(measured, null, 2)}\n`);
  await writeFile(join(folder, "README.md"), modelCard(training, measured));
}

function modelCard({ recipe, seed, phases }: z.output<typeof trainingSchema>, measured: ModelMeasurement): string {
  const { model, name } = recipe;
  const { chainOfThought, equations, distractors, long, operations, datasets } = measured;
  const most = Math.max(...recipe.phases.map((phase) => phase.operations[1]));
  const hours = phases.reduce((sum, phase) => sum + phase.hours, 0);
  const levels = (rows: ModelMeasurement["chainOfThought"]) =>
    table(
      ["operations", "accuracy %", "95 %", "tokens", "wrong arithmetic %", "wrong path %", "no answer %"],
      rows.map(({ operations, accuracy, interval, length, causes }) => [
        operations,
        percent(accuracy),
        band(interval),
        length.toFixed(1),
        percent(causes.arithmetic),
        percent(causes.path),
        percent(causes.unfinished),
      ]),
    );
  return `---
license: mit
language: en
library_name: transformers
tags: [reasoning, word-problems, from-scratch]
---

# ${name}

A Llama of ${(measured.parameters / 1e6).toFixed(2)} M parameters, trained from nothing by Thoughtbook on its own procedural word
problems: ${model.num_hidden_layers} layers, ${model.hidden_size} wide, ${model.num_attention_heads} heads (${model.num_key_value_heads} of keys and values),
${recipe.tokenizer.vocabularySize} tokens with single digits, context ${model.max_position_embeddings}. No text of others is in it. It is good inside its world and near zero outside.

## Training

Recipe and seed (${seed}) are in \`training.json\`, loss and accuracy by update in \`curve.csv\`. ${hours.toFixed(1)} hours on a shared machine with ${measured.machine.cores} cores:

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

    npx thoughtbook pretrain --recipe data/recipes/${recipe.name.replace(/-base$/, "")}.json --out runs/pretrain/${recipe.name} --publish data/models

## Measured

Greedy, on unseen problems of scenarios and structures that were held out (${measured.chainOfThought[0]!.problems} for each row), strict grading, Wilson's 95 %
intervals. Trained on 1 to ${most} operations.

    npm run bench -- model --model ${name}

Step by step, without distractors:

${levels(chainOfThought)}

Equations of these chains, on 1 to ${most} operations, that most often go wrong; a d is a digit:

${table(
  ["form", "stated", "wrong %", "95 %"],
  equations.map(({ form, wrong }) => [`\`${form}\``, wrong.count, percent(wrong.value), band(wrong.interval!)]),
)}

With ${distractors[0]!.distractors} facts that the answer does not need:

${levels(distractors)}

Thinking long before the answer, ${long.problems} problems of ${long.operations.join(" to ")} operations; the mean length is ${long.meanLength.toFixed(0)} tokens:

${table(
  ["budget", "accuracy %", "95 %", "finished %", "tokens"],
  long.budgets.map(({ budget, accuracy, interval, finishRate, length }) => [
    budget,
    percent(accuracy),
    band(interval),
    percent(finishRate),
    length.toFixed(1),
  ]),
)}

Operations on problems of 1 to ${most} operations. Right are answers equal to the problem's, graphs and plans equal to its own, questions with the
same answer; programs are not run:

${table(
  ["operation", "parsed %", "right %", "tokens"],
  operations.map(({ operation, parsed, right, tokens }) => [
    operation,
    percent(parsed.value),
    right ? percent(right.value) : "",
    tokens.toFixed(1),
  ]),
)}

${
  datasets.length === 0
    ? ""
    : `Real problems, step by step:\n\n${table(
        ["data set", "problems", "accuracy %", "95 %"],
        datasets.map(({ dataset, problems, accuracy, interval }) => [
          dataset,
          problems,
          percent(accuracy),
          band(interval),
        ]),
      )}\n`
}
1,000 problems of 2 to 5 operations take ${measured.secondsFor1000} s on ${measured.machine.cores} cores (${measured.machine.processor}).

## Limits

It knows the words, names and phrasings of our problems only: other text is noise to it. Numbers are whole and at most 9,999. Where
it fails, and for which reason, is in the tables above.
`;
}
