import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { badInput, fileSystemError, listenForInterrupt, resolveUserPath } from "../core/index.js";
import { LANGUAGES, type Language, openSandbox } from "../sandbox/index.js";
import type { Flags } from "./flags.js";
import { count } from "./numbers.js";

const OUTPUT = `
Without --json the program's output goes to stdout and stderr, and why it failed to stderr. With --json one object:
  ok            it ended by itself, without an error
  stdout        what it printed, as far as it was within the limit of 1,000,000 bytes
  stderr        likewise, with the error as its language tells it
  error         null, or kind and message; kinds: timeout, memory, output, error (the program's own) and
                forbidden (it failed because it tried a file, the network, a process or its host)
  milliseconds  wall time of the program, without the start of its interpreter

The exit code is 0 where ok is true, else 1. Programs have no files, no network, no environment and no processes.`;

export function addSandboxCommand(program: Command): void {
  sandboxCommand(program).action(runFile);
}

const sandboxCommand = (program: Command) =>
  program
    .command("sandbox")
    .description("run a program that nobody has read, in WebAssembly in a process of its own")
    .argument("<file>", "the program")
    .addOption(
      new Option("--language <language>", "of the program; from the file's name unless given").choices(LANGUAGES),
    )
    .option("--time-limit-ms <ms>", "wall time", count, 2000)
    .option("--memory-mb <MB>", "memory of the program and its interpreter", count, 256)
    .option("--stdin <text>", "what the program reads")
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT);

async function runFile(file: string, flags: Flags<typeof sandboxCommand>): Promise<void> {
  const { timeLimitMs, memoryMb, stdin, json } = flags;
  const path = resolveUserPath(file);
  const language = flags.language ?? languageOf(path);
  const code = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileSystemError(error, "read", path);
  });
  const { signal, stop } = listenForInterrupt();
  const sandbox = openSandbox({ languages: [language], timeLimitMs, memoryMb, workers: 1, signal });
  try {
    const { ok, stdout, stderr, error, milliseconds } = await sandbox.run({ language, code, stdin });
    if (json) console.log(JSON.stringify({ ok, stdout, stderr, error, milliseconds }));
    else {
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      if (error) console.error(`${error.kind}: ${error.message}`);
    }
    if (!ok) process.exitCode = 1;
  } finally {
    stop();
    await sandbox.close();
  }
}

const ENDINGS: Record<string, Language> = {
  ".py": "python",
  ".js": "javascript",
  ".mjs": "javascript",
  ".cjs": "javascript",
};

function languageOf(path: string): Language {
  const language = ENDINGS[extname(path).toLowerCase()];
  if (language) return language;
  throw badInput(`the language of ${path} is not plain from its name`, `Give --language: ${LANGUAGES.join(" or ")}.`);
}
