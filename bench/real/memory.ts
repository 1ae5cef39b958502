import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** MiB that a process has in memory, from the text of Linux's /proc/PID/status; undefined where it does not say. */
export function residentOf(status: string): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** MiB that a process has in memory now; undefined where the system does not tell, or the process has ended. */
export async function residentMegabytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return residentOf(status);
}

const EVERY_MILLISECONDS = 50;

/** The most memory that a process has while some work is done, in MiB; undefined where the system does not tell. */
export async function peakDuring<T>(pid: number, work: () => Promise<T>): Promise<{ result: T; megabytes?: number }> {
  let isDone = false;
  let peak: number | undefined;
  const watching = (async () => {
    while (!isDone) {
      const now = await residentMegabytes(pid);
      if (now !== undefined) peak = Math.max(peak ?? 0, now);
      await sleep(EVERY_MILLISECONDS);
    }
  })();
  try {
    const result = await work();
    return { result, ...(peak === undefined ? {} : { megabytes: peak }) };
  } finally {
    isDone = true;
    await watching;
  }
}
