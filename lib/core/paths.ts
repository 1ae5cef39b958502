import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import envPaths from "env-paths";
import { ThoughtbookError } from "./errors.js";

/** Absolute path of a user's input, relative to the current folder; a leading `~` is the home folder. */
export function resolveUserPath(path: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, homedir));
}

/** Folder for downloads: THOUGHTBOOK_CACHE where it is set, else the operating system's cache folder for "thoughtbook". */
export function cacheFolder(): string {
  const chosen = process.env.THOUGHTBOOK_CACHE;
  return chosen ? resolveUserPath(chosen) : envPaths("thoughtbook", { suffix: "" }).cache;
}

/**
 * Root of the repository: the first folder, from `start` upward, that holds `data/` and `notebooks/`.
 *
 * @param start where to begin. Default: this library's own folder
 * @throws not-found when no such folder is above `start`
 */
export function projectFolder(start: string = import.meta.dirname): string {
  const folder = findProjectFolder(start);
  if (folder !== undefined) return folder;
  throw new ThoughtbookError("not-found", `no folder above ${start} holds both data/ and notebooks/`, {
    hint: "Run from a clone of the Thoughtbook repository.",
  });
}

/** As {@link projectFolder}, but undefined where there is none: the library may be used outside of the repository. */
export function findProjectFolder(start: string = import.meta.dirname): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    // An installed library is no part of the project that it is installed in, whatever folders that has.
    if (folder === dirname(folder) || basename(folder) === "node_modules") return undefined;
    if (existsSync(join(folder, "data")) && existsSync(join(folder, "notebooks"))) return folder;
  }
}

/**
 * The folder `data/` of the repository (sample problems, models, recipes, tables), or its copy in an installed package.
 *
 * @throws not-found where the package was installed without its data
 */
export function dataFolder(start: string = import.meta.dirname): string {
  const project = findProjectFolder(start);
  if (project !== undefined) return join(project, "data");
  const packed = resolve(start, "..", "..", "packed", "data");
  if (existsSync(packed)) return packed;
  throw new ThoughtbookError("not-found", `the library's own data are not at ${packed}`, {
    hint: "Install the package thoughtbook anew.",
  });
}
