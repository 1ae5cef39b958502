import type { Command } from "@commander-js/extra-typings";
import { startProgress, ThoughtbookError } from "../core/index.js";
import type { Finding, ModelReport } from "../llm/index.js";
import type { Flags } from "./flags.js";
import { LOW_MEMORY_HELP, NUMERICS, parseNumerics } from "./memory.js";
import { count } from "./numbers.js";
import { abortable } from "./resumable.js";

/** What a model argument may be. */
export const MODEL_SPEC =
  "mini (embedded), folder of a checkpoint or of ONNX files, GGUF file, or owner/name or owner/name:FILE.gguf of the Hugging Face hub; onnx:MODEL#q4 for ONNX weights of a type; http://host:port/v1#name";

const OUTPUT = `
A model is given as
  mini, mini-base, mini-scorer     the models that this repository trained, in its data/models
  FOLDER or owner/name[@revision]  weights in safetensors, or else in ONNX; of the hub, downloaded once
  FILE.gguf                        a file of llama.cpp, Ollama or LM Studio (llama, qwen2, qwen3, gpt2), also with other endings
  owner/name[@revision]:FILE.gguf  one of the hub, downloaded once; owner/name:Q4_K_M by the type of its weights
  onnx:MODEL                       ONNX weights, run by transformers.js
  onnx:MODEL#q4                    of this type: fp32, fp16, q8, q4, …; onnx:MODEL#q4,webgpu on this device
  http://host:port/v1#name         on a server that is compatible with OpenAI's; several addresses have commas between them
It ends with an error if something fails that the model says it can do.

With --json one object: name, engine, parameterCount, contextLength, hash, capabilities (for each a status: works,
fails with a reason, absent, or untried), generation (batchSize and tokensPerSecond), scoring (tokensPerSecond).`;

const LISTED = `
The embedded models, and those in the cache of the Hugging Face hub (HF_HUB_CACHE, HF_HOME) that were downloaded before. The
size is of all files of a model, in the cache with all its revisions; parameters are told of those that this library's
engine runs. Another model is a folder, owner/name of the hub, or a server: see "thoughtbook models check --help".

With --json an array of objects: name, place (embedded or cache), folder, bytes, weights, parameters, revisions.`;

export function addModelCommands(program: Command): void {
  const models = program.command("models").description("language models");
  models
    .command("list")
    .description("list the models that are on this machine, with their sizes")
    .option("--json", "print one JSON array")
    .addHelpText("after", LISTED)
    .action(list);
  checkCommand(models).action(check);
}

const checkCommand = (models: Command) =>
  models
    .command("check")
    .description("try what a model can do, with tiny requests, and measure how fast it is here")
    .argument("<model>", MODEL_SPEC)
    .option("--batch <n>", "texts at a time in the second measurement (default: 8)", count)
    .option("--seconds <n>", "about how long each measurement takes (default: 3)", count)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT);

async function list({ json }: { json?: true }): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { listModels } = await import("../model/index.js");
  const models = await listModels();
  if (json) {
    console.log(JSON.stringify(models));
    return;
  }
  const rows = [
    ["model", "place", "weights", "parameters", "MB", "revisions"],
    ...models.map(({ name, place, weights, parameters, bytes, revisions = [] }) => [
      name,
      place,
      weights.join(", ") || "none yet",
      parameters === undefined ? "" : `${(parameters / 1e6).toLocaleString("en-US", { maximumFractionDigits: 2 })} M`,
      (bytes / 1e6).toFixed(1),
      revisions.map((revision) => revision.replace(/^([0-9a-f]{8})[0-9a-f]{32}$/, "$1…")).join(", "),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isNumber = (column: number) => column === 3 || column === 4;
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  console.log(lines.join("\n"));
}

function check(spec: string, { batch, seconds, json, numerics, lowMemory }: Flags<typeof checkCommand>): Promise<void> {
  return abortable(async (signal) => {
    // Here, so that other commands need not load the engine.
    const { checkModel, loadModel } = await import("../llm/index.js");
    const model = await loadModel(spec, { signal, numerics, lowMemory });
    const progress = startProgress(`Checking ${spec}`);
    let steps = 0;
    try {
      const onStep = (step: string) => progress.update(++steps, step);
      const report = await checkModel(model, { batchSize: batch, seconds, signal, onStep });
      progress.succeed("done");
      console.log(json ? JSON.stringify(report) : readable(report));
      const failed = Object.entries(report.capabilities).filter(([, { status }]) => status === "fails");
      if (failed.length > 0) {
        throw new ThoughtbookError("execution", `${spec} fails at ${failed.map(([name]) => name).join(", ")}`);
      }
    } catch (error) {
      progress.fail();
      throw error;
    } finally {
      await model.dispose();
    }
  });
}

function readable({ capabilities, generation, scoring, ...report }: ModelReport): string {
  const rows: [string, string][] = [
    ["model", report.name],
    ["engine", report.engine ?? "unknown"],
    ["parameters", grouped(report.parameterCount)],
    ["context", report.contextLength === undefined ? "unknown" : `${grouped(report.contextLength)} tokens`],
    ["hash", report.hash ?? "unknown"],
    ...Object.entries(capabilities).map(([name, finding]): [string, string] => [name, wordsOf(finding)]),
    ...generation.map(({ batchSize, tokensPerSecond }): [string, string] => [
      `generate, ${batchSize} at a time`,
      rate(tokensPerSecond),
    ]),
    ["score", scoring === undefined ? "not measured" : rate(scoring.tokensPerSecond)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join("\n");
}

function wordsOf({ status, reason }: Finding): string {
  if (status === "absent") return "no";
  if (status === "untried") return "yes, not tried";
  return status === "works" ? "works" : `fails: ${reason}`;
}

const grouped = (count: number | undefined): string => count?.toLocaleString("en-US") ?? "unknown";

const rate = (tokensPerSecond: number): string =>
  `${tokensPerSecond.toLocaleString("en-US", { maximumSignificantDigits: 3 })} tokens/s`;
