import { randomUUID } from "node:crypto";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileSystemError } from "./errors.js";

const POLL_MS = 100;
const HEARTBEAT_MS = 5_000;
const SILENT_MS = 60_000;

/**
 * Wait until no other process holds the lock file, then create it. It names its owner, so that the lock of a killed
 * process is recognised and taken over.
 *
 * @returns a function that releases the lock
 * @throws file-system if the file cannot be created; the signal's AbortError
 */
export async function acquireLock(file: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  const owner = `${hostname()} ${process.pid} ${randomUUID()}`;
  while (!(await create(file, owner))) {
    await removeIfAbandoned(file);
    await sleep(POLL_MS, undefined, { signal });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {}); // A missed heartbeat does no harm.
  }, HEARTBEAT_MS).unref();
  return async () => {
    clearInterval(heartbeat);
    if ((await readOwner(file)) === owner) await rm(file, { force: true });
  };
}

async function create(file: string, owner: string): Promise<boolean> {
  try {
    await writeFile(file, owner, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fileSystemError(error, "write", file);
  }
}

async function removeIfAbandoned(file: string): Promise<void> {
  if (!(await isAbandoned(file))) return;
  // One process at a time may remove it, and checks again first: it could be the new lock of a faster process.
  const guard = `${file}.guard`;
  if (await isSilent(guard)) await rm(guard, { force: true }); // Left by a process that was killed at this point.
  if (!(await create(guard, ""))) return;
  if (await isAbandoned(file)) await rm(file, { force: true });
  await rm(guard, { force: true });
}

async function isAbandoned(file: string): Promise<boolean> {
  const owner = await readOwner(file);
  return owner !== undefined && (isDead(owner) || (await isSilent(file)));
}

async function readOwner(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

/** Whether the owner was a process of this machine that has ended. */
function isDead(owner: string): boolean {
  const [host, pid] = owner.split(" ");
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0); // Signal 0 only asks whether the process is there.
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Whether the heartbeat stopped: the owner ran on another machine, or its process id was reused. */
async function isSilent(file: string): Promise<boolean> {
  const modified = await stat(file).then(({ mtimeMs }) => mtimeMs, Date.now);
  return Date.now() - modified > SILENT_MS;
}
