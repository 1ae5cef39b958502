import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileSystemError, resolveUserPath, startProgress } from "../core/index.js";
import { type CellEvent, executeNotebook } from "./execute.js";
import { type Kernel, startKernel } from "./kernel.js";
import { codeCells, type Notebook, readNotebook, sourceHash, writeNotebook } from "./notebook-file.js";
import { declaredParameters, injectCell, type ParameterValues, parameterCell, type Scale } from "./parameters.js";

export interface RunOptions {
  scale: Scale;
  /** Further parameters, by name. */
  parameters?: ParameterValues;
  /** Where executed notebooks go, with a folder `figures` beside them. */
  out: string;
  /** Write the notebooks in place and their figures to this folder instead, once they have run without an error. */
  update?: { figures: string } | undefined;
  cellTimeoutSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface RunResult {
  file: string;
  /** Where the executed notebook was written. */
  written: string;
  failure: CellEvent | undefined;
}

/**
 * Execute a notebook with the tslab kernel and write it with its outputs. Shows a progress line for each cell.
 * A notebook that fails is written to `out` with what it printed so far; with `update` the committed file stays as it is.
 * @throws ThoughtbookError for a file that is no notebook, an unknown parameter, or a folder that cannot be written.
 */
export async function runNotebook(file: string, options: RunOptions): Promise<RunResult> {
  const { scale, parameters = {}, out, update, cellTimeoutSeconds, signal } = options;
  const name = basename(file, ".ipynb");
  const source = await readNotebook(file);
  // A notebook without a dial runs the same at every scale; the committed ones say "standard" themselves.
  const dial = declaredParameters(source).has("scale") && scale !== "standard" ? { scale } : {};
  const injected = parameterCell(source, { ...dial, ...parameters }, file);

  const figures = join(resolve(out), "figures");
  const staged = join(resolve(out), `.figures-${name}`);
  await makeFolder(figures);
  await rm(staged, { recursive: true, force: true });
  await makeFolder(staged);

  const progress = startProgress(name, { total: codeCells(source).length + (injected ? 1 : 0), unit: "cells" });
  let kernel: Kernel | undefined;
  try {
    kernel = await startKernel({ cwd: dirname(resolve(file)), env: kernelEnvironment(staged, update !== undefined) });
    const { notebook, failure } = await executeNotebook(injected ? injectCell(source, injected) : source, kernel, {
      cellTimeoutSeconds,
      signal,
      onStart: ({ index, source }) => progress.update(index, firstLine(source)),
      onEnd: (event) => progress.log(describeCell(name, event)),
    });
    const inPlace = update !== undefined && !failure;
    const written = inPlace ? file : join(out, `${name}.ipynb`);
    await writeNotebook(written, stamp(notebook, source, scale));
    await copyFiles(staged, inPlace ? update.figures : figures);
    if (failure) progress.fail(`cell ${failure.index + 1} of ${failure.total}: ${outcomeText(failure.outcome)}`);
    else progress.succeed(`→ ${written}`);
    return { file, written, failure };
  } catch (error) {
    progress.fail();
    throw error;
  } finally {
    await kernel?.stop();
    await rm(staged, { recursive: true, force: true });
  }
}

/** The failing cell as a person wants to see it: its source with line numbers, and the error. */
export function showFailure({ index, total, source, outcome }: CellEvent): string {
  const numbered = source.split("\n").map((line, i) => `  ${String(i + 1).padStart(3)} | ${line}`);
  const error = outcome.status === "error" ? outcome.traceback.map((line) => `  ${line}`) : [];
  return [`cell ${index + 1} of ${total}: ${outcomeText(outcome)}`, ...numbered, ...error].join("\n");
}

function outcomeText(outcome: CellEvent["outcome"]): string {
  switch (outcome.status) {
    case "ok":
      return "ok";
    case "error":
      return `${outcome.ename}: ${firstLine(outcome.evalue)}`;
    case "timeout":
      return `stopped after ${outcome.seconds} s (--cell-timeout)`;
    case "interrupted":
      return "interrupted";
    case "died":
      return `the kernel ${outcome.reason} while the cell ran`;
  }
}

const firstLine = (text: string): string => {
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};

const describeCell = (name: string, { index, total, seconds, source, outcome }: CellEvent) =>
  `${name}  [${index + 1}/${total}] ${outcome.status} ${seconds.toFixed(1)} s  ${firstLine(source)}`;

function kernelEnvironment(figures: string, update: boolean): NodeJS.ProcessEnv {
  // The kernel runs in the notebook's folder, but a relative path in the environment is meant from here.
  const folders = ["THOUGHTBOOK_DATA", "THOUGHTBOOK_CACHE"].flatMap((name) => {
    const folder = process.env[name];
    return folder ? [[name, resolve(resolveUserPath(folder))]] : [];
  });
  // Committed outputs come from the real data: with THOUGHTBOOK_SAMPLE=never a loader fails where it would fall back.
  const sample = update ? { THOUGHTBOOK_SAMPLE: "never" } : {};
  return { ...process.env, ...Object.fromEntries(folders), ...sample, THOUGHTBOOK_FIGURES: figures };
}

function stamp(notebook: Notebook, source: Notebook, scale: Scale): Notebook {
  return { ...notebook, metadata: { ...notebook.metadata, thoughtbook: { scale, source: sourceHash(source) } } };
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw fileSystemError(error, "make the folder", folder);
  });
}

/** Copied, not moved: the two folders may lie on different devices. */
async function copyFiles(from: string, to: string): Promise<void> {
  await makeFolder(to);
  for (const file of await readdir(from)) {
    await copyFile(join(from, file), join(to, file)).catch((error) => {
      throw fileSystemError(error, "write the figure", join(to, file));
    });
  }
}
