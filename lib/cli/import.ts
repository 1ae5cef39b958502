import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath, ThoughtbookError } from "../core/index.js";
import type { Flags } from "./flags.js";
import { count } from "./numbers.js";

export function addImportCommand(program: Command): void {
  const imports = program.command("import").description("take answers and results of other programs");
  batchCommand(imports).action((files, flags) => takeBatch(files, flags));
  resultsCommand(imports).action((file, flags) => takeResults(file, flags));
}

const batchCommand = (imports: Command) =>
  imports
    .command("batch")
    .description("take the answers of a batch: see thoughtbook export batch")
    .argument("<answers.jsonl...>", "output files of OpenAI's Batch API or of vllm run-batch")
    .requiredOption("--requests <folder>", "the folder of a model batch:FOLDER#NAME");

async function takeBatch(files: string[], { requests }: { requests: string }): Promise<void> {
  const { importBatch } = await import("../llm/index.js");
  const found = await importBatch(resolveUserPath(requests), files.map(resolveUserPath));
  const remarks = [
    [found.known, "there before"],
    [found.foreign, "never asked for"],
    [found.failed, "failed"],
  ] as const;
  const told = remarks.filter(([number]) => number > 0).map(([number, what]) => `, ${number} ${what}`);
  console.log(`${found.added} answers taken${told.join("")}; ${found.waiting} requests wait`);
  for (const reason of found.reasons) console.error(`note: ${reason}`);
  if (found.added === 0 && found.waiting > 0) {
    throw new ThoughtbookError("bad-input", "none of the answers is to a request that waits", {
      hint: "Are these the files of this folder's requests?",
    });
  }
}

const RESULTS = `
Takes what one evaluation left:
  SkyThought or A*-Thought   results.json with the summary.json beside it, or the folder of both
  lm-evaluation-harness      samples_TASK_DATE.jsonl with the results_DATE.json beside it, or the folder of both
The answers are graded as those programs graded them; lengths are in tokens where they give them. --out gets records.jsonl and
summary.json with one line for each text, as "thoughtbook evaluate" writes them, for figures and comparisons. The harness keeps no
number of tokens: lengths are counted with the tokenizer of --tokenizer, or estimated (4 bytes a token), and marked so.`;

const resultsCommand = (imports: Command) =>
  imports
    .command("results")
    .description("take results of SkyThought, A*-Thought's evaluation, or lm-evaluation-harness as an evaluation")
    .argument("<file or folder>", "what the program left")
    .requiredOption("--out <folder>", "the folder of the evaluation")
    .option("--tokenizer <model>", "counts the tokens of texts where the file does not")
    .option("--budget <tokens>", "the most new tokens of a text, where the file does not say", count)
    .option("--filter <name>", "of the harness's filters the one whose verdicts count (default: the first)")
    .addHelpText("after", RESULTS);

async function takeResults(
  file: string,
  { out, tokenizer, budget, filter }: Flags<typeof resultsCommand>,
): Promise<void> {
  const { importResults } = await import("../eval/index.js");
  const { loadTokenizer, resolveModel } = await import("../model/index.js");
  const counting = tokenizer === undefined ? undefined : await loadTokenizer(await resolveModel(tokenizer));
  const { summary, filters } = await importResults(resolveUserPath(file), resolveUserPath(out), {
    countTokens: counting && ((text) => counting.encode(text, { addSpecialTokens: false }).length),
    budget,
    filter,
  });
  if (filters.length > 1 && filter === undefined) {
    console.error(`note: of the filters ${filters.join(", ")} the first was taken`);
  }
  const { readableSummary } = await import("./evaluate/evaluate-table.js");
  console.log(`${readableSummary(summary)}\n${resolveUserPath(out)}`);
}
