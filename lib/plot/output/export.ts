import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { fileSystemError } from "../../core/index.js";
import { checkName } from "../check.js";
import type { Drawing, Figure, Table } from "../figure.js";
import { compressPng } from "./png.js";
import { renderPng, renderSvg } from "./render.js";

/**
 * A table as CSV (RFC 4180, with line feeds): numbers in the fewest digits that read back as the same number, `true`
 * and `false`, null as an empty field.
 */
export function tableToCsv({ columns, rows }: Table): string {
  return stringify(rows, { header: true, columns, cast: { boolean: String } });
}

/**
 * Write a figure to `folder`, which is made if need be: `<name>.svg`, `<name>.png` (two pixels to one) and
 * `<name>.csv`, the rows behind it. Files of these names are replaced.
 * @param drawn the figure's SVG, where it has been drawn already
 * @returns the paths
 * @throws bad-input if the name is not kebab-case, file-system if a file cannot be written, execution if Plotly cannot
 * draw the figure
 */
export async function exportFigure(
  figure: Figure,
  folder: string,
  drawn?: string,
): Promise<{ svg: string; png: string; csv: string }> {
  checkName(figure.name);
  const svg = drawn ?? (await renderSvg(figure));
  const csv = tableToCsv(figure.table);
  return writeFiles(folder, figure.name, { svg, png: await compressPng(renderPng(svg)), csv });
}

/**
 * Write a drawing to `folder`, which is made if need be: `<name>.svg` and `<name>.png` (two pixels to one).
 * @returns the paths
 * @throws bad-input if the name is not kebab-case, file-system if a file cannot be written
 */
export async function exportDrawing({ name, svg }: Drawing, folder: string): Promise<{ svg: string; png: string }> {
  checkName(name);
  return writeFiles(folder, name, { svg, png: await compressPng(renderPng(svg)) });
}

/** Write one file for each content, its key as the extension. */
async function writeFiles<Extension extends string>(
  folder: string,
  name: string,
  contents: Record<Extension, string | Uint8Array>,
): Promise<Record<Extension, string>> {
  await orExplain("make", folder, mkdir(folder, { recursive: true }));
  const paths = {} as Record<Extension, string>;
  for (const extension in contents) {
    paths[extension] = join(folder, `${name}.${extension}`);
    await orExplain("write", paths[extension], writeFile(paths[extension], contents[extension]));
  }
  return paths;
}

async function orExplain(action: string, path: string, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    throw fileSystemError(error, action, path);
  }
}
