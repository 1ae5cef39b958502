import type { Command } from "@commander-js/extra-typings";
import { addFinetuneCommand } from "./finetune.js";
import { addLoopCommands } from "./loop.js";
import { addSearchCommand } from "./search.js";
import { addReasonerStudyCommand } from "./study.js";
import { addTasksCommand } from "./tasks.js";

export function addReasonerCommands(program: Command): void {
  const reasoner = program
    .command("reasoner")
    .description("a minimal open reasoner: policy, reward, search and learning in one loop");
  addLoopCommands(reasoner);
  addSearchCommand(reasoner);
  addFinetuneCommand(reasoner);
  addTasksCommand(reasoner);
  addReasonerStudyCommand(reasoner);
}
