import { describe, expect, it } from "vitest";
import { declaredParameters, injectCell, parameterCell } from "../../lib/dist/notebook/parameters.js";
import { codeCell, notebookOf } from "./helpers.js";

const notebook = notebookOf(
  'console.log("first");',
  codeCell(
    'const scale = "standard" as Scale; // the dial\nconst seed: number = 1;\nconst names = ["a"];\n// const old = 2;',
    ["parameters"],
  ),
  "console.log(scale);",
);

describe("parameters", () => {
  it("are the declarations of the cell tagged so", () => {
    expect([...declaredParameters(notebook).keys()]).toEqual(["scale", "seed", "names"]);
  });

  it("keep the types of their declarations when they are overridden", () => {
    const cell = parameterCell(notebook, { scale: "smoke", seed: 7, names: ["x", "y"] }, "n.ipynb");
    expect(cell?.source).toBe('const scale = "smoke" as Scale;\nconst seed: number = 7;\nconst names = ["x","y"];');
  });

  it("are injected after the tagged cell, in place of an earlier injection", () => {
    const once = injectCell(notebook, parameterCell(notebook, { seed: 2 }, "n.ipynb")!);
    const twice = injectCell(once, parameterCell(notebook, { seed: 3 }, "n.ipynb")!);
    expect(twice.cells.map((cell) => cell.metadata.tags?.[0])).toEqual([
      undefined,
      "parameters",
      "injected-parameters",
      undefined,
    ]);
    expect(twice.cells[2]?.source).toBe("const seed: number = 3;");
    expect(notebook.cells).toHaveLength(3);
  });

  it("that are not declared are an error that names those that are", () => {
    expect(() => parameterCell(notebook, { sede: 2 }, "n.ipynb")).toThrow(
      'n.ipynb has no parameter "sede" (its parameters: scale, seed, names)',
    );
  });

  it("need no cell when there are none", () => {
    expect(parameterCell(notebook, {}, "n.ipynb")).toBeUndefined();
  });
});
