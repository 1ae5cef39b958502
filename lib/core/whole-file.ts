import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileSystemError } from "./errors.js";

/**
 * The text of a file, or undefined where there is none.
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
 * Write a file, and its folder if it is missing. The text goes under another name first, so that a killed process leaves the
 * old file whole, or none.
 *
 * @throws file-system
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  const part = `${file}.${randomUUID()}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(part, text);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw fileSystemError(error, "write", file);
  }
}
