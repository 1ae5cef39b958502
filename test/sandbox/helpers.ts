import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Interpreters that a process has started and that are still there. */
export function interpretersOf(parent: number): number[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, after] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
        const isOurs = Number(after!.split(" ")[1]) === parent && !after!.startsWith("Z");
        return isOurs && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("sandbox");
      } catch {
        return false;
      }
    })
    .map(Number);
}
