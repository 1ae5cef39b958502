import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkNotebook, runNotebook } from "thoughtbook/notebook";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Notebook, readNotebook, writeNotebook } from "../../lib/dist/notebook/notebook-file.js";
import { codeCell, notebookOf, root, temporaryFolder, writeCells } from "./helpers.js";

const options = { modules: join(root, "node_modules") };
const messages = async (notebook: Notebook): Promise<string[]> => {
  const file = join(temporaryFolder(), "a.ipynb");
  await writeNotebook(file, notebook);
  return (await checkNotebook(file, options)).map(({ cell, message }) => (cell ? `cell ${cell}: ${message}` : message));
};

describe("checkNotebook", () => {
  let good: Notebook;
  beforeAll(async () => {
    const folder = temporaryFolder(afterAll);
    const file = await writeCells(
      folder,
      "a.ipynb",
      'import { sources } from "thoughtbook/graph";',
      "console.log(sources([[], [0]]));",
    );
    await runNotebook(file, { scale: "standard", out: folder, update: { figures: join(folder, "figures") } });
    good = await readNotebook(file);
  });
  const withCell = (index: number, change: object): Notebook => ({
    ...good,
    cells: good.cells.map((cell, at) => (at === index ? ({ ...cell, ...change } as typeof cell) : cell)),
  });

  it("finds nothing wrong with a notebook that was just run", async () => {
    expect(await messages(good)).toEqual([]);
  });

  it("finds outputs that are missing", async () => {
    expect(await messages(notebookOf("1"))).toEqual(["has no outputs; run it with --update"]);
  });

  it("finds outputs made from other code", async () => {
    expect(await messages(withCell(1, { source: "console.log(sources([[]]));" }))).toEqual([
      "has outputs made from other code; run it with --update",
    ]);
  });

  it("finds outputs without a stamp and at another scale", async () => {
    const { thoughtbook, ...metadata } = good.metadata;
    expect(await messages({ ...good, metadata })).toEqual([
      "does not say what its outputs were made from; run it with --update",
    ]);
    const smoke = { ...good, metadata: { ...metadata, thoughtbook: { ...thoughtbook!, scale: "smoke" } } };
    expect(await messages(smoke)).toEqual(["has outputs at scale smoke; committed ones are at scale standard"]);
  });

  it("finds error outputs, stderr and injected cells", async () => {
    const error = { output_type: "error", ename: "RangeError", evalue: "no", traceback: [] };
    const warning = { output_type: "stream", name: "stderr", text: "a warning\nmore" };
    expect(
      await messages(withCell(1, { outputs: [error, warning], metadata: { tags: ["injected-parameters"] } })),
    ).toEqual([
      "cell 2: is left over from a run with parameters",
      "cell 2: ended with RangeError: no",
      "cell 2: printed to stderr: a warning",
    ]);
  });

  it("finds code that only strict TypeScript rejects, with cell and line", async () => {
    const source = 'const found = [1].find((n) => n > 1);\nconsole.log("a");\nfound.toFixed();';
    const found = await messages(withCell(1, { source }));
    expect(found).toContain("cell 2: line 3: TS18048: 'found' is possibly 'undefined'.");
  });

  it("lets cells fail that are tagged raises-exception", async () => {
    const failed = { output_type: "error", ename: "Error", evalue: "meant", traceback: [] };
    const wrong = codeCell('const n: number = "text";', ["raises-exception"]);
    const file = await writeCells(temporaryFolder(), "a.ipynb", { ...wrong, outputs: [failed] } as typeof wrong);
    const problems = await checkNotebook(file, options);
    expect(problems.map(({ message }) => message)).toEqual([
      "does not say what its outputs were made from; run it with --update",
    ]);
  });

  it("allows await at top level", async () => {
    const found = await messages(withCell(1, { source: "await Promise.resolve();" }));
    expect(found.join()).not.toMatch(/TS\d/);
  });

  it("finds lines too long to read and files too large to review", async () => {
    expect(await messages(withCell(1, { source: `// ${"x".repeat(90)}` }))).toContain(
      "cell 2: line 1 has 93 characters; the limit is 88",
    );
    const large = { output_type: "stream", name: "stdout", text: "x".repeat(550_000) };
    expect((await messages(withCell(1, { outputs: [large] })))[0]).toMatch(
      /^is 55\d{4} bytes large; the limit is 550000/,
    );
  });

  it("is an error for a file that is no notebook", async () => {
    const file = join(temporaryFolder(), "a.ipynb");
    await writeFile(file, "[]");
    await expect(checkNotebook(file, options)).rejects.toThrow(/is no nbformat 4 notebook/);
  });
});
