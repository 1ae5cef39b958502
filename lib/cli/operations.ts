import { join } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { canonicalJson, resolveUserPath, sha256 } from "../core/index.js";
import type { Flags } from "./flags.js";
import { MEMORY, useMemory } from "./memory.js";
import { MODEL_SPEC } from "./models.js";
import { byteSize, count, integer, range } from "./numbers.js";
import { resumable } from "./resumable.js";
import { alignedLines, nameOf, percent, percentRange } from "./table.js";

const OUTPUT = `
Each operation is asked for once a problem, greedily. "parsed" are outputs that can be read, "right" those that are right among
all: answers equal to the problem's, graphs equal to its own (each sub-question in one of the wordings of these problems, with
its dependencies), plans equal to its own, questions with the same answer. Programs and functions are not run here. Intervals are Wilson's, at 95 %.

The folder gets records.jsonl (one line for each output, the same for the same seed), run.json (settings) and at the end
summary.json. Ctrl-C keeps what is finished; the same command goes on from there, and with more --problems (or --limit, which
says the same) it goes on to these. With fewer the folder keeps all its records.`;

export function addOperationsCommand(program: Command): void {
  operationsCommand(program).action((flags: Flags<typeof operationsCommand>) =>
    resumable("The same command goes on from there.", (signal) => measureOperations(flags, signal)),
  );
}

const operationsCommand = (program: Command) =>
  program
    .command("operations")
    .description("measure how well a language model does each reasoning operation on word problems")
    .requiredOption("--model <model>", MODEL_SPEC)
    .addOption(new Option("--problems <n>", "problems for each operation (default: 200)").argParser(count))
    .addOption(new Option("--limit <n>", "the same as --problems").argParser(count).conflicts("problems"))
    .option("--operations <range>", "operations that a problem needs", range, range("2-4"))
    .option("--distractors <range>", "facts that the answer does not need (default: 0)", range)
    .option("--seed <n>", "which problems", integer, 0)
    .option("--max-new-tokens <n>", "the most tokens of an output", count, 700)
    .option("--batch-size <n>", "the most texts in work at a time (default: the model's choice)", count)
    .option("--threads <n>", "threads inside an operator (default: the processors)", count)
    .option("--memory <size>", MEMORY, byteSize)
    .option(
      "--result-dir <folder>",
      "the folder of the results (default: runs/operations/ and a name for these settings)",
    )
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT);

async function measureOperations(flags: Flags<typeof operationsCommand>, signal: AbortSignal): Promise<void> {
  const { model: spec, operations: difficulty, threads, memory, resultDir, batchSize, json, ...rest } = flags;
  const { problems, limit, ...settings } = rest;
  useMemory(memory);
  // Imported here so that other commands do not load the engine.
  const { operationQuality } = await import("../eval/index.js");
  const { loadModel } = await import("../llm/index.js");
  const model = await loadModel(spec, { session: threads === undefined ? undefined : { threads }, signal });
  try {
    const options = { problems: problems ?? limit ?? 200, ...settings, difficulty };
    const modelHash = await model.hash();
    // The number of problems may be raised later, so it does not count.
    const key = sha256(canonicalJson({ ...settings, difficulty, spec, modelHash })).slice(0, 6);
    const folder = resolveUserPath(resultDir ?? join("runs", "operations", `${nameOf(spec)}_${key}`));
    const results = await operationQuality(model, { ...options, batchSize, folder, signal });
    if (json) {
      console.log(JSON.stringify({ model: spec, modelHash, ...options, results }));
      return;
    }
    const cells = (estimate: (typeof results)[number]["parsed"] | undefined) =>
      estimate?.interval ? [percent(estimate.value), percentRange(estimate.interval)] : ["", ""];
    const table = [
      ["operation", "parsed", "95 %", "right", "95 %", "tokens"],
      ...results.map(({ operation, parsed, right, tokens }) => [
        operation,
        ...cells(parsed),
        ...cells(right),
        tokens.toFixed(1),
      ]),
    ];
    console.log(`${alignedLines(table).join("\n")}\n${folder}`);
  } finally {
    await model.dispose();
  }
}
