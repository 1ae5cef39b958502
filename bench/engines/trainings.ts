import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonl } from "thoughtbook/core";
import { type Engine, exportTraining, type Method, RECIPES, type TrainingRecipe } from "thoughtbook/export";
import { fineTune } from "thoughtbook/train";

/** The model that exported configurations name; the runs take a folder of it instead. */
export const MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct";

/** Settings of the exports that are run: small batches of short rows. */
export const SMALL: TrainingRecipe = {
  ...RECIPES.plain,
  model: MODEL,
  template: { llamaFactory: "smollm2", litgpt: "default" },
  epochs: 2,
  batchSize: 1,
  perDevice: 1,
  context: 256,
};

/** Write rows and export them; `texts` are written by the model in the folder. */
export async function exportRows(
  rows: readonly object[],
  {
    folder,
    engine,
    method,
    recipe,
    model,
  }: { folder: string; engine: Engine; method: Method; recipe: TrainingRecipe; model: string },
): Promise<{ out: string; files: Record<string, string>; rows: unknown[] }> {
  await mkdir(folder, { recursive: true });
  const data = join(folder, "rows.jsonl");
  await writeFile(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const out = join(folder, "export");
  await rm(out, { recursive: true, force: true });
  const { files } = await exportTraining({ engine, method, recipe, data, out, form: "texts", tokenizer: model });
  const hashes = await Promise.all(
    files.map(
      async (name) =>
        [
          name,
          createHash("sha256")
            .update(await readFile(join(out, name)))
            .digest("hex"),
        ] as const,
    ),
  );
  const written: unknown[] = [];
  for await (const { value } of readJsonl(join(out, "data", "train.jsonl"))) written.push(value);
  return { out, files: Object.fromEntries(hashes), rows: written };
}

/** The loss of this library's first update on the same rows. */
export async function ourFirstLoss(model: string, folder: string): Promise<number> {
  const out = join(folder, "ours");
  await rm(out, { recursive: true, force: true });
  await fineTune({
    model,
    data: join(folder, "rows.jsonl"),
    out,
    maxSteps: 1,
    batchSize: 1,
    batching: "bucket",
    seed: 1,
  });
  for await (const { value } of readJsonl(join(out, "training", "records.jsonl"))) {
    const { loss } = value as { loss?: number };
    if (loss !== undefined) return loss;
  }
  throw new Error(`${out} has no record with a loss`);
}

export interface LoggedStep {
  step: number;
  loss: number;
  reward?: number;
}

/** What a Hugging Face trainer logged at each step, from the state of its last checkpoint. */
export async function loggedSteps(out: string): Promise<LoggedStep[]> {
  const checkpoints = (await readdir(out)).filter((name) => name.startsWith("checkpoint-")).sort();
  const files = [...checkpoints.map((name) => join(out, name)), out].map((each) => join(each, "trainer_state.json"));
  for (const file of files.reverse()) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const { log_history } = JSON.parse(text) as { log_history: Record<string, number>[] };
    return log_history
      .filter(({ loss }) => loss !== undefined)
      .map(({ step, loss, reward }) => ({
        step: step!,
        loss: Number(loss),
        ...(reward === undefined ? {} : { reward }),
      }));
  }
  throw new Error(`no trainer_state.json below ${out}`);
}
