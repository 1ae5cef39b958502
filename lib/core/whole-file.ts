import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileSystemError } from "./errors.js";

/**
 * Text of a file, or undefined if it does not exist.
 *
 * @throws file-system
 */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileSystemError(error, "read", file);
  }
}

/**
 * Write a file, and its folder if missing. The text is first written under another name, so that a killed process
 * leaves the old file intact, or none.
 *
 * @throws file-system
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  const part = `${file}.${randomUUID()}.new`;
  try {
    await makeFolder(dirname(file));
    await writeFile(part, text);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw fileSystemError(error, "write", file);
  }
}

/** As mkdir with `recursive`, which in Node never ends where the file system takes no folder and says that it is not there. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
      await mkdir(folder).catch((second: NodeJS.ErrnoException) => {
        if (second.code !== "EEXIST") throw second;
      });
    } else if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw error;
  }
}
