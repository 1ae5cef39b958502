import { existsSync, readdirSync } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { badInput, dataFolder, didYouMean, resolveUserPath, ThoughtbookError } from "../../core/index.js";
import { isGgufName, onlyGgufIn } from "./gguf-names.js";

/** A model of the hub, at a branch, tag or commit. */
export interface HubModel {
  /** "owner/name", or "name" for the few models without an owner. */
  name: string;
  revision: string;
  /** A GGUF file of the model, or the type of its weights. */
  file?: string;
}

/**
 * Absolute path of the folder or GGUF file that a model's specification names; undefined if it can only be the name of a
 * model of the hub. A folder with nothing but a GGUF file stands for that.
 *
 * @throws not-found for a path where there is nothing, bad-input for another file, or several in a folder
 */
export async function localFolder(spec: string): Promise<string | undefined> {
  const isPath = /^(\.{0,2}\/|\.{1,2}$|~|[A-Za-z]:[\\/])|\/$/.test(spec);
  // A possible name is not resolved outside of the current folder.
  if (spec === "" || (!isPath && /(^|[\\/])\.\.([\\/]|$)/.test(spec))) return undefined;
  const path = resolveUserPath(spec);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return (await onlyGgufIn(path)) ?? path;
  if (found !== undefined) {
    // Ollama's files have no ending.
    if (isGgufName(path) || (await beginsAsGguf(path))) return path;
    throw badInput(
      `${path} is a file, a folder or a GGUF file was expected`,
      "Give the folder of the checkpoint, or a GGUF file.",
    );
  }
  if (!isPath && !(isGgufName(spec) && !spec.includes(":"))) return undefined;
  const entries = await readdir(dirname(path), { withFileTypes: true }).catch(() => []);
  const beside = entries.flatMap((entry) => (entry.isFile() && !isGgufName(entry.name) ? [] : [entry.name]));
  throw new ThoughtbookError("not-found", `there is no ${isGgufName(spec) ? "file" : "folder"} ${path}`, {
    hint: `${didYouMean(basename(path), beside)}Check the path; a model of the hub is called owner/name, a GGUF file there owner/name:FILE.gguf.`,
  });
}

async function beginsAsGguf(path: string): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  try {
    const { buffer } = (await handle?.read(Buffer.alloc(4), 0, 4, 0)) ?? { buffer: Buffer.alloc(4) };
    return buffer.toString("latin1") === "GGUF";
  } catch {
    return false;
  } finally {
    await handle?.close();
  }
}

/** The folder of a model of this project's `data/models`. */
export function embeddedFolder(name: string): string | undefined {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return undefined;
  const folder = join(embeddedModels(), name);
  return existsSync(join(folder, "config.json")) ? folder : undefined;
}

/** The names of the repository's models, in alphabetical order. */
export function embeddedNames(): string[] {
  const models = embeddedModels();
  if (!existsSync(models)) return [];
  return readdirSync(models)
    .filter((name) => embeddedFolder(name) !== undefined)
    .sort();
}

const embeddedModels = (): string => join(dataFolder(), "models");

/**
 * Parse `owner/name` or `owner/name@revision`, and the same with `:FILE.gguf` or `:TYPE` after it; the revision defaults
 * to "main". The rules for names are those of
 * Python's huggingface_hub; names become parts of paths, so nothing else is accepted.
 *
 * @throws bad-input
 */
export function parseHubModel(spec: string): HubModel {
  const colon = spec.includes("://") ? -1 : spec.indexOf(":");
  const [model, file] = colon < 0 ? [spec, undefined] : [spec.slice(0, colon), spec.slice(colon + 1)];
  const at = model.indexOf("@");
  const name = at < 0 ? model : model.slice(0, at);
  const revision = at < 0 ? "main" : model.slice(at + 1);
  if (spec.includes("://")) throw refuse("a model is given by its name, not by an address");
  const segments = name.split("/");
  const isName =
    segments.length <= 2 &&
    segments.every((segment) => /^\w([\w.-]*\w)?$/.test(segment)) &&
    name.length <= 96 &&
    !/--|\.\.|\.git$/.test(name);
  if (!isName) throw refuse(`${JSON.stringify(name)} is not the name of a model`);
  const isRevision = /^\w[\w.+-]*(\/\w[\w.+-]*)*$/.test(revision) && revision.length <= 200 && !revision.includes("..");
  if (!isRevision) throw refuse(`${JSON.stringify(revision)} is not the name of a branch, tag or commit`);
  if (file === undefined) return { name, revision };
  const isFile = /^\w[\w.+ -]*(\/\w[\w.+ -]*)*$/.test(file) && file.length <= 200 && !file.includes("..");
  if (!isFile) throw refuse(`${JSON.stringify(file)} is neither a GGUF file nor a type of weights`);
  return { name, revision, file };
}

function refuse(message: string): ThoughtbookError {
  return badInput(
    message,
    "Give a folder or GGUF file, or owner/name, owner/name@revision or owner/name:FILE.gguf of the Hugging Face hub.",
  );
}
