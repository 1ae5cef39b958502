import { readFileSync } from "node:fs";
import { Command } from "@commander-js/extra-typings";
import { describeError, didYouMean } from "../core/index.js";
import { addCompressCommand } from "./compress.js";
import { addDataCommands } from "./data.js";
import { addEvaluateCommand } from "./evaluate.js";
import { addExportCommand } from "./export.js";
import { addGenerateCommand } from "./generate.js";
import { addGradeCommand } from "./grade.js";
import { addKernelCommands } from "./kernel.js";
import { addModelCommands } from "./models.js";
import { addNotebookCommands } from "./notebooks.js";
import { addOperationsCommand } from "./operations.js";
import { addPretrainCommand } from "./pretrain.js";
import { addSandboxCommand } from "./sandbox.js";
import { addScoreCommand } from "./score.js";
import { addServeCommand } from "./serve.js";
import { addStudyCommand } from "./study.js";
import { addTrainCommand } from "./train.js";
import { addWordProblemsCommand } from "./word-problems.js";

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return version;
}

/** Commander suggests commands and options that are near a mistyped one; here, values of options as well. */
function withNearChoices(text: string): string {
  const [, value, choices] = /argument '(.*)' is invalid\. Allowed choices are (.*)\.\s*$/.exec(text) ?? [];
  if (value === undefined || choices === undefined) return text;
  return `${text.trimEnd()} ${didYouMean(value, choices.split(", "))}`.trimEnd().concat("\n");
}

// `thoughtbook data list | head` closes the pipe before all is written: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

const program = new Command("thoughtbook")
  .description("LLM reasoning systems, reproduced end to end in TypeScript notebooks.")
  .version(packageVersion(), "-V, --version", "print the version")
  .option("--debug", "show the stack of an error")
  .configureOutput({ outputError: (text, write) => write(withNearChoices(text)) })
  .showHelpAfterError("(add --help for the options)");

addNotebookCommands(program);
addKernelCommands(program);
addDataCommands(program);
addGradeCommand(program);
addModelCommands(program);
addGenerateCommand(program);
addScoreCommand(program);
addExportCommand(program);
addServeCommand(program);
addTrainCommand(program);
addPretrainCommand(program);
addEvaluateCommand(program);
addCompressCommand(program);
addStudyCommand(program);
addOperationsCommand(program);
addWordProblemsCommand(program);
addSandboxCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(program.opts().debug ? error : `error: ${describeError(error)}`);
  process.exitCode = process.exitCode || 1;
}
