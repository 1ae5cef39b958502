import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileSystemError, ThoughtbookError } from "../../core/index.js";
import { type HubConnection, unreachable } from "./connection.js";

/** A file of a model on the hub. */
export interface RemoteFile {
  path: string;
  size: number;
  /** SHA-256 of a large file, or the SHA-1 that git gives a small one; name of the blob in the cache. */
  hash: string;
}

export interface Transfer {
  hub: HubConnection;
  url: string;
  file: RemoteFile;
  /** Target path, named by its hash. */
  blob: string;
  /** Called with the number of bytes present. */
  onProgress: (bytes: number) => void;
}

/**
 * Download a blob into the cache. A broken download resumes where it stopped, in this process or a later one: the
 * partial file is named by the hash of the whole, so its content is right, whatever revision of the model requested it.
 * (For the same reason two processes may fill it at the same time.) The blob appears only if its hash is right.
 *
 * @throws network, corrupt-data (wrong size or hash), file-system, and the errors of the connection
 */
export async function transferBlob(transfer: Transfer): Promise<void> {
  const { hub, blob, file, url } = transfer;
  const part = `${blob}.incomplete`;
  await mkdir(dirname(blob), { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(error, "make the folder", dirname(blob));
  });
  let resumed = false;
  for (;;) {
    await hub.patiently(async () => {
      const present = await sizeOf(part);
      if (present > file.size) await rm(part, { force: true });
      const from = present > file.size ? 0 : present;
      resumed ||= from > 0;
      if (from < file.size || from === 0) await receive(transfer, part, from);
    });
    try {
      if ((await gitOrLfsHash(part, file.hash)) === file.hash) return await rename(part, blob);
      await rm(part, { force: true });
    } catch (error) {
      if (await isWhole(blob, file)) return; // Another process was faster.
      throw fileSystemError(error, "write", blob);
    }
    // What an earlier run left may be damaged: retry once from the beginning.
    if (!resumed) {
      throw new ThoughtbookError("corrupt-data", `${url} has the wrong checksum: expected ${file.hash}`, {
        hint: "Download it again; if it stays the same, the hub or a proxy serves another file.",
      });
    }
    resumed = false;
  }
}

/** Whether the cache has the blob. */
export async function isWhole(blob: string, { size }: RemoteFile): Promise<boolean> {
  return (await sizeOf(blob)) === size;
}

/** Send one request and append its body to the partial file. */
async function receive({ hub, url, file, onProgress }: Transfer, part: string, from: number): Promise<void> {
  const response = await hub.fetch(url, {
    headers: { "accept-encoding": "identity", ...(from > 0 && { range: `bytes=${from}-` }) },
  });
  const continues = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${from}-`);
  let position = continues ? from : 0;
  const handle = await open(part, constants.O_RDWR | constants.O_CREAT).catch((error: unknown) => {
    throw fileSystemError(error, "write", part);
  });
  try {
    for await (const chunk of body(response, url)) {
      if (position + chunk.length > file.size) {
        await rm(part, { force: true });
        throw tooLong(url, file.size);
      }
      await writeAll(handle, chunk, position, part);
      position += chunk.length;
      onProgress(position);
    }
  } finally {
    await handle.close();
  }
  if (position < file.size) {
    throw new ThoughtbookError("network", `${url} ended after ${position} of ${file.size} bytes`, {
      hint: "Run it again: it goes on where it stopped.",
    });
  }
}

async function* body(response: Response, url: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* (response.body ?? []) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw (error as Error).name === "AbortError" ? error : unreachable(url, error);
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number, part: string): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle
      .write(chunk, done, chunk.length - done, position + done)
      .catch((error: unknown) => {
        throw fileSystemError(error, "write", part);
      });
    done += bytesWritten;
  }
}

/** Compute the hash of a file, of the same kind as `like`. */
async function gitOrLfsHash(path: string, like: string): Promise<string> {
  const isGit = like.length === 40;
  const hash = createHash(isGit ? "sha1" : "sha256");
  if (isGit) hash.update(`blob ${await sizeOf(path)}\0`); // What git puts before the content.
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function tooLong(url: string, expected: number): ThoughtbookError {
  return new ThoughtbookError("corrupt-data", `${url} is longer than the ${expected} bytes that the hub told`, {
    hint: "Download it again; if it stays the same, the hub or a proxy serves another file.",
  });
}
