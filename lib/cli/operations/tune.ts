import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { TriedWay } from "../../eval/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, NUMERICS, parseNumerics, THREADS } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { count, integer } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, percent, percentRange } from "../table.js";

const OUTPUT = `
Ways of asking (data/operations/candidates.json, or a file of your own like it) are asked on the same problems, by successive
halving: all of them on --problems, the better half on twice as many, and so on. Success is an output that is right, or one that
can be read where nothing tells what is right. Problems are those of the part "tune" alone: a third of GSM8K's training split, from
which no worked example is made, and a third of the only split of multiarith and others, which then must not be evaluated
(--part rest leaves it out).

The folder gets records.jsonl (one line for each output), run.json, and asking.json: the chosen ways with the table of all that were
tried, as evaluate --asking takes it. Ctrl-C keeps what is finished; the same command goes on from there, with more problems too.`;

const list = (text: string): string[] => text.split(",").map((part) => part.trim());

const tuneCommand = (operations: Command) =>
  operations
    .command("tune")
    .description("find how a model is best asked for each operation, on training problems")
    .requiredOption("--model <model>", MODEL_SPEC)
    .option("--task <tasks>", "data sets to tune on, with commas between them", list, ["gsm8k"])
    .option("--operation <names>", "operations to tune, with commas between them (default: all)", list)
    .option("--candidates <file>", "the ways to try (default: data/operations/candidates.json)")
    .option("--problems <n>", "problems on which every way is asked", count, 24)
    .option("--seed <n>", "which problems", integer, 0)
    .option("--max-new-tokens <n>", "the most tokens of an output", count, 320)
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .requiredOption("--out <folder>", "the folder of what was tried and chosen")
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT);

export function addTuneCommand(operations: Command): void {
  tuneCommand(operations).action((flags: Flags<typeof tuneCommand>) => resumable((signal) => tune(flags, signal)));
}

async function tune(flags: Flags<typeof tuneCommand>, signal: AbortSignal): Promise<void> {
  const { model: spec, task: tasks, operation, candidates, threads, numerics, out, json, ...options } = flags;
  // Imported here so that other commands do not load the engine.
  const { readCandidates, tuneOperations } = await import("../../eval/index.js");
  const { loadModel } = await import("../../llm/index.js");
  const { annotatedNames } = await import("./names.js");
  const operations = operation === undefined ? undefined : annotatedNames(operation);
  const ways = await readCandidates(candidates === undefined ? undefined : resolveUserPath(candidates));
  const model = await loadModel(spec, { session: threads === undefined ? undefined : { threads }, numerics, signal });
  try {
    const folder = resolveUserPath(out);
    const { kind, tried } = await tuneOperations(model, {
      ...options,
      operations,
      candidates: ways,
      tasks,
      folder,
      signal,
    });
    if (json) console.log(JSON.stringify(kind));
    else console.log(`${alignedLines([HEAD, ...tried.map(row)]).join("\n")}\n${folder}/asking.json`);
  } finally {
    await model.dispose();
  }
}

const HEAD = ["operation", "way", "problems", "right %", "95 %", "parsed %", "finished %", "tokens", "prompt", ""];

const row = (way: TriedWay): string[] => [
  way.operation,
  way.arm,
  String(way.problems),
  percent(way.successes / way.problems),
  percentRange(way.interval),
  percent(way.parsed),
  percent(way.finished),
  way.tokens.toFixed(0),
  way.promptTokens.toFixed(0),
  way.chosen ? "chosen" : "",
];

const askingCommand = (operations: Command) =>
  operations
    .command("asking")
    .description("show how a model is asked: the prompt of each operation, with an example")
    .option("--model <name>", "the name of a model; nothing is loaded (default: one that no kind names)")
    .option("--asking <kind>", 'another kind, or a file of "operations tune"')
    .option("--operation <names>", "only these, with commas between them", list)
    .option("--json", "print the kind as one JSON object");

export function addAskingCommand(operations: Command): void {
  askingCommand(operations).action(showAsking);
}

async function showAsking({
  model: name = "model",
  asking,
  operation,
  json,
}: Flags<typeof askingCommand>): Promise<void> {
  const { askingTable, kindOf, readKind, shownPrompts } = await import("../../operations/index.js");
  const { operationNames } = await import("./names.js");
  const names = operationNames(operation);
  const kind = asking === undefined ? kindOf({ name, knowsTags: false }) : await readKind(asking);
  if (json) {
    console.log(JSON.stringify(kind));
    return;
  }
  console.log(
    `kind ${kind.name}; there are ${askingTable()
      .map((each) => each.name)
      .join(", ")}`,
  );
  for (const { operation: each, text } of await shownPrompts(kind, names)) console.log(`\n=== ${each}\n${text}`);
}
