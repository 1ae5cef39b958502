import { join } from "node:path";
import { type Command, Option } from "commander";
import { canonicalJson, resolveUserPath, sha256, ThoughtbookError } from "../core/index.js";
import type { AnswerOperation, EvaluationSummary, Measures } from "../eval/index.js";
import { MODEL_SPEC } from "./models.js";
import { count, decimal, integer, range } from "./numbers.js";

const OUTPUT = `
Tasks: word-problems:4, word-problems:2-6 (each number of operations in turn), or any data set of "thoughtbook data list" but
those that need Python.

The folder gets records.jsonl (one line for each problem, sample and budget, the same for the same seed), run.json (settings)
and summary.json. Ctrl-C keeps what is finished; the same command goes on from there.

Accuracy is told under each policy that applies (see "thoughtbook grade"). Under strict a text that the budget cut off has
no final answer; the others grade it as it stands, as the released systems do: for astar its last number counts.
ACU is 100 x accuracy in percent / mean tokens of a text; in the table under astar where it applies, else strict. Intervals are Wilson's, at 95 %.`;

interface EvaluateFlags {
  model: string;
  task: string;
  operation: AnswerOperation;
  budget?: number[];
  n?: number;
  temperature: number;
  topP?: number;
  topK?: number;
  seed: number;
  limit?: number;
  split?: string;
  distractors?: [number, number];
  problemSeed?: number;
  path?: string;
  batchSize?: number;
  threads?: number;
  resultDir?: string;
  json?: true;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command("evaluate")
    .description("measure how well a language model solves problems: accuracy, length, ACU, pass@k")
    .requiredOption("--model <model>", MODEL_SPEC)
    .requiredOption("--task <task>", "word-problems:OPERATIONS or the name of a data set")
    .addOption(
      new Option("--operation <name>", "what the model is asked to do")
        .choices(["cot", "think", "answer"])
        .default("cot"),
    )
    .option("--budget <tokens...>", "the most new tokens, several for a curve (default: 256)", budgets)
    .option("--n <n>", "texts for each problem (default: 1)", count)
    .option("--temperature <t>", "divide the logits by it; 0 is greedy", decimal, 0)
    .option("--top-p <p>", "choose among the fewest tokens with this probability together", decimal)
    .option("--top-k <k>", "choose among so many best tokens", count)
    .option("--seed <n>", "where the random numbers of the texts come from", integer, 0)
    .option("--limit <n>", "the most problems (default: 1000 word problems, all of a data set)", count)
    .option("--split <split>", "which split (default: test)")
    .option("--distractors <range>", "facts of word problems that the answer does not need (default: 0)", range)
    .option("--problem-seed <n>", "which word problems (default: 0)", integer)
    .option("--path <file>", "the file of the data set")
    .option("--batch-size <n>", "the most texts in work at a time (default: the model's choice)", count)
    .option("--threads <n>", "threads inside an operator (default: the processors)", count)
    .option(
      "--result-dir <folder>",
      "the folder of the results (default: runs/evaluate/ and a name for these settings)",
    )
    .option("--json", "print the summary as one JSON object")
    .addHelpText("after", OUTPUT)
    .action(evaluateModelOnTask);
}

