import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { badInput, didYouMean, ThoughtbookError } from "../../core/index.js";

/** Whether a file is GGUF by its name. */
export const isGgufName = (name: string): boolean => /\.gguf$/i.test(name);

/** The parts of a model in several files: `NAME-00001-of-00003.gguf`. */
const PART = /-\d{5}-of-\d{5}\.gguf$/i;

/**
 * The files of a model that are asked for: by its name, or by the type of its weights that names end with, as `Q4_K_M`
 * for `model-q4_k_m.gguf`.
 */
export function findGguf(files: readonly string[], wanted: string): string[] {
  const all = files.filter(isGgufName).sort();
  if (all.includes(wanted)) return [wanted];
  return isGgufName(wanted) ? [] : all.filter((file) => endsWithType(file, wanted));
}

/**
 * The one file that {@link findGguf} finds.
 *
 * @param place what the messages of errors call the model
 * @throws not-found; bad-input for a part of a split model, or a type that several files have
 */
export function chooseGguf(files: readonly string[], wanted: string, place: string): string {
  const all = files.filter(isGgufName).sort();
  const found = findGguf(files, wanted);
  const [first] = found;
  if (first === undefined) {
    const what = isGgufName(wanted) ? `no file ${wanted}` : `no GGUF file of the type ${wanted}`;
    const known = all.length === 0 ? "It has no GGUF files." : `Its GGUF files are ${listOf(all)}.`;
    throw new ThoughtbookError("not-found", `${place} has ${what}`, { hint: `${didYouMean(wanted, all)}${known}` });
  }
  if (found.length > 1) {
    throw badInput(`${place} has several GGUF files of the type ${wanted}: ${listOf(found)}`, "Name one of them.");
  }
  if (PART.test(first)) {
    throw badInput(
      `${first} of ${place} is a part of a model that is split into several files; models in one file are supported`,
      "Choose a smaller type, or join the parts with llama.cpp's llama-gguf-split --merge and give the file.",
    );
  }
  return first;
}

const endsWithType = (file: string, type: string): boolean => {
  const name = file.toLowerCase().replace(/\.gguf$/, "");
  return [..."-._/"].some((separator) => name.endsWith(`${separator}${type.toLowerCase()}`));
};

/**
 * The GGUF file of a folder that holds nothing else to open; undefined for other folders.
 * @throws bad-input if there are several
 */
export async function onlyGgufIn(folder: string): Promise<string | undefined> {
  const files = await readdir(folder).catch(() => []);
  const found = files.filter(isGgufName).sort();
  const [first] = found;
  if (
    first === undefined ||
    files.some((file) => file === "config.json" || /\.(safetensors|onnx)$|^onnx$/.test(file))
  ) {
    return undefined;
  }
  if (found.length === 1) return join(folder, first);
  throw badInput(
    `${folder} holds several GGUF files: ${listOf(found)}`,
    `Name one of them, as ${join(folder, first)}.`,
  );
}

/** The error for a model of the hub that has only GGUF files, of which none was named. */
export function nameAGguf(name: string, files: readonly string[]): ThoughtbookError | undefined {
  const found = files.filter(isGgufName).sort();
  const best =
    found.find((file) => endsWithType(file, "Q4_K_M")) ?? found.find((file) => endsWithType(file, "Q8_0")) ?? found[0];
  if (best === undefined) return undefined;
  const message = `${name} has its weights only in GGUF files: ${listOf(found)}`;
  return new ThoughtbookError("not-found", message, { hint: `Name one of them, as ${name}:${best}.` });
}

const MOST_NAMES = 12;
const listOf = (names: readonly string[]): string =>
  names.length <= MOST_NAMES
    ? names.join(", ")
    : `${names.slice(0, MOST_NAMES).join(", ")}, and ${names.length - MOST_NAMES} more`;
