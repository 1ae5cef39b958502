import { readSync, writeSync } from "node:fs";

/*
 * Frames of JSON over one file descriptor: four bytes of length, then UTF-8. Reads and writes block, so that tests in
 * an interpreter, which cannot wait for a promise, can ask the sandbox something.
 */

const DESCRIPTOR = 3;
const HEADER = 4;

export interface Channel {
  send(message: unknown): void;
  /** The next message; undefined once the sandbox is gone. */
  receive(): unknown;
}

/** Taken before the walls go up: afterwards these functions are not to be had any more. */
export function openChannel(): Channel {
  const [read, write] = [readSync, writeSync];

  const readBytes = (length: number): Buffer | undefined => {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const count = readSome(() => read(DESCRIPTOR, bytes, at, length - at, null));
      if (count === 0) return undefined;
      at += count;
    }
    return bytes;
  };

  return {
    send(message) {
      const body = Buffer.from(JSON.stringify(message));
      const header = Buffer.allocUnsafe(HEADER);
      header.writeUInt32BE(body.length);
      const bytes = Buffer.concat([header, body]);
      for (let at = 0; at < bytes.length; ) at += readSome(() => write(DESCRIPTOR, bytes, at, bytes.length - at));
    },
    receive() {
      const header = readBytes(HEADER);
      const body = header && readBytes(header.readUInt32BE());
      return body && JSON.parse(body.toString("utf8"));
    },
  };
}

/** A descriptor that does not block says EAGAIN instead: wait and try again. Any other error: the sandbox is gone. */
function readSome(action: () => number): number {
  for (;;) {
    try {
      return action();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return leave();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const exit = process.exit.bind(process);
const leave = (): never => exit(1);
