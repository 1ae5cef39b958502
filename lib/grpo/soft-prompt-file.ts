import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { badInput, fileSystemError, ThoughtbookError, writeWhole } from "../core/index.js";
import { type LocalModel, nearestTokens } from "../llm/index.js";
import { openSafetensors, readFloats, readJsonFile, writeSafetensors } from "../model/index.js";
import type { TensorData } from "../tensor/index.js";

/** Vectors that precede a prompt: for a whole task, or for each question. */
export interface SoftPrompt {
  /** "task", or the id of a problem. */
  name: string;
  /** `[vectors, hidden]` */
  vectors: TensorData<"float32">;
}

const WEIGHTS = "soft_prompt.safetensors";
const CONFIG = "soft_prompt.json";

const configSchema = z.object({
  model: z.string(),
  modelHash: z.string().nullable(),
  hiddenSize: z.int().positive(),
  prompts: z
    .array(z.object({ name: z.string(), vectors: z.int().positive(), nearest: z.array(z.array(z.string())) }))
    .min(1),
});

/** Tokens named for each vector in the file. */
const NEAREST = 3;

/**
 * Write soft prompts of a model to a folder: the vectors as `soft_prompt.safetensors`, and `soft_prompt.json`, which names
 * the model and the tokens nearest to each vector.
 *
 * @throws file-system
 */
export async function saveSoftPrompt(folder: string, model: LocalModel, prompts: readonly SoftPrompt[]): Promise<void> {
  const config = {
    model: model.name,
    modelHash: (await model.hash()) ?? null,
    hiddenSize: model.config.hiddenSize,
    prompts: [] as z.infer<typeof configSchema>["prompts"],
  };
  for (const { name, vectors } of prompts) {
    const nearest = await nearestTokens(model, vectors, { count: NEAREST });
    config.prompts.push({
      name,
      vectors: vectors.shape[0]!,
      nearest: nearest.map((each) => each.map(({ text }) => text)),
    });
  }
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(error, "make the folder", folder);
  });
  await writeSafetensors(
    join(folder, WEIGHTS),
    Object.fromEntries(prompts.map(({ name, vectors }) => [name, vectors])),
  );
  await writeWhole(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

/**
 * Read soft prompts that {@link saveSoftPrompt} wrote.
 *
 * @throws not-found, file-system, corrupt-data; bad-input if they were trained for another model
 */
export async function loadSoftPrompt(folder: string, model: LocalModel): Promise<SoftPrompt[]> {
  const path = join(folder, CONFIG);
  const parsed = configSchema.safeParse(await readJsonFile(path));
  if (!parsed.success) {
    const { path: place, message } = parsed.error.issues[0]!;
    throw corrupt(`${path}: ${place.join(".") || "it"}: ${message}`);
  }
  const { hiddenSize, modelHash, prompts, model: name } = parsed.data;
  const hash = await model.hash();
  if (hiddenSize !== model.config.hiddenSize || (modelHash !== null && hash !== undefined && modelHash !== hash)) {
    throw badInput(
      `the soft prompt in ${folder} was trained for ${name}, not for ${model.name}`,
      "Vectors mean something to the weights they were trained with only: take that model.",
    );
  }
  const file = await openSafetensors(join(folder, WEIGHTS));
  return Promise.all(
    prompts.map(async ({ name, vectors }) => {
      const shape = [vectors, hiddenSize];
      if (file.tensors.get(name)?.shape.join() !== shape.join()) {
        throw corrupt(`${join(folder, WEIGHTS)}: ${name} is not [${shape.join(", ")}]`);
      }
      return { name, vectors: { shape, dtype: "float32" as const, data: await readFloats(file, name) } };
    }),
  );
}

const corrupt = (message: string) =>
  new ThoughtbookError("corrupt-data", message, { hint: "Save the soft prompt again." });
