import type { Command } from "@commander-js/extra-typings";
import { count, integer } from "../numbers.js";

export function addTasksCommand(program: Command): void {
  program
    .command("tasks")
    .description("show tasks: questions, their steps or programs")
    .argument("<task>", "code, code:python, math:multi-step, a file of data/tasks, …")
    .option("--limit <n>", "how many (default: 4)", count)
    .option("--split <split>", "default: test")
    .option("--seed <n>", "default: 0", integer)
    .option("--json", "print the problems as JSON")
    .action(async (name, { limit = 4, split, seed, json }) => {
      const { loadReasonerTask } = await import("../../reasoner/index.js");
      const { problems } = await loadReasonerTask(name, { limit, split, seed });
      if (json) console.log(JSON.stringify(problems));
      else
        console.log(
          problems.map(({ id, question, solution }) => [id, question, solution ?? ""].join("\n")).join("\n\n"),
        );
    });
}
