import { ThoughtbookError } from "../core/index.js";
import { type CodeCell, codeCells, hasTag, joinText, type Notebook } from "./notebook-file.js";

/** How much work a notebook does: minutes on the embedded model, the committed figures, or everything. */
export type Scale = "smoke" | "standard" | "full";

export const SCALES: readonly Scale[] = ["smoke", "standard", "full"];

export type ParameterValues = Readonly<Record<string, unknown>>;

interface Declaration {
  type: string | undefined;
  cast: string | undefined;
}

// `const name: Type = value as Cast;`, one on a line: the convention of papermill, in TypeScript.
const DECLARATION =
  /^(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*(?::\s*([^=]+?))?\s*=\s*(.*?)(?:\s+as\s+([^;]+?))?;?\s*(?:\/\/.*)?$/;

/** The parameters that a notebook declares in its cell tagged `parameters`, by name. */
export function declaredParameters(notebook: Notebook): Map<string, Declaration> {
  const declared = new Map<string, Declaration>();
  for (const cell of codeCells(notebook).filter((cell) => hasTag(cell, "parameters"))) {
    for (const line of joinText(cell.source).split("\n")) {
      const match = DECLARATION.exec(line.trim());
      if (match) declared.set(match[1]!, { type: match[2], cast: match[4] });
    }
  }
  return declared;
}

/**
 * The code that overrides parameters; the runner executes it after the cell tagged `parameters`, as papermill does.
 * A value keeps the type that its declaration states, so that later cells type-check as before.
 * @throws ThoughtbookError "bad-input" for a name that the notebook does not declare.
 */
export function parameterCell(notebook: Notebook, values: ParameterValues, file: string): CodeCell | undefined {
  const declared = declaredParameters(notebook);
  const lines = Object.entries(values).map(([name, value]) => {
    const declaration = declared.get(name);
    if (!declaration) {
      const known = [...declared.keys()].join(", ") || "none";
      throw new ThoughtbookError("bad-input", `${file} has no parameter "${name}" (its parameters: ${known})`, {
        hint: "Declare it as `const name = value;` in a code cell tagged `parameters`.",
      });
    }
    const { type, cast } = declaration;
    return `const ${name}${type ? `: ${type}` : ""} = ${JSON.stringify(value)}${cast ? ` as ${cast}` : ""};`;
  });
  if (lines.length === 0) return undefined;
  return {
    cell_type: "code",
    id: "injected-parameters",
    metadata: { tags: ["injected-parameters"] },
    source: lines.join("\n"),
    execution_count: null,
    outputs: [],
  };
}

/** A copy of the notebook with the cell placed after the last one tagged `parameters`. */
export function injectCell(notebook: Notebook, cell: CodeCell): Notebook {
  const cells = notebook.cells.filter((existing) => !hasTag(existing, "injected-parameters"));
  const at = cells.findLastIndex((existing) => hasTag(existing, "parameters"));
  return { ...notebook, cells: [...cells.slice(0, at + 1), cell, ...cells.slice(at + 1)] };
}
