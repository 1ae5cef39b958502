import { readFile } from "node:fs/promises";
import { prettifyError, type ZodType } from "zod";
import { badInput, fileSystemError } from "./errors.js";

/** Kind of a settings file, for error messages: "recipe", and an example file. */
export interface SettingsKind {
  what: string;
  example: string;
}

/**
 * Settings from a JSON file.
 *
 * @throws not-found, file-system, bad-input (with the place in the file)
 */
export async function readSettingsFile<T>(file: string, schema: ZodType<T>, kind: SettingsKind): Promise<T> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileSystemError(error, `read the ${kind.what}`, file);
    throw badInput(`${file} is no JSON: ${error.message}`, "Correct the file.");
  }
  return checkSettings(content, schema, { ...kind, source: file });
}

/** @throws bad-input (with the place), for settings that do not fit the schema */
export function checkSettings<T>(
  content: unknown,
  schema: ZodType<T>,
  { what, example, source }: SettingsKind & { source: string },
): T {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw badInput(`${source} is no ${what}: ${prettifyError(parsed.error)}`, `${example} is one.`);
}
