import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";
import { fileSystemError, ThoughtbookError } from "../../core/index.js";

/**
 * Extract one file of a zip archive to `target`, which appears only when it is complete.
 * @throws ThoughtbookError "corrupt-data" if the archive cannot be read or has no such file, or "file-system".
 */
export async function extractMember(archive: string, member: string, target: string): Promise<void> {
  const corrupt = (cause: unknown): never => {
    const { message } = cause as Error;
    throw new ThoughtbookError("corrupt-data", `cannot read the zip archive ${archive}: ${message}`, {
      hint: "Delete it and download it again.",
      cause,
    });
  };
  const zip = await openPromise(archive).catch(corrupt);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== member) continue;
      const part = `${target}.part-${process.pid}`;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(part)).catch(corrupt);
      await rename(part, target).catch((error: unknown) => {
        throw fileSystemError(error, "write", target);
      });
      return;
    }
  } catch (error) {
    if (error instanceof ThoughtbookError) throw error;
    corrupt(error);
  } finally {
    zip.close();
  }
  throw new ThoughtbookError("corrupt-data", `the zip archive ${archive} holds no ${member}`, {
    hint: "Its layout has changed: extract the file by hand and name it with `path` (--path).",
  });
}
