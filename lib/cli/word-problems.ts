import { once } from "node:events";
import { type Command, Option } from "@commander-js/extra-typings";
import {
  asProblemField,
  MOST_OPERATIONS,
  PROBLEM_FIELDS,
  type ProblemField,
  problemRecord,
  wordProblems,
} from "../data/index.js";
import type { Flags } from "./flags.js";
import { integer, range, wholeNumber } from "./numbers.js";

const OUTPUT = `
The same seed gives the same problems on every machine; problem 7 of a seed does not depend on how many come before it.
Test and validation problems combine scenarios and structures that no training problem combines.

Fields: ${PROBLEM_FIELDS.join(", ")}.

Neighbouring work: iGSM (arXiv 2407.20311), GSM-Symbolic (arXiv 2410.05229), GSM8K (arXiv 2110.14168).`;

export function addWordProblemsCommand(program: Command): void {
  wordProblemsCommand(program).action(printProblems);
}

const wordProblemsCommand = (program: Command) =>
  program
    .command("word-problems")
    .description("print procedural word problems, one JSON line each")
    .option("--count <n>", "how many", wholeNumber, 10)
    .option("--seed <n>", "where the random numbers come from", integer, 0)
    .option("--start <n>", "the index of the first one", wholeNumber, 0)
    .addOption(
      new Option("--operations <range>", `operations that the answer needs, 1 to ${MOST_OPERATIONS}`)
        .argParser(range)
        .default([2, 6], "2-6"),
    )
    .addOption(new Option("--distractors <range>", "facts that it does not need").argParser(range).default([0, 0], "0"))
    .option("--depth <range>", "edges on the longest path from operation to operation", range)
    .option("--width <range>", "operations in the largest layer", range)
    .addOption(
      new Option("--order <order>", "how the facts are ordered")
        .choices(["computation", "shuffled", "mixed"])
        .default("mixed"),
    )
    .addOption(new Option("--split <split>").choices(["train", "validation", "test"]).default("train"))
    .addOption(
      new Option("--fields <names>", "what to print of each, with commas between")
        .argParser(fieldNames)
        .default(["id", "question", "chain", "answer", "difficulty"], "id,question,chain,answer,difficulty"),
    )
    .addHelpText("after", OUTPUT);

async function printProblems({ count, start, fields, ...options }: Flags<typeof wordProblemsCommand>): Promise<void> {
  for (const problem of wordProblems({ ...options, index: start }, count)) {
    // Wait for a slow reader instead of filling the memory.
    if (!process.stdout.write(`${JSON.stringify(problemRecord(problem, fields))}\n`))
      await once(process.stdout, "drain");
  }
}

function fieldNames(text: string): ProblemField[] {
  return text.split(",").map((name) => asProblemField(name.trim()));
}
