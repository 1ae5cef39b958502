import { readdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { badInput, fileSystemError, findProjectFolder, ThoughtbookError } from "../core/index.js";
import { checkNotebook, runNotebook, SCALES, showFailure } from "../notebook/index.js";
import type { Flags } from "./flags.js";
import { abortable } from "./resumable.js";

export function addNotebookCommands(program: Command): void {
  const notebooks = program.command("notebooks").description("run and check notebooks, without Python");
  runCommand(notebooks).action(runNotebooks);
  notebooks
    .command("check")
    .description("fail if a committed notebook is stale, failed, too large or does not type-check")
    .argument("[files...]", "notebooks (default: all in notebooks/)")
    .action(checkNotebooks);
}

const runCommand = (notebooks: Command) =>
  notebooks
    .command("run")
    .description("execute notebooks with the TypeScript kernel")
    .argument("[files...]", "notebooks (default: all in notebooks/)")
    .addOption(new Option("--scale <scale>", "how much work each notebook does").choices(SCALES).default("smoke"))
    .option("--update", "write the notebooks in place and their figures to figures/")
    .option("--out <folder>", "where executed notebooks and figures go (default: runs/notebooks/<scale>)")
    .option(
      "-p, --parameter <name=value>",
      "set a parameter of the notebooks; the value is JSON or text",
      addParameter,
      {},
    )
    .option("--cell-timeout <seconds>", "interrupt a cell that takes longer", parseSeconds, 1800);

async function runNotebooks(files: string[], flags: Flags<typeof runCommand>): Promise<void> {
  const { scale, update = false, parameter, cellTimeout, out = join("runs", "notebooks", scale) } = flags;
  const unusual = scale !== "standard" ? `--scale ${scale}` : Object.keys(parameter).length > 0 ? "-p" : undefined;
  if (update && unusual) {
    throw badInput(
      `--update writes the committed notebooks, so it does not go with ${unusual}`,
      "Use --scale standard and the parameters that the notebooks declare, or leave --update out.",
    );
  }
  const failures: string[] = [];
  const found = await notebookFiles(files);
  const interrupted = await abortable(async (signal) => {
    for (const file of found) {
      if (signal.aborted) break;
      const { failure } = await runNotebook(file, {
        scale,
        out,
        parameters: parameter,
        update: update ? { figures: join(bookFolder(), "figures") } : undefined,
        cellTimeoutSeconds: cellTimeout,
        signal,
      });
      if (!failure) continue;
      failures.push(file);
      if (failure.outcome.status !== "interrupted") console.error(`${file}: ${showFailure(failure)}`);
    }
    return signal.aborted;
  });
  if (interrupted) {
    process.exitCode = 130;
    throw new ThoughtbookError("interrupted", "interrupted; the notebooks that had finished are written", {
      hint: "Run the same command again.",
    });
  }
  if (failures.length > 0) {
    throw new ThoughtbookError(
      "execution",
      `${failures.length} of ${found.length} notebooks failed: ${failures.join(", ")}`,
    );
  }
  const where = update ? "notebooks/ and figures/" : `${resolve(out)}, figures in ${join(resolve(out), "figures")}`;
  console.log(`${found.length} notebook${found.length === 1 ? "" : "s"} executed: ${where}`);
}

async function checkNotebooks(files: string[]): Promise<void> {
  const found = await notebookFiles(files);
  const problems = (await Promise.all(found.map((file) => checkNotebook(file)))).flat();
  for (const { file, cell, message } of problems) {
    console.error(`${file}${cell === undefined ? "" : ` cell ${cell}`}: ${message}`);
  }
  if (problems.length > 0) {
    throw badInput(
      `${problems.length} problem${problems.length === 1 ? "" : "s"} in committed notebooks`,
      "Mend them, then run `npm run book`.",
    );
  }
  console.log(`${found.length} notebook${found.length === 1 ? "" : "s"} checked`);
}

/** The folder with notebooks/ and figures/: the repository, or the current folder where the library is installed. */
const bookFolder = (): string => findProjectFolder() ?? process.cwd();

async function notebookFiles(files: readonly string[]): Promise<string[]> {
  if (files.length > 0) return [...files];
  const folder = join(bookFolder(), "notebooks");
  const names = await readdir(folder).catch((error) => {
    if (error.code !== "ENOENT") throw fileSystemError(error, "read the folder", folder);
    throw new ThoughtbookError("not-found", `there is no folder ${folder}`, {
      hint: "Name the notebooks: thoughtbook notebooks run FILE.ipynb.",
    });
  });
  return names
    .filter((name) => name.endsWith(".ipynb"))
    .sort()
    .map((name) => relative(process.cwd(), join(folder, name)));
}

function addParameter(argument: string, parameters: Record<string, unknown>): Record<string, unknown> {
  const at = argument.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected name=value.");
  const text = argument.slice(at + 1);
  return { ...parameters, [argument.slice(0, at)]: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError("expected a number of seconds above 0.");
  return seconds;
}