async function evaluateModelOnTask({
  model: spec,
  task: taskName,
  budget,
  n,
  limit,
  split,
  distractors,
  problemSeed,
  path,
  threads,
  resultDir,
  json,
  ...options
}: EvaluateFlags): Promise<void> {
  const stop = new AbortController();
  // The first Ctrl-C keeps what is finished, a second one ends the process at once.
  const interrupt = () => stop.abort(new Error("Ctrl-C"));
  process.once("SIGINT", interrupt);
  try {
    const { signal } = stop;
    // Here, so that other commands need not load the engine.
    const { evaluateModel, loadTask } = await import("../eval/index.js");
    const { loadModel } = await import("../llm/index.js");
    const file = path === undefined ? undefined : resolveUserPath(path);
    const task = await loadTask(taskName, { limit, split, distractors, seed: problemSeed, path: file, signal });
    const session = threads === undefined ? undefined : { threads };
    const model = await loadModel(spec, { signal, session });
    try {
      const settings = { ...options, budgets: budget ?? [256], samples: n ?? 1 };
      const { batchSize: _, ...decisive } = settings;
      const key = sha256(canonicalJson({ ...decisive, spec, task: task.settings, hash: await model.hash() })).slice(
        0,
        6,
      );
      const folder = resolveUserPath(
        resultDir ?? join("runs", "evaluate", `${nameOf(spec)}_${nameOf(taskName)}_${key}`),
      );
      const { summary } = await evaluateModel(model, task, { ...settings, folder, signal });
      if (json) console.log(JSON.stringify(summary));
      else console.log(`${readable(summary)}\n${folder}`);
    } finally {
      await model.dispose();
    }
  } catch (error) {
    if (!(error instanceof ThoughtbookError) || error.code !== "interrupted") throw error;
    process.exitCode = 130; // What shells expect of Ctrl-C.
    throw new ThoughtbookError("interrupted", error.message, {
      hint: "The same command goes on from there.",
      cause: error,
    });
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** The last part of a path, an address or a name, as a part of a folder's name. */
const nameOf = (text: string): string =>
  (text.split(/[/\\#]/).findLast((part) => part !== "") ?? "").replace(/[^\w.-]+/g, "-");

const HEADER = ["budget", "operations", "problems", "finished", "tokens", "strict", "95 %", "astar", "95 %", "ACU"];

function readable(summary: EvaluationSummary): string {
  const { budgets: all, problems, leftOut, parameterCount } = summary;
  const several = all[0]!.samples > 1;
  const header = [...HEADER, ...(several ? [`pass@${all[0]!.samples}`, "majority"] : [])];
  const rows = all.flatMap(({ budget, byOperations = [], ...measures }) => {
    const levels = byOperations.length > 1 ? byOperations : [];
    return [
      [String(budget), levels.length > 0 ? "all" : "", ...cells(measures, several)],
      ...levels.map(({ operations, ...each }) => ["", String(operations), ...cells(each, several)]),
    ];
  });
  // A column that says nothing, such as the operations of GSM8K, is left out.
  const shown = header.map((_, column) => rows.some((row) => row[column] !== ""));
  const table = [header, ...rows].map((row) => row.filter((_, column) => shown[column]));
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join("  "));
  const { calls, promptTokens, completionTokens } = all.at(-1)!;
  const notes = [
    `${rounded(calls)} calls, ${rounded(promptTokens)} tokens in and ${rounded(completionTokens)} out a question at budget ${all.at(-1)!.budget}`,
    ...all
      .filter(({ finishRate }) => finishRate.value === 0)
      .map(({ budget }) => `No text ended by itself at budget ${budget}: its length is the budget's.`),
    ...(all[0]!.tooLong > 0 ? [`${all[0]!.tooLong} prompts were too long for the model; they count as wrong.`] : []),
    ...(leftOut > 0 ? [`${leftOut} rows of the data set gave no problem.`] : []),
  ];
  const size = parameterCount === undefined ? "" : `, ${(parameterCount / 1e6).toPrecision(3)} M parameters`;
  const title = `${summary.model}${size}: ${problems.toLocaleString("en-US")} problems of ${summary.task}, ${summary.operation}`;
  return [title, ...lines, ...notes].join("\n");
}

function cells(
  { problems, finishRate, length, accuracy, acu, passAtK, majority }: Measures,
  several: boolean,
): string[] {
  const shareOf = (policy: "strict" | "astar"): [string, string] => {
    const { value, interval } = accuracy[policy] ?? {};
    return value === undefined || !interval
      ? ["", ""]
      : [percent(value), `${percent(interval[0])} – ${percent(interval[1])}`];
  };
  const counted = acu.astar ?? acu.strict;
  return [
    String(problems),
    `${percent(finishRate.value)} %`,
    length === undefined ? "" : length.value.toFixed(1),
    ...shareOf("strict"),
    ...shareOf("astar"),
    counted === undefined ? "" : counted.toFixed(2),
    ...(several ? [percent(passAtK?.at(-1)?.strict ?? Number.NaN), percent(majority?.value ?? Number.NaN)] : []),
  ];
}

const percent = (share: number): string => (100 * share).toFixed(1);
const rounded = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

/** One value of an option that takes several; commas separate as well as spaces do. */
function budgets(text: string, earlier: number[] = []): number[] {
  return [...earlier, ...text.split(",").map((part) => count(part.trim()))];
}
