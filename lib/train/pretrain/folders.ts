import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Phase } from "./recipe.js";

/** Where `pretrain` puts things in its folder. */
export const pretrainFolders = (out: string) => ({
  /** Recipe and seed of what is there. */
  origin: join(out, "recipe.json"),
  tokenizer: join(out, "tokenizer"),
  run: ({ name }: Pick<Phase, "name">) => join(out, "runs", name),
  /** Updates and seconds of a finished phase. */
  result: ({ name }: Pick<Phase, "name">) => join(out, "runs", name, "result.json"),
  model: ({ name }: Pick<Phase, "name">) => join(out, "models", name),
});

/** Whether the model after a phase is there. */
export const isFinished = (out: string, phase: Pick<Phase, "name">): boolean =>
  existsSync(join(pretrainFolders(out).model(phase), "config.json"));

/** Files of a folder by name, as `saveCheckpoint` takes them. */
export async function filesOf(folder: string, isWanted = (_: string) => true): Promise<Record<string, Uint8Array>> {
  const names = (await readdir(folder)).filter(isWanted);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))])));
}
