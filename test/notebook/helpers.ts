import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { CodeCell, Notebook, Output } from "../../lib/dist/notebook/notebook-file.js";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder inside the project, so that notebooks in it find node_modules; removed when the test, or `cleanUp`, ends. */
export function temporaryFolder(cleanUp: (remove: () => void) => void = onTestFinished): string {
  const parent = join(root, "runs", "test");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "notebook-"));
  cleanUp(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const codeCell = (source: string, tags?: string[]): CodeCell => ({
  cell_type: "code",
  metadata: tags ? { tags } : {},
  source,
  execution_count: null,
  outputs: [],
});

export const notebookOf = (...cells: (string | CodeCell)[]): Notebook => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { display_name: "TypeScript", language: "typescript", name: "thoughtbook" } },
  cells: cells.map((cell) => (typeof cell === "string" ? codeCell(cell) : cell)),
});

/** Write a notebook with these cells and return its path. */
export async function writeCells(folder: string, name: string, ...cells: (string | CodeCell)[]): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(notebookOf(...cells)));
  return file;
}

/** The text of all streams and the plain text of all displays of a cell. */
export const textOf = (cell: Notebook["cells"][number]): string =>
  cell.cell_type === "code" ? cell.outputs.map(outputText).join("") : "";

function outputText(output: Output): string {
  switch (output.output_type) {
    case "stream":
      return [output.text].flat().join("");
    case "error":
      return output.evalue;
    default:
      return [output.data["text/plain"]].flat().join("");
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // A killed process that nobody has waited for is still listed, as a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** Debian's Jupyter, if it has nbconvert; another one in the PATH may lack it. */
export const findJupyter = (): string | undefined =>
  ["/usr/bin/jupyter", "jupyter"].find((command) => spawnSync(command, ["nbconvert", "--version"]).status === 0);

export const codeOutputs = ({ cells }: Notebook) =>
  cells.map((cell) => (cell.cell_type === "code" ? [cell.execution_count, cell.outputs] : []));
