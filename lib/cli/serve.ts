import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { badInput, describeError, resolveUserPath, ThoughtbookError } from "../core/index.js";
import type { LocalModel } from "../llm/index.js";
import type { RequestRecord } from "../serve/index.js";
import type { Flags } from "./flags.js";
import { LOW_MEMORY_HELP, MEMORY, NUMERICS_HELP, parseNumerics, THREADS, useMemory } from "./memory.js";
import { byteSize, wholeNumber } from "./numbers.js";

const HELP = `
Routes: /v1/models, /v1/chat/completions, /v1/completions (stream, n, seed, stop, logprobs, echo), /health, /tokenize, /detokenize,
/tokenizer_info. A client of OpenAI's API wants http://HOST:PORT/v1 as its base URL, and any API key if this server has none.

A line is written for each request: route, status, time, numbers of tokens, and of a refusal its code, the parameter that it is
about and the path; never prompts, answers or keys.
Ctrl-C lets answers in work end for some seconds; a second one ends them at once.

Environment:
  THOUGHTBOOK_API_KEY   the API key; other users of this machine can read --api-key in the list of processes`;

/** Milliseconds that unfinished answers get after Ctrl-C. */
const GRACE = 10_000;

export function addServeCommand(program: Command): void {
  serveCommand(program).action(serve);
}

const serveCommand = (program: Command) =>
  program
    .command("serve")
    .description("serve language models to clients of OpenAI's API")
    .requiredOption("--model <model...>", "folders of checkpoints, or owner/name of the Hugging Face hub")
    .option("--name <name...>", "what requests call them (default: the folder's name, owner/name)")
    .option("--host <address>", "the address to listen on; one that others can reach needs a key (default: 127.0.0.1)")
    .option("--port <n>", "the port; 0 takes a free one (default: 8000)", wholeNumber)
    .option("--api-key <key>", "what clients must send as Authorization: Bearer KEY")
    .option("--batch-size <n>", "the most texts in work at a time (default: 64)", wholeNumber)
    .option(
      "--max-texts <n>",
      "the most texts in work or waiting; above it the answer is 429 (default: 512)",
      wholeNumber,
    )
    .option("--timeout <seconds>", "the most time an answer may take (default: 600)", wholeNumber)
    .option("--threads <n>", THREADS, wholeNumber)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--numerics <path>", `${NUMERICS_HELP} (default: fast for such files, else exact)`, parseNumerics)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option("--quiet", "write nothing for requests")
    .addHelpText("after", HELP);

async function serve({
  model: specs,
  name: names,
  threads,
  quiet,
  timeout,
  memory,
  numerics,
  lowMemory,
  ...flags
}: Flags<typeof serveCommand>): Promise<void> {
  if (names && names.length !== specs.length) {
    throw badInput(`there are ${specs.length} models and ${names.length} names`, "Give one --name a --model, or none.");
  }
  const ids = names ?? specs.map(defaultName);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) {
    throw badInput(`two models are called ${twice}`, "Give each a --name.");
  }
  useMemory(memory);
  // Imported here so that other commands do not load the engine.
  const { loadLocalModel } = await import("../llm/index.js");
  const { startServer } = await import("../serve/index.js");
  const models: LocalModel[] = [];
  try {
    for (const spec of specs) {
      const session = threads ? { threads } : undefined;
      models.push(await loadLocalModel(spec, { session, numerics: numerics ?? "auto", lowMemory }));
    }
    const server = await startServer(Object.fromEntries(ids.map((id, i) => [id, models[i]!])), {
      ...flags,
      // An empty variable counts as not set.
      apiKey: flags.apiKey ?? (process.env.THOUGHTBOOK_API_KEY || undefined),
      timeout: timeout && timeout * 1000,
      onRequest: quiet ? undefined : (record) => console.error(lineOf(record)),
      onFault: (error) => console.error(placeOf(error)),
    });
    const [first, second] = interruptions();
    console.error(`${ids.join(", ")} at ${server.url}/v1 (Ctrl-C ends it)`);
    await first;
    console.error(`waiting for ${server.active} answers in work, at most ${GRACE / 1000} s (Ctrl-C ends them)`);
    const closed = server.close({ grace: GRACE });
    void second.then(() => server.close({ grace: 0 }));
    await closed;
  } finally {
    for (const model of models) await model.dispose();
  }
  // The listeners for Ctrl-C stay installed.
  process.exit();
}

/** The last part of a folder's path; owner/name of the hub as it is. */
function defaultName(spec: string): string {
  const folder = resolveUserPath(spec);
  return existsSync(folder) ? basename(folder) : spec;
}

/**
 * The first and the second Ctrl-C or termination request. The listeners stay until the process ends: with none in
 * between, a second signal that follows at once would kill it.
 */
function interruptions(): [first: Promise<void>, second: Promise<void>] {
  const waiting: (() => void)[] = [];
  const interruption = () => new Promise<void>((resolve) => waiting.push(resolve));
  const both: [Promise<void>, Promise<void>] = [interruption(), interruption()];
  const next = () => waiting.shift()?.();
  process.on("SIGINT", next).on("SIGTERM", next);
  return both;
}

/** The route in the record of a request without one. */
const NO_ROUTE = "no such route" satisfies RequestRecord["route"];

function lineOf({ method, route, path, status, code, param, aborted, milliseconds, ...record }: RequestRecord): string {
  const { model, promptTokens, completionTokens } = record;
  const tokens = model === undefined ? "" : ` ${model}: ${promptTokens} + ${completionTokens} tokens`;
  const reason = code === undefined ? "" : ` ${code}${param === undefined ? "" : ` (${param})`}`;
  const time = `${new Date().toISOString()} ${method} ${code === undefined && route !== NO_ROUTE ? route : path} ${status}`;
  return `${time}${reason}${aborted ? " (client left)" : ""} ${Math.round(milliseconds)} ms${tokens}`;
}

/** Where an error came from, without its message, which may contain parts of a prompt. */
function placeOf(error: unknown): string {
  if (error instanceof ThoughtbookError && error.code === "execution") return `error: ${describeError(error)}`;
  if (!(error instanceof Error)) return "error: unknown";
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [`error: ${error.name}`, ...frames].join("\n");
}
