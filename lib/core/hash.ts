import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { fileSystemError } from "./errors.js";

/** SHA-256 of a text (as UTF-8) or of bytes, in 64 lower-case hexadecimal digits. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * SHA-256 of a file's bytes, in 64 lower-case hexadecimal digits; memory does not grow with the file.
 *
 * @throws not-found, file-system
 */
export async function sha256File(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash).catch((error: unknown) => {
    throw fileSystemError(error, "read", file);
  });
  return hash.digest("hex");
}
