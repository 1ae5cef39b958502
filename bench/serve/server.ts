import { spawn } from "node:child_process";
import { join } from "node:path";
import { projectFolder, ThoughtbookError } from "thoughtbook/core";

export interface RunningServer {
  /** The base URL for clients. */
  url: string;
  pid: number;
  close(): Promise<void>;
}

/** Start `thoughtbook serve` in a process of its own. */
export async function startServe(
  model: string,
  threads: number,
  options: readonly string[] = [],
): Promise<RunningServer> {
  const bin = join(projectFolder(), "lib", "bin.mjs");
  const flags = [
    "--model",
    model,
    "--name",
    "bench",
    "--port",
    "0",
    "--threads",
    String(threads),
    "--quiet",
    ...options,
  ];
  const child = spawn(process.execPath, [bin, "serve", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let log = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      const found = / at (http:\S+)/.exec(log);
      if (found) resolve(found[1]!);
    });
    void ended.then(() => reject(new ThoughtbookError("execution", `the server ended: ${log.trim()}`)));
  });
  return {
    url,
    pid: child.pid!,
    async close() {
      child.kill("SIGTERM");
      await ended;
      process.off("exit", end);
    },
  };
}
