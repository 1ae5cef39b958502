import { stat } from "node:fs/promises";
import { codeCells, hasTag, joinText, type Notebook, readNotebook, sourceHash } from "./notebook-file.js";
import { modulesFor, typeCheckNotebook } from "./type-check.js";

export interface Problem {
  file: string;
  /** Which code cell, from 1; undefined for the notebook as a whole. */
  cell?: number;
  message: string;
}

/** The longest line of code that can still be read beside a notebook's margins, in characters. */
const MOST_CHARACTERS = 88;
/** The largest notebook that can still be reviewed, in bytes. */
const MOST_BYTES = 550_000;

export interface CheckOptions {
  /** The node_modules folder from which the notebook's imports are resolved. Default: {@link modulesFor}. */
  modules?: string;
}

/**
 * What is wrong with a notebook that is to be committed: outputs that are missing, failed, made from other code or at
 * another scale, code that does not type-check strictly, lines too long to read, a file too large to review.
 * @throws ThoughtbookError if the file is no notebook.
 */
export async function checkNotebook(
  file: string,
  { modules = modulesFor(file) }: CheckOptions = {},
): Promise<Problem[]> {
  const notebook = await readNotebook(file);
  const problem = (message: string, cell?: number): Problem => ({
    file,
    message,
    ...(cell === undefined ? {} : { cell }),
  });
  const problems = [...checkOutputs(notebook, problem), ...checkLines(notebook, problem)];
  const { size } = await stat(file);
  if (size > MOST_BYTES)
    problems.push(problem(`is ${size} bytes large; the limit is ${MOST_BYTES}. Show fewer or smaller outputs`));
  for (const { cell, line, message } of await typeCheckNotebook(notebook, modules)) {
    problems.push(problem(`line ${line}: ${message}`, cell));
  }
  return problems;
}

type Report = (message: string, cell?: number) => Problem;

function checkOutputs(notebook: Notebook, problem: Report): Problem[] {
  const cells = codeCells(notebook);
  const stamp = notebook.metadata.thoughtbook;
  const problems: Problem[] = [];
  if (!cells.some((cell) => cell.outputs.length > 0)) problems.push(problem("has no outputs; run it with --update"));
  else if (!stamp) problems.push(problem("does not say what its outputs were made from; run it with --update"));
  else if (stamp.source !== sourceHash(notebook)) {
    problems.push(problem("has outputs made from other code; run it with --update"));
  } else if (stamp.scale !== "standard") {
    problems.push(problem(`has outputs at scale ${stamp.scale}; committed ones are at scale standard`));
  }
  for (const [index, cell] of cells.entries()) {
    if (hasTag(cell, "injected-parameters"))
      problems.push(problem("is left over from a run with parameters", index + 1));
    for (const output of cell.outputs) {
      if (output.output_type === "error" && !hasTag(cell, "raises-exception"))
        problems.push(problem(`ended with ${output.ename}: ${output.evalue}`, index + 1));
      if (output.output_type === "stream" && output.name === "stderr") {
        problems.push(problem(`printed to stderr: ${joinText(output.text).split("\n", 1)[0]}`, index + 1));
      }
    }
  }
  return problems;
}

function checkLines(notebook: Notebook, problem: Report): Problem[] {
  return codeCells(notebook).flatMap((cell, index) =>
    joinText(cell.source)
      .split("\n")
      .flatMap((line, number) =>
        line.length > MOST_CHARACTERS
          ? [problem(`line ${number + 1} has ${line.length} characters; the limit is ${MOST_CHARACTERS}`, index + 1)]
          : [],
      ),
  );
}
