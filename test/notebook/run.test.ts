import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runNotebook, showFailure } from "thoughtbook/notebook";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { readNotebook } from "../../lib/dist/notebook/notebook-file.js";
import { codeCell, temporaryFolder, textOf, writeCells } from "./helpers.js";

const FIGURE_CELL =
  'import { writeFileSync } from "node:fs";\n' +
  'writeFileSync(process.env.THOUGHTBOOK_FIGURES + "/a.csv", "x\\n1\\n");';

describe("runNotebook", () => {
  it("writes the executed notebook and its figures beside it, and leaves the source alone", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", FIGURE_CELL, "const n = 20;", "n + 1");
    const before = await readFile(file, "utf8");
    const { written, failure } = await runNotebook(file, { scale: "smoke", out: join(folder, "out") });
    expect(failure).toBeUndefined();
    expect(await readFile(file, "utf8")).toBe(before);
    const notebook = await readNotebook(written);
    expect(notebook.cells.map(textOf)).toEqual(["", "", "21"]);
    expect(notebook.cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3]);
    expect(await readFile(join(folder, "out", "figures", "a.csv"), "utf8")).toBe("x\n1\n");
  });

  it("gives the same bytes on every run", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(
      folder,
      "a.ipynb",
      'import { trackProgress } from "thoughtbook/core";\nlet sum = 0;\n' +
        "for await (const i of trackProgress([1, 2, 3], 'steps', { unit: 'steps' })) sum += i;\nconsole.log(sum);",
      'import { createRandom } from "thoughtbook/core";\ncreateRandom(1).normal()',
    );
    const bytes = async (out: string) => {
      const { written } = await runNotebook(file, { scale: "standard", out: join(folder, out) });
      return readFile(written, "utf8");
    };
    const first = await bytes("one");
    expect(first).toContain("steps: 3 steps");
    expect(await bytes("two")).toBe(first);
  });

  it("gives the kernel the data folder that is meant from here", async () => {
    vi.stubEnv("THOUGHTBOOK_DATA", "../shared");
    onTestFinished(() => void vi.unstubAllEnvs());
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", "console.log(process.env.THOUGHTBOOK_DATA);");
    const { written } = await runNotebook(file, { scale: "smoke", out: join(folder, "out") });
    expect(textOf((await readNotebook(written)).cells[0]!)).toBe(`${resolve("../shared")}\n`);
  });

  it("injects the scale and parameters after the tagged cell", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(
      folder,
      "a.ipynb",
      codeCell('const scale = "standard" as string;\nconst rows = 100;', ["parameters"]),
      "console.log(scale, rows);",
    );
    const options = { scale: "smoke", out: join(folder, "out"), parameters: { rows: 5 } } as const;
    const { written } = await runNotebook(file, options);
    expect(textOf((await readNotebook(written)).cells.at(-1)!)).toBe("smoke 5\n");
    const standard = await runNotebook(file, { scale: "standard", out: join(folder, "out") });
    expect((await readNotebook(standard.written)).cells).toHaveLength(2);
  });

  it("stops at a failing cell, shows it, and writes what there is", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(
      folder,
      "a.ipynb",
      'console.log("kept");',
      'const x = 1;\nthrow new RangeError("budget");',
      "3",
    );
    const { written, failure } = await runNotebook(file, { scale: "smoke", out: join(folder, "out") });
    expect(showFailure(failure!)).toMatch(
      /^cell 2 of 3: RangeError: budget\n {4}1 \| const x = 1;\n {4}2 \| throw new RangeError\("budget"\);\n {2}RangeError: budget\n/,
    );
    const notebook = await readNotebook(written);
    expect(textOf(notebook.cells[0]!)).toBe("kept\n");
    expect(notebook.cells[1]).toMatchObject({ outputs: [{ output_type: "error", ename: "RangeError" }] });
    expect(notebook.cells[2]).toMatchObject({ outputs: [], execution_count: null });
  });

  it("fails the last cell for work that it left unawaited", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", 'setTimeout(() => { throw new Error("late"); }, 0);\nnull;');
    const { failure } = await runNotebook(file, { scale: "smoke", out: join(folder, "out") });
    expect(failure?.outcome).toMatchObject({ status: "error", evalue: expect.stringContaining("late") });
  });

  it("updates the committed notebook and figures only if every cell ran", async () => {
    const folder = temporaryFolder();
    const update = { figures: join(folder, "figures") };
    const bad = await writeCells(folder, "bad.ipynb", FIGURE_CELL, 'throw new Error("no");');
    const before = await readFile(bad, "utf8");
    const failed = await runNotebook(bad, { scale: "standard", out: join(folder, "out"), update });
    expect(failed.written).toBe(join(folder, "out", "bad.ipynb"));
    expect(await readFile(bad, "utf8")).toBe(before);
    expect(existsSync(update.figures)).toBe(false);

    const good = await writeCells(folder, "good.ipynb", FIGURE_CELL, "console.log(process.env.THOUGHTBOOK_SAMPLE);");
    const { written } = await runNotebook(good, { scale: "standard", out: join(folder, "out"), update });
    expect(written).toBe(good);
    const notebook = await readNotebook(good);
    expect(textOf(notebook.cells[1]!)).toBe("never\n");
    expect(notebook.metadata.thoughtbook).toMatchObject({ scale: "standard" });
    expect(existsSync(join(update.figures, "a.csv"))).toBe(true);
  });

  it("interrupts and stops the kernel when asked to", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", "while (true) {}", "2");
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 4000);
    const { failure } = await runNotebook(file, { scale: "smoke", out: join(folder, "out"), signal: stop.signal });
    expect(failure).toMatchObject({ index: 0, outcome: { status: "interrupted" } });
  });

  it("names what is wrong with a file that is no notebook", async () => {
    const folder = temporaryFolder();
    const run = (file: string) => runNotebook(file, { scale: "smoke", out: join(folder, "out") });
    await expect(run(join(folder, "none.ipynb"))).rejects.toThrow(
      /cannot read the notebook .*none\.ipynb: no such file/,
    );
    await writeFile(join(folder, "text.ipynb"), "hello");
    await expect(run(join(folder, "text.ipynb"))).rejects.toThrow(/text\.ipynb is not JSON/);
    await writeFile(join(folder, "old.ipynb"), '{"nbformat": 3, "worksheets": []}');
    await expect(run(join(folder, "old.ipynb"))).rejects.toThrow(/old\.ipynb is no nbformat 4 notebook: nbformat/);
  });

  it("names a folder that it cannot write", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", "1");
    await writeFile(join(folder, "taken"), "");
    const run = runNotebook(file, { scale: "smoke", out: join(folder, "taken") });
    await expect(run).rejects.toThrow(/cannot make the folder .*taken/);
  });
});
