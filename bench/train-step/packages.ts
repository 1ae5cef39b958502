import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ThoughtbookError } from "thoughtbook/core";

/** A package that is installed outside of this repository. */
export interface FoundPackage {
  /** Name and version that its package.json states; npm can install one package under another's name. */
  name: string;
  version: string;
}

/** What `folder` has under a package's name, or null. Nothing is loaded. */
export function findPackage(name: string, folder: string): FoundPackage | null {
  for (const place of createRequire(join(folder, "anchor.js")).resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(join(place, name, "package.json"), "utf8");
      return JSON.parse(text) as FoundPackage;
    } catch {
      // Not here: the next folder upwards.
    }
  }
  return null;
}

/**
 * Load a package as a program in `folder` would.
 *
 * @throws ThoughtbookError not-found when it is not installed there
 */
export async function importFrom<Module>(name: string, folder: string): Promise<Module> {
  const found = findPackage(name, folder);
  if (!found) {
    throw new ThoughtbookError("not-found", `${folder} has no package ${name}`, { hint: `npm install ${name} there.` });
  }
  return (await import(pathToFileURL(createRequire(join(folder, "anchor.js")).resolve(name)).href)) as Module;
}
