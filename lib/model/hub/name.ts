import { existsSync, readdirSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { badInput, dataFolder, didYouMean, resolveUserPath, ThoughtbookError } from "../../core/index.js";

/** A model of the hub, at a branch, tag or commit. */
export interface HubModel {
  /** "owner/name", or "name" for the few models without an owner. */
  name: string;
  revision: string;
}

/**
 * Absolute path of the folder that a model's specification names; undefined if it can only be the name of a model of
 * the hub.
 *
 * @throws not-found for a path where there is nothing, bad-input for a file
 */
export async function localFolder(spec: string): Promise<string | undefined> {
  const isPath = /^(\.{0,2}\/|\.{1,2}$|~|[A-Za-z]:[\\/])|\/$/.test(spec);
  // A possible name is not resolved outside of the current folder.
  if (spec === "" || (!isPath && /(^|[\\/])\.\.([\\/]|$)/.test(spec))) return undefined;
  const path = resolveUserPath(spec);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return path;
  if (found !== undefined) {
    throw badInput(`${path} is a file, a folder was expected`, "Give the folder of the checkpoint.");
  }
  if (!isPath) return undefined;
  const entries = await readdir(dirname(path), { withFileTypes: true }).catch(() => []);
  const beside = entries.flatMap((entry) => (entry.isFile() ? [] : [entry.name]));
  throw new ThoughtbookError("not-found", `there is no folder ${path}`, {
    hint: `${didYouMean(basename(path), beside)}Check the path; a model of the hub is called owner/name.`,
  });
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
 * Parse `owner/name` or `owner/name@revision`; the revision defaults to "main". The rules for names are those of
 * Python's huggingface_hub; names become parts of paths, so nothing else is accepted.
 *
 * @throws bad-input
 */
export function parseHubModel(spec: string): HubModel {
  const at = spec.indexOf("@");
  const name = at < 0 ? spec : spec.slice(0, at);
  const revision = at < 0 ? "main" : spec.slice(at + 1);
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
  return { name, revision };
}

function refuse(message: string): ThoughtbookError {
  return badInput(message, "Give a folder, or owner/name or owner/name@revision of the Hugging Face hub.");
}
