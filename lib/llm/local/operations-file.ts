import { join } from "node:path";
import { z } from "zod";
import { readIfThere, ThoughtbookError } from "../../core/index.js";
import { ggufDocument, isGgufPlace } from "../../model/index.js";

/** Metadata of this library's own models, beside the Hugging Face files. */
const FILE = "thoughtbook.json";
const schema = z.looseObject({ operations: z.array(z.string()) });

/**
 * The operations that a model was trained to do by their tags, from `thoughtbook.json` in its folder, or the metadata of
 * a GGUF file:
 * `{"operations": ["cot", "decompose"]}`. Undefined without that file, as for all other models.
 *
 * @throws corrupt-data, file-system
 */
export async function readOperations(folder: string): Promise<ReadonlySet<string> | undefined> {
  const file = join(folder, FILE);
  try {
    const content = await readContent(folder, file);
    return content === undefined ? undefined : new Set(schema.parse(content).operations);
  } catch (error) {
    if (error instanceof ThoughtbookError) throw error;
    throw new ThoughtbookError("corrupt-data", `${file} does not list the model's operations`, {
      hint: 'It should look like {"operations": ["cot", "decompose"]}; delete it if the model knows none.',
      cause: error,
    });
  }
}

async function readContent(folder: string, file: string): Promise<unknown> {
  if (await isGgufPlace(folder)) return ggufDocument(folder, FILE);
  const text = await readIfThere(file);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Name of the file that {@link readOperations} reads. */
export const operationsFile = (name: string, operations: readonly string[]): Record<string, string> => ({
  [FILE]: `${JSON.stringify({ name, operations }, null, 2)}\n`,
});
