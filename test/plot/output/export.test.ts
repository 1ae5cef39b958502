import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { drawQuestionGraph, exportDrawing, exportFigure, renderSvg } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import { tableToCsv } from "../../../lib/dist/plot/output/export.js";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { EXAMPLES } from "../examples.js";
import { decodePng } from "../helpers.js";

const figure = EXAMPLES[0]!;

/** The fields of a CSV text, quotes included. */
function parseCsv(csv: string): string[][] {
  return csv
    .trimEnd()
    .split("\n")
    .map((line) => line.match(/"(?:[^"]|"")*"|[^,]+|(?<=,|^)(?=,|$)/g) ?? []);
}

describe("exportFigure", () => {
  it("writes SVG, PNG and CSV into a folder that it makes", async () => {
    const folder = join(await temporaryFolder(), "new", "figures");
    const paths = await exportFigure(figure, folder);
    expect(paths).toEqual({
      svg: join(folder, "histogram.svg"),
      png: join(folder, "histogram.png"),
      csv: join(folder, "histogram.csv"),
    });
    expect((await readdir(folder)).sort()).toEqual(["histogram.csv", "histogram.png", "histogram.svg"]);
    expect(await readFile(paths.svg, "utf8")).toBe(await renderSvg(figure));
    expect((await decodePng(await readFile(paths.png))).width).toBe(2 * figure.spec.layout.width);
    expect(await readFile(paths.csv, "utf8")).toBe(tableToCsv(figure.table));
  });

  it("replaces older files", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "histogram.csv"), "old");
    const { csv } = await exportFigure(figure, folder);
    expect(await readFile(csv, "utf8")).not.toContain("old");
  });

  it("names the folder that cannot be made", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const error = await failure(exportFigure(figure, join(file, "figures")));
    expect(error).toMatchObject({ code: "file-system", message: expect.stringContaining(file) });
  });

  it("refuses a name that leads elsewhere", async () => {
    const error = await failure(exportFigure({ ...figure, name: "../escape" }, await temporaryFolder()));
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining("../escape") });
  });
});

describe("exportDrawing", () => {
  it("writes SVG and PNG", async () => {
    const folder = await temporaryFolder();
    const drawing = drawQuestionGraph([{ label: "why?", depends: [] }], { name: "why" });
    const { svg, png } = await exportDrawing(drawing, folder);
    expect((await readdir(folder)).sort()).toEqual(["why.png", "why.svg"]);
    expect(await readFile(svg, "utf8")).toBe(drawing.svg);
    expect((await decodePng(await readFile(png))).height).toBe(2 * drawing.height);
  });
});

describe("tableToCsv", () => {
  it("keeps every number to the last bit", () => {
    const numbers = [0.1 + 0.2, 1 / 3, 1e21, -5e-324, Number.MAX_SAFE_INTEGER, 100];
    const csv = tableToCsv({ columns: ["x"], rows: numbers.map((x) => [x]) });
    expect(csv.trim().split("\n").slice(1).map(Number)).toEqual(numbers);
    expect(csv).toContain("\n0.30000000000000004\n");
    expect(csv).toContain("\n100\n");
  });

  it("quotes what needs it and tells missing and false apart", () => {
    const rows = [["a,b", 'say "x"', null, false, true]];
    const csv = tableToCsv({ columns: ["1", "2", "3", "4", "5"], rows });
    expect(parseCsv(csv)[1]).toEqual(['"a,b"', '"say ""x"""', "", "false", "true"]);
  });

  it("of every example has a field for each column in each row", () => {
    for (const { table } of EXAMPLES) {
      // A field may hold a line break.
      const lines: string[][] = parse(tableToCsv(table));
      expect(lines).toHaveLength(table.rows.length + 1);
      expect(new Set(lines.map((fields) => fields.length))).toEqual(new Set([table.columns.length]));
    }
  });

  it("of no rows is the header", () => {
    expect(tableToCsv({ columns: ["a", "b"], rows: [] })).toBe("a,b\n");
  });
});
