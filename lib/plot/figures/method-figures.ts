import type { AtomSummary, RecordMeasures } from "../../aot/index.js";
import { badInput } from "../../core/index.js";
import type { PaperTable } from "../../data/index.js";
import type { BaselineResult, BaselineResults } from "../../study/index.js";
import type { Figure } from "../figure.js";
import { barFigure } from "./bar.js";
import { lineFigure } from "./line.js";

/**
 * The figures of a comparison of strategies besides accuracy against tokens, from the results of `thoughtbook baselines`: accuracy by
 * the depth of the question's graph, histograms of the transitions of Atom of Thoughts, and what learned prompts give with
 * and without it. Only those for which there are numbers; one of each for a model and task.
 */
export function methodFigures({ name, results }: Pick<BaselineResults, "name" | "results">): Figure[] {
  const groups = [...new Set(results.map(({ model, task }) => JSON.stringify([model, task])))].map((key) =>
    results.filter(({ model, task }) => JSON.stringify([model, task]) === key),
  );
  return groups.flatMap((own, at) => {
    const prefix = groups.length > 1 ? `${name}-${at + 1}` : name;
    return [depthFigure(prefix, own), transitionsFigure(prefix, own), promptFigure(prefix, own)].flatMap(
      (figure) => figure ?? [],
    );
  });
}

const measuresOf = ({ measures }: BaselineResult): RecordMeasures => (measures ?? {}) as RecordMeasures;
const placeOf = ([first]: readonly BaselineResult[]): string =>
  `${first!.model}, ${first!.problems} problems of ${first!.task}`;

/** Methods that are drawn by depth, where they are there: with and without decomposition. */
const BY_DEPTH: readonly string[] = ["direct", "cot", "cot-sc", "least-to-most", "aot", "aot-single", "aot-no-graph"];

function depthFigure(name: string, results: readonly BaselineResult[]): Figure | undefined {
  const series = results.flatMap((result) => {
    const { byDepth = [] } = measuresOf(result);
    if (byDepth.length < 2 || !BY_DEPTH.includes(result.method)) return [];
    return [
      {
        name: result.method,
        x: byDepth.map(({ depth }) => depth),
        y: byDepth.map(({ accuracy }) => 100 * accuracy.value),
        intervals: byDepth.map(({ accuracy }) => percents(accuracy.interval)),
      },
    ];
  });
  if (series.length === 0) return undefined;
  return lineFigure({
    name: `${name}-depth`,
    title: "Accuracy by the depth of the question's graph",
    subtitle: `${placeOf(results)}; strict grading, 95 % intervals`,
    series,
    xTitle: "Edges on the longest path",
    yTitle: "Accuracy (%)",
  });
}

function transitionsFigure(name: string, results: readonly BaselineResult[]): Figure | undefined {
  const found = results.flatMap((result) => {
    const { atoms } = measuresOf(result);
    return atoms && result.method.startsWith("aot") ? [{ method: result.method, atoms }] : [];
  });
  if (found.length === 0) return undefined;
  const most = Math.max(...found.map(({ atoms }) => atoms.transitions.length));
  return barFigure({
    name: `${name}-transitions`,
    title: "Transitions of Atom of Thoughts",
    subtitle: `${placeOf(results)}; none: no graph, or one without dependencies`,
    categories: Array.from({ length: most }, (_, count) => String(count)),
    series: found.slice(0, 8).map(({ method, atoms }) => ({ name: method, values: shares(atoms, most) })),
    categoryTitle: "Transitions",
    valueTitle: "Share of the chains (%)",
  });
}

const shares = (atoms: AtomSummary, most: number): number[] =>
  Array.from({ length: most }, (_, count) => (100 * (atoms.transitions[count] ?? 0)) / atoms.chains);

/** The 2 × 2 of {AoT, none} × {learned prompt, none}; undefined unless a prompt was learned. */
function promptFigure(name: string, results: readonly BaselineResult[]): Figure | undefined {
  const cell = (method: string) => results.find((result) => result.method === method)?.budgets.at(-1)?.accuracy.strict;
  const rows = ["cot", "aot"] as const;
  if (!rows.some((row) => cell(`${row}-prompt`))) return undefined;
  const series = (suffix: string) => rows.map((row) => cell(`${row}${suffix}`));
  const columns = { "without a prompt": series(""), "with a learned prompt": series("-prompt") };
  return barFigure({
    name: `${name}-prompts`,
    title: "Atom of Thoughts and learned prompts",
    subtitle: `${placeOf(results)}; strict grading, 95 % intervals`,
    categories: ["chain of thought", "Atom of Thoughts"],
    series: Object.entries(columns).map(([title, values]) => ({
      name: title,
      values: values.map((value) => (value ? 100 * value.value : null)),
      intervals: values.map((value) => percents(value?.interval)),
    })),
    valueTitle: "Accuracy (%)",
  });
}

/** Rows of the tables of Atom of Thoughts by the names of our strategies. */
const PAPER_ROWS: Readonly<Record<string, string>> = {
  CoT: "cot",
  "CoT-SC": "cot-sc",
  "CoT-SC (n=5)": "cot-sc",
  "Self-Refine": "self-refine",
  "Analogical Prompting": "analogical",
  ToT: "tree-of-thoughts",
  FoT: "forest-of-thoughts",
  "FoT (n=8)": "forest-of-thoughts",
  AoT: "aot",
  "AoT*": "aot-best-of-k",
};

/**
 * A table of the paper on Atom of Thoughts beside ours: accuracy on one benchmark, of the methods that both have.
 *
 * @param benchmark as the table calls it
 * @param results of that benchmark, with one model
 */
export function besidePaperFigure(
  { model, source, benchmarks, rows }: PaperTable,
  benchmark: string,
  { name, results }: Pick<BaselineResults, "name" | "results">,
): Figure {
  const column = benchmarks.indexOf(benchmark);
  const shared = rows.flatMap(([row, values]) => {
    const own = results.find(({ method }) => method === PAPER_ROWS[row])?.budgets.at(-1)?.accuracy.strict;
    return own && column >= 0 ? [{ row, paper: values[column]!, own }] : [];
  });
  if (shared.length === 0) {
    throw badInput(`there is nothing of ${benchmark} to show beside ${source}`, "Give results of methods that it has.");
  }
  return barFigure({
    name: `${name}-beside-paper`,
    title: `Atom of Thoughts on ${benchmark}, as reported and as measured here`,
    subtitle: `${source}; ${placeOf(results)}, strict grading, 95 % intervals`,
    categories: shared.map(({ row }) => row),
    series: [
      { name: `${model} (paper)`, values: shared.map(({ paper }) => paper) },
      {
        name: `${results[0]!.model} (measured)`,
        values: shared.map(({ own }) => 100 * own.value),
        intervals: shared.map(({ own }) => percents(own.interval)),
      },
    ],
    valueTitle: "Accuracy (%)",
  });
}

const percents = (interval: readonly [number, number] | undefined): [number, number] | null =>
  interval ? [100 * interval[0], 100 * interval[1]] : null;
