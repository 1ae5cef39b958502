import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { badInput, fileSystemError, isLfsPointer, lfsPointerError, ThoughtbookError } from "../../core/index.js";
import { ggufDocument } from "../gguf/documents.js";
import type { ModelConfig } from "./config.js";
import { isFamily, readGpt2, readRotary } from "./families.js";

/**
 * Read the content of a Hugging Face `config.json`, of any version from transformers 4.0 on. A key that is absent
 * gets the default that transformers 5 gives it for the family.
 *
 * @param source what the messages of errors call it
 * @throws bad-input for an architecture outside the four families, or an option of one that is not supported here;
 *   corrupt-data for a value of the wrong type, or values that contradict each other
 */
export function parseConfig(value: unknown, source = "config.json"): ModelConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ThoughtbookError("corrupt-data", `${source} holds no JSON object`, {
      hint: "Give the folder of a Hugging Face checkpoint.",
    });
  }
  const raw = value as Record<string, unknown>;
  const { model_type: type } = raw;
  if (!isFamily(type)) {
    throw badInput(
      `${source}: model_type is ${type === undefined ? "missing" : JSON.stringify(type)}; supported are llama, qwen2, qwen3 and gpt2`,
      "Choose a checkpoint of one of these families.",
    );
  }
  return type === "gpt2" ? readGpt2(raw, source) : readRotary(type, raw, source);
}

/**
 * The configuration of the checkpoint in a folder, from its `config.json`, or of a GGUF file, from its metadata.
 *
 * @throws not-found, file-system, corrupt-data (not JSON), and the errors of {@link parseConfig}
 */
export async function readConfig(folder: string): Promise<ModelConfig> {
  const source = (await isGgufPlace(folder)) ? folder : join(folder, "config.json");
  return parseConfig(await readDocument(folder, "config.json"), source);
}

/** Whether the place of a model is a file, which is then read as GGUF, not a folder. */
export const isGgufPlace = (place: string): Promise<boolean> =>
  stat(place).then(
    (found) => found.isFile(),
    () => false,
  );

/**
 * The JSON of a file in a model's folder, or what a GGUF file says in its place.
 *
 * @throws not-found, file-system, corrupt-data; bad-input for a GGUF file that is not supported
 */
export async function readDocument(place: string, name: string): Promise<unknown> {
  if (!(await isGgufPlace(place))) return readJsonFile(join(place, name));
  const document = await ggufDocument(place, name);
  if (document !== undefined) return document;
  throw new ThoughtbookError("not-found", `${place} says nothing of what a ${name} holds`, {
    hint: "Choose another file of the model.",
  });
}

/** The JSON value in a file. Throws not-found, file-system, corrupt-data. */
export async function readJsonFile(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileSystemError(error, "read", file);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (isLfsPointer(text)) throw lfsPointerError(file, text);
    throw new ThoughtbookError("corrupt-data", `${file} is not JSON: ${(cause as Error).message}`, {
      hint: "Download the checkpoint again.",
      cause,
    });
  }
}
