import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { codeCells, hasTag, joinText, type Notebook } from "./notebook-file.js";

export interface TypeProblem {
  /** Which code cell, from 1. */
  cell: number;
  /** Which line of the cell, from 1. */
  line: number;
  message: string;
}

const OPTIONS = {
  target: "ES2022",
  lib: ["ES2022"],
  module: "ESNext",
  moduleResolution: "Bundler",
  moduleDetection: "force",
  types: ["node"],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

/** What an installed library brings with it is below it. */
const BUNDLED = { "danfojs-node": ["./node_modules/thoughtbook/node_modules/danfojs-node"] };

/** This library's folder: with its package.json, above dist/. */
const library = resolve(import.meta.dirname, "..", "..");

/**
 * The node_modules folder from which a notebook's imports are resolved: the nearest above it that has this library, or
 * else the one that this library is in.
 */
export function modulesFor(file: string): string {
  for (let folder = dirname(resolve(file)); folder !== dirname(folder); folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(join(modules, "thoughtbook"))) return modules;
  }
  const above = dirname(library);
  return basename(above) === "node_modules" ? above : join(above, "node_modules");
}

/**
 * Type-check the code cells as one strict TypeScript module. What a cell tagged `raises-exception` raises may be its types.
 * @param modules the node_modules folder from which the notebook's imports are resolved.
 */
export async function typeCheckNotebook(notebook: Notebook, modules: string): Promise<TypeProblem[]> {
  const lines: string[] = [];
  const origin: { cell: number; line: number }[] = [];
  const cells = codeCells(notebook);
  for (const [index, cell] of cells.entries()) {
    for (const [number, line] of joinText(cell.source).split("\n").entries()) {
      lines.push(line);
      origin.push({ cell: index + 1, line: number + 1 });
    }
  }
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-types-"));
  try {
    await symlink(modules, join(folder, "node_modules"), "junction");
    await writeFile(join(folder, "notebook.ts"), `${lines.join("\n")}\n`);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...OPTIONS, paths: BUNDLED }, files: ["notebook.ts"] }),
    );
    const printed = await runCompiler(folder);
    const problems = printed.flatMap((line): TypeProblem[] => {
      const match = /^(.*?)\((\d+),\d+\): error (.*)$/.exec(line);
      if (match) return [{ ...(origin[Number(match[2]) - 1] ?? { cell: 0, line: 0 }), message: match[3]! }];
      return /^error /.test(line) ? [{ cell: 0, line: 0, message: line }] : [];
    });
    const mayFail = ({ cell }: TypeProblem) => cell > 0 && hasTag(cells[cell - 1]!, "raises-exception");
    return problems.filter((problem) => !mayFail(problem));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the TypeScript compiler prints for the project in the folder, line by line. */
function runCompiler(folder: string): Promise<string[]> {
  // By its path: tslab puts its own, older compiler at node_modules/.bin/tsc.
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [compiler, "-p", folder, "--pretty", "false"], (error, stdout, stderr) => {
      // Exit codes 1 and 2 mean that the program has errors, which stdout lists.
      if (error && !stdout) reject(new Error(`the TypeScript compiler failed: ${stderr || error.message}`));
      else resolve(stdout.split("\n"));
    });
  });
}
