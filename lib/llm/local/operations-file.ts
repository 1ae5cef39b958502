import { join } from "node:path";
import { z } from "zod";
import { readIfThere, ThoughtbookError } from "../../core/index.js";

/** Metadata of this library's own models, beside the Hugging Face files. */
const FILE = "thoughtbook.json";
const schema = z.looseObject({ operations: z.array(z.string()) });

/**
 * The operations that a model was trained to do by their tags, from `thoughtbook.json` in its folder:
 * `{"operations": ["cot", "decompose"]}`. Undefined without that file, as for all other models.
 *
 * @throws corrupt-data, file-system
 */
export async function readOperations(folder: string): Promise<ReadonlySet<string> | undefined> {
  const file = join(folder, FILE);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return new Set(schema.parse(JSON.parse(text)).operations);
  } catch (error) {
    throw new ThoughtbookError("corrupt-data", `${file} does not list the model's operations`, {
      hint: 'It should look like {"operations": ["cot", "decompose"]}; delete it if the model knows none.',
      cause: error,
    });
  }
}

/** Name of the file that {@link readOperations} reads. */
export const operationsFile = (name: string, operations: readonly string[]): Record<string, string> => ({
  [FILE]: `${JSON.stringify({ name, operations }, null, 2)}\n`,
});
