import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { LoadModelOptions } from "../../llm/index.js";
import { BATCH_SIZE, NUMERICS, parseNumerics, THREADS } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { count } from "../numbers.js";

/** vLLM's port, as the released code takes it. */
const PORT = 8000;

/** The specification of a model, on a server if a host is given: "localhost", "localhost:8080", "https://api.openai.com/v1". */
export function specOf(model: string, host: string | undefined): string {
  if (host === undefined) return model;
  if (/^https?:\/\//.test(host)) return `${host.replace(/\/+$/, "")}#${model}`;
  return `http://${/:\d+$/.test(host) ? host : `${host}:${PORT}`}/v1#${model}`;
}

/** Options of a command that asks a model. */
export const withModel = (command: Command) =>
  command
    .option("--api-model <model>", `${MODEL_SPEC}; a name on the server where there is a --host`, "mini")
    .option("--host <host>", "a server compatible with OpenAI's: localhost, host:port or an address (default: none)")
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--numerics <path>", NUMERICS, parseNumerics);

/** Load a model without memory kept for each shape of batch. */
export async function openModel(
  {
    apiModel,
    host,
    threads,
    numerics,
  }: {
    apiModel: string;
    host?: string | undefined;
    threads?: number | undefined;
    numerics?: LoadModelOptions["numerics"];
  },
  signal: AbortSignal,
) {
  // Imported here so that other commands do not load the engine.
  const { loadModel } = await import("../../llm/index.js");
  return loadModel(specOf(apiModel, host), {
    signal,
    session: { arena: false, ...(threads ? { threads } : {}) },
    numerics,
  });
}

/** Folder of the attempts behind a file: F.jsonl has F.run. */
export const runFolderOf = (file: string): string => `${resolveUserPath(file).replace(/\.jsonl?$/, "")}.run`;
