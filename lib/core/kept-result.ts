import { ThoughtbookError } from "./errors.js";
import { canonicalJson, strictJson } from "./json.js";
import { readIfThere, writeWhole } from "./whole-file.js";

/**
 * Compute a result once: it is kept as JSON in a file with the settings it depends on, and the same call reads it from
 * there.
 *
 * @param work returns plain data
 * @throws bad-input if the file keeps a result of other settings; corrupt-data, file-system; like the work
 */
export async function keptResult<T>(
  file: string,
  settings: Record<string, unknown>,
  work: () => Promise<T>,
): Promise<T> {
  const asked = canonicalJson(settings);
  const kept = await readKept<T>(file);
  if (kept && canonicalJson(kept.settings) === asked) return kept.result;
  if (kept) {
    throw new ThoughtbookError("bad-input", `${file} keeps a result of other settings`, {
      hint: "Choose another folder, or remove what is to be done anew.",
    });
  }
  const result = await work();
  await writeWhole(file, `${strictJson({ settings: JSON.parse(asked), result })}\n`);
  return result;
}

async function readKept<T>(file: string): Promise<{ settings: unknown; result: T } | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as { settings: unknown; result: T };
  } catch (cause) {
    throw new ThoughtbookError("corrupt-data", `${file} is no JSON`, { hint: "Remove it.", cause });
  }
}
