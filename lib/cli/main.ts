import { readFileSync } from "node:fs";
import { Command } from "@commander-js/extra-typings";
import { describeError, didYouMean } from "../core/index.js";

/** What adds each command. Only the one that is asked for is loaded: some bring the whole library with them. */
const COMMANDS: Record<string, (program: Command) => Promise<void>> = {
  notebooks: async (program) => (await import("./notebooks.js")).addNotebookCommands(program),
  kernel: async (program) => (await import("./kernel.js")).addKernelCommands(program),
  data: async (program) => (await import("./data.js")).addDataCommands(program),
  grade: async (program) => (await import("./grade.js")).addGradeCommand(program),
  models: async (program) => (await import("./models.js")).addModelCommands(program),
  generate: async (program) => (await import("./generate.js")).addGenerateCommand(program),
  score: async (program) => (await import("./score.js")).addScoreCommand(program),
  export: async (program) => (await import("./export/export.js")).addExportCommand(program),
  import: async (program) => (await import("./import.js")).addImportCommand(program),
  serve: async (program) => (await import("./serve.js")).addServeCommand(program),
  train: async (program) => (await import("./train.js")).addTrainCommand(program),
  grpo: async (program) => (await import("./grpo/grpo.js")).addGrpoCommand(program),
  pretrain: async (program) => (await import("./pretrain.js")).addPretrainCommand(program),
  evaluate: async (program) => (await import("./evaluate/evaluate.js")).addEvaluateCommand(program),
  "aot-grpo": async (program) => (await import("./aot/aot-grpo.js")).addAotGrpoCommand(program),
  trace: async (program) => (await import("./aot/trace.js")).addTraceCommand(program),
  compress: async (program) => (await import("./compress.js")).addCompressCommand(program),
  study: async (program) => (await import("./study.js")).addStudyCommand(program),
  reasoner: async (program) => (await import("./reasoner/reasoner.js")).addReasonerCommands(program),
  baselines: async (program) => (await import("./baselines.js")).addBaselinesCommand(program),
  dots: async (program) => (await import("./dots/dots.js")).addDotsCommands(program),
  operations: async (program) => (await import("./operations/measure.js")).addOperationsCommand(program),
  signals: async (program) => (await import("./signals.js")).addSignalsCommand(program),
  sandbox: async (program) => (await import("./sandbox.js")).addSandboxCommand(program),
  "word-problems": async (program) => (await import("./word-problems.js")).addWordProblemsCommand(program),
};

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

// For the overview, and to suggest one near a mistyped one, all of them.
const asked = process.argv.slice(2).find((word) => !word.startsWith("-")) ?? "";
const needed = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
for (const name of needed) await COMMANDS[name]!(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(program.opts().debug ? error : `error: ${describeError(error)}`);
  process.exitCode = process.exitCode || 1;
}
