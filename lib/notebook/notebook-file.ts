import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import { badInput, canonicalJson, fileSystemError, sha256, ThoughtbookError } from "../core/index.js";

/** Text in a notebook file: one string, or its lines. */
const text = z.union([z.string(), z.array(z.string())]);

const outputBase = { data: z.record(z.string(), z.unknown()), metadata: z.record(z.string(), z.unknown()) };
const outputSchema = z.discriminatedUnion("output_type", [
  z.looseObject({ output_type: z.literal("stream"), name: z.enum(["stdout", "stderr"]), text }),
  z.looseObject({ output_type: z.literal("display_data"), ...outputBase }),
  z.looseObject({
    output_type: z.literal("execute_result"),
    ...outputBase,
    execution_count: z.number().nullable().default(null),
  }),
  z.looseObject({
    output_type: z.literal("error"),
    ename: z.string(),
    evalue: z.string(),
    traceback: z.array(z.string()),
  }),
]);

const cellBase = {
  id: z.string().optional(),
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }),
  source: text,
};
const cellSchema = z.discriminatedUnion("cell_type", [
  z.looseObject({ ...cellBase, cell_type: z.enum(["markdown", "raw"]) }),
  z.looseObject({
    ...cellBase,
    cell_type: z.literal("code"),
    execution_count: z.number().nullable().default(null),
    outputs: z.array(outputSchema).default([]),
  }),
]);

const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number(),
  metadata: z.looseObject({
    thoughtbook: z.object({ scale: z.string(), source: z.string() }).optional(),
  }),
  cells: z.array(cellSchema),
});

export type Notebook = z.infer<typeof notebookSchema>;
export type Cell = Notebook["cells"][number];
export type CodeCell = Extract<Cell, { cell_type: "code" }>;
export type Output = CodeCell["outputs"][number];

/**
 * Read a notebook file (nbformat 4).
 * @throws ThoughtbookError if the file cannot be read or is no such notebook.
 */
export async function readNotebook(file: string): Promise<Notebook> {
  const content = await readFile(file, "utf8").catch((error) => {
    throw fileSystemError(error, "read the notebook", file);
  });
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    throw new ThoughtbookError("corrupt-data", `${file} is not JSON: ${(error as Error).message}`, {
      hint: "A notebook is a .ipynb file; restore it with git, or save it again from Jupyter.",
      cause: error,
    });
  }
  const parsed = notebookSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw badInput(
    `${file} is no nbformat 4 notebook: ${issue.path.join(".")}: ${issue.message}`,
    "Open it in Jupyter and save it again.",
  );
}

/** Write a notebook as Jupyter writes it (keys sorted, one space of indent), atomically. */
export async function writeNotebook(file: string, notebook: Notebook): Promise<void> {
  const partial = `${file}.part`;
  try {
    await writeFile(partial, `${JSON.stringify(sortKeys(notebook), null, 1)}\n`);
    await rename(partial, file);
  } catch (error) {
    throw fileSystemError(error, "write the notebook", file);
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

export const joinText = (source: string | readonly string[]): string =>
  typeof source === "string" ? source : source.join("");

/** Text as a list of lines that keep their line ends, as notebook files hold it. */
export const splitLines = (source: string): string[] => source.match(/[^\n]*\n|[^\n]+$/g) ?? [];

export const codeCells = (notebook: Notebook): CodeCell[] =>
  notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code" && joinText(cell.source).trim() !== "");

export const hasTag = (cell: Cell, tag: string): boolean => cell.metadata.tags?.includes(tag) ?? false;

/** A digest of all code of a notebook: outputs that carry another one were made from other code. */
export const sourceHash = (notebook: Notebook): string =>
  sha256(canonicalJson(codeCells(notebook).map((cell) => joinText(cell.source)))).slice(0, 16);
