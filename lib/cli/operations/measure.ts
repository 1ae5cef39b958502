import { join } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { canonicalJson, resolveUserPath, sha256 } from "../../core/index.js";
import type { Part } from "../../data/index.js";
import type { Estimate } from "../../eval/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, MEMORY, NUMERICS, parseNumerics, THREADS, useMemory } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { byteSize, count, integer, range } from "../numbers.js";
import { resumable } from "../resumable.js";
import { alignedLines, nameOf, percent, percentRange } from "../table.js";
import { addAskingCommand, addTuneCommand } from "./tune.js";

const OUTPUT = `
Each operation is asked for once a problem, greedily. "parsed" are outputs that can be read, "right" those that are right among
all: answers equal to the problem's, graphs equal to its own (each sub-question in one of the wordings of these problems, with
its dependencies), plans equal to its own, questions with the same answer. Programs and functions are not run here. Intervals are Wilson's, at 95 %.

With --task gsm8k the annotated solutions tell what is right: the graph of a decomposition whatever its words ("questions" is the
share of its sub-questions that are questions), numbers that a contracted or rewritten question must keep, plans that compute
nothing, the step at which a solution goes wrong; programs are run.

The folder gets records.jsonl (one line for each output, the same for the same seed), run.json (settings) and at the end
summary.json. Ctrl-C keeps what is finished; the same command goes on from there, and with more --problems (or --limit, which
says the same) it goes on to these. With fewer the folder keeps all its records.`;

export function addOperationsCommand(program: Command): void {
  const operations = program
    .command("operations")
    .description("measure how well a language model does each reasoning operation, and find how it is best asked");
  measureCommand(operations).action((flags: MeasureFlags) => resumable((signal) => measureOperations(flags, signal)));
  addTuneCommand(operations);
  addAskingCommand(operations);
}

const PARTS: readonly Part[] = ["tune", "rest"];

const measureCommand = (operations: Command) =>
  operations
    .command("measure", { isDefault: true })
    .description("measure each operation (what the command does without another word)")
    .requiredOption("--model <model>", MODEL_SPEC)
    .addOption(
      new Option(
        "--task <task>",
        "word-problems, or gsm8k with its annotated solutions (default: word-problems)",
      ).choices(["word-problems", "gsm8k"]),
    )
    .option("--operation <names>", "only these, with commas between them", (text) => text.split(","))
    .option(
      "--asking <kind>",
      'how it is asked: a kind, or a file of "operations tune" (default: by the model\'s name)',
    )
    .addOption(new Option("--problems <n>", "problems for each operation (default: 200)").argParser(count))
    .addOption(new Option("--limit <n>", "the same as --problems").argParser(count).conflicts("problems"))
    .option("--operations <range>", "operations that a problem needs", range, range("2-4"))
    .option("--distractors <range>", "facts that the answer does not need (default: 0)", range)
    .addOption(new Option("--split <split>", "of gsm8k (default: test)").choices(["train", "test"]))
    .addOption(new Option("--part <part>", "of the split of gsm8k (default: all)").choices(PARTS))
    .option("--seed <n>", "which problems", integer, 0)
    .option("--max-new-tokens <n>", "the most tokens of an output", count, 700)
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--memory <size>", MEMORY, byteSize)
    .option(
      "--result-dir <folder>",
      "the folder of the results (default: runs/operations/ and a name for these settings)",
    )
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT);

type MeasureFlags = Flags<typeof measureCommand>;

async function measureOperations(flags: MeasureFlags, signal: AbortSignal): Promise<void> {
  const {
    model: spec,
    operations: difficulty,
    threads,
    numerics,
    memory,
    resultDir,
    batchSize,
    json,
    ...others
  } = flags;
  useMemory(memory);
  const { task, operation, asking, split, part, ...rest } = others;
  const { problems, limit, ...settings } = rest;
  // Imported here so that other commands do not load the engine.
  const { annotatedQuality, operationQuality } = await import("../../eval/index.js");
  const { loadModel } = await import("../../llm/index.js");
  const { askedModel, askingSettings } = await import("../../operations/index.js");
  const { operationNames, annotatedNames } = await import("./names.js");
  const names = task === "gsm8k" ? annotatedNames(operation) : operationNames(operation);
  const opened = await loadModel(spec, { session: threads === undefined ? undefined : { threads }, numerics, signal });
  try {
    const model = await askedModel(opened, { kind: asking, signal });
    const chosen = {
      ...(operation === undefined ? {} : { names }),
      ...(askingSettings(model) ? { asking: askingSettings(model) } : {}),
      ...(task === "gsm8k" ? { task, split, part } : { difficulty }),
    };
    const options = {
      problems: problems ?? limit ?? 200,
      ...settings,
      ...(task === "gsm8k" ? { task } : { difficulty }),
    };
    const modelHash = await model.hash();
    // The number of problems may be raised later, so it does not count.
    const path = numerics === "fast" ? { numerics } : {};
    const key = sha256(canonicalJson({ ...settings, ...chosen, ...path, spec, modelHash })).slice(0, 6);
    const folder = resolveUserPath(resultDir ?? join("runs", "operations", `${nameOf(spec)}_${key}`));
    const common = { problems: options.problems, ...settings, batchSize, folder, signal };
    const results =
      task === "gsm8k"
        ? await annotatedQuality(model, { ...common, operations: annotatedNames(operation), split, part })
        : await operationQuality(model, {
            ...common,
            difficulty,
            ...(operation === undefined ? {} : { operations: operationNames(operation) }),
          });
    if (json) {
      console.log(JSON.stringify({ model: spec, modelHash, ...options, results }));
      return;
    }
    console.log([...alignedLines(tableOf(results)), ...causesOf(results), folder].join("\n"));
  } finally {
    await opened.dispose();
  }
}

/** What a row of the table needs, of either kind of problems. */
interface Row {
  operation: string;
  parsed: Estimate;
  right: Estimate | undefined;
  questions?: Estimate;
  causes?: Readonly<Record<string, number>>;
  tokens: number;
}

/** One line for each operation with causes of failure. */
const causesOf = (results: readonly Row[]): string[] =>
  results.flatMap(({ operation, causes = {} }) => {
    const told = Object.entries(causes).map(([cause, count]) => `${cause} ${count}`);
    return told.length === 0 ? [] : [`${operation}: ${told.join(", ")}`];
  });

function tableOf(results: readonly Row[]): string[][] {
  const cells = (estimate: Estimate | undefined) =>
    estimate?.interval ? [percent(estimate.value), percentRange(estimate.interval)] : ["", ""];
  const withQuestions = results.some(({ questions }) => questions !== undefined);
  return [
    ["operation", "parsed", "95 %", "right", "95 %", ...(withQuestions ? ["questions"] : []), "tokens"],
    ...results.map(({ operation, parsed, right, questions, tokens }) => [
      operation,
      ...cells(parsed),
      ...cells(right),
      ...(withQuestions ? [questions ? percent(questions.value) : ""] : []),
      tokens.toFixed(1),
    ]),
  ];
}
