import type { Command } from "commander";
import { MODEL_SPEC } from "./models.js";
import { count, integer, range } from "./numbers.js";
import { alignedLines, percent, percentRange } from "./table.js";

const OUTPUT = `
Each operation is asked for once a problem, greedily. "parsed" are outputs that can be read, "right" those that are right among
all: answers equal to the problem's, graphs equal to its own (each sub-question in one of the wordings of these problems, with
its dependencies), plans equal to its own, questions with the same answer. Programs and functions are not run here. Intervals are Wilson's, at 95 %.`;

interface OperationsFlags {
  model: string;
  problems: number;
  operations: [number, number];
  distractors?: [number, number];
  seed: number;
  maxNewTokens: number;
  threads?: number;
  json?: true;
}

export function addOperationsCommand(program: Command): void {
  program
    .command("operations")
    .description("measure how well a language model does each reasoning operation on word problems")
    .requiredOption("--model <model>", MODEL_SPEC)
    .option("--problems <n>", "problems for each operation", count, 200)
    .option("--operations <range>", "operations that a problem needs", range, [2, 4])
    .option("--distractors <range>", "facts that the answer does not need (default: 0)", range)
    .option("--seed <n>", "which problems", integer, 0)
    .option("--max-new-tokens <n>", "the most tokens of an output", count, 700)
    .option("--threads <n>", "threads inside an operator (default: the processors)", count)
    .option("--json", "print one JSON object")
    .addHelpText("after", OUTPUT)
    .action(measureOperations);
}

async function measureOperations({ model: spec, operations: difficulty, threads, json, ...options }: OperationsFlags) {
  // Here, so that other commands need not load the engine.
  const { operationQuality } = await import("../eval/index.js");
  const { loadModel } = await import("../llm/index.js");
  const model = await loadModel(spec, { session: threads === undefined ? undefined : { threads } });
  try {
    const results = await operationQuality(model, { ...options, difficulty });
    if (json) {
      console.log(JSON.stringify({ model: spec, modelHash: await model.hash(), ...options, difficulty, results }));
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
    console.log(alignedLines(table).join("\n"));
  } finally {
    await model.dispose();
  }
}
