import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileSystemError, ThoughtbookError } from "../../core/index.js";

/** Where the files of a folder go while it is incomplete. */
export interface NewFolder {
  /** Write a file, whose name may have folders in it. */
  text(name: string, content: string | Uint8Array): Promise<void>;
  /** The path for a file that the caller writes. */
  place(name: string): Promise<string>;
}

const STAGE = ".thoughtbook-part";

/**
 * Fill a folder, which at the end is complete, or as it was before.
 *
 * @param folder a path that does not exist, or an empty folder
 * @returns its absolute path
 * @throws bad-input (it holds files), file-system, what `fill` throws
 */
export async function writeInNewFolder(folder: string, fill: (into: NewFolder) => Promise<void>): Promise<string> {
  const target = resolve(folder);
  const present = await filesIn(target);
  const first = present?.find((name) => name !== STAGE);
  if (first !== undefined) {
    const others = present!.length > 1 ? ` and ${present!.length - 1} more` : "";
    throw new ThoughtbookError("bad-input", `the folder ${target} is not empty: it holds ${first}${others}`, {
      hint: "Give a new folder, or empty this one.",
    });
  }
  // Inside an existing folder, as it may be the only one that can be written.
  const stage = present === undefined ? `${target}${STAGE}` : join(target, STAGE);
  const place = async (name: string): Promise<string> => {
    const path = join(stage, name);
    await mkdir(dirname(path), { recursive: true });
    return path;
  };
  try {
    await rm(stage, { recursive: true, force: true });
    await mkdir(stage, { recursive: true });
    await fill({ place, text: async (name, content) => writeFile(await place(name), content) });
    if (present === undefined) await rename(stage, target);
    else for (const name of await readdir(stage)) await rename(join(stage, name), join(target, name));
  } catch (error) {
    throw fileSystemError(error, "write the folder", target);
  } finally {
    await rm(stage, { recursive: true, force: true }).catch(() => {}); // What went wrong before says more.
  }
  return target;
}

/** Names in a folder; undefined where there is none. */
async function filesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileSystemError(error, "write the folder", folder);
  }
}
