import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { ThoughtbookError } from "thoughtbook/core";

const MAXIMUM_SECONDS = 120;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new ThoughtbookError("execution", "no port is free");
  return address.port;
}

/** Seconds from the start of llama-server until it has given the first token after a short prompt. */
export async function llamaServerOpens(folder: string, file: string, threads: number): Promise<number> {
  const port = await freePort();
  const start = performance.now();
  const given = ["-m", file, "--port", String(port), "-t", String(threads), "-c", "2048", "-np", "1"];
  const child = spawn(join(folder, "llama-server"), given, { stdio: "ignore" });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  let problem: string | undefined;
  child.once("error", ({ message }) => {
    problem = message;
  });
  child.once("exit", (code) => {
    problem ??= `ended with ${code}`;
  });
  const body = JSON.stringify({ prompt: "1 + 1 =", max_tokens: 1 });
  try {
    while (problem === undefined && performance.now() - start < MAXIMUM_SECONDS * 1000) {
      const url = `http://127.0.0.1:${port}/v1/completions`;
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
      await response?.text();
      if (response?.ok) return (performance.now() - start) / 1000;
      await sleep(20);
    }
    throw new ThoughtbookError("execution", `llama-server ${problem ?? `was not ready in ${MAXIMUM_SECONDS} s`}`);
  } finally {
    end();
    process.off("exit", end);
  }
}
