import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileSystemError } from "./errors.js";

/**
 * Write a file, and its folder if it is missing. The text goes under another name first, so that a killed process leaves the
 * old file whole, or none.
 *
 * @throws file-system
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  const part = `${file}.${process.pid}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(part, text);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw fileSystemError(error, "write", file);
  }
}
