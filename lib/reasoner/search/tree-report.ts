import { mean } from "../../core/index.js";
import { auc } from "../auc.js";
import type { SearchRecord, StepTree } from "./run-search.js";

/** What the candidates and trees of a search tell of why it finds what it finds. */
export interface SearchReport {
  /** Different texts among the candidates of a problem, as a share. */
  different: number;
  /** How well scores tell right candidates from wrong ones, over all problems; undefined without both kinds. */
  scoreAuc?: number;
  /** Over all nodes that have a value: how well it tells beginnings of which a candidate is right from the others. */
  valueAuc?: number;
  /** Mean number of nodes, and greatest depth, of a tree. */
  nodes?: number;
  depth?: number;
}

/** Report on a search from its records. */
export function searchReport(records: readonly SearchRecord[]): SearchReport {
  const candidates = records.flatMap(({ candidates }) => candidates);
  const scores = auc(
    candidates.map(({ score }) => score),
    candidates.map(({ correct }) => correct),
  );
  const own = records.filter(({ candidates }) => candidates.length > 0);
  const trees = records.flatMap(({ trees = [] }) => trees);
  const nodes = records.flatMap((record) => (record.trees ?? []).flatMap((tree) => valuedNodes(tree, record)));
  const values = auc(
    nodes.map(({ value }) => value),
    nodes.map(({ leads }) => leads),
  );
  return {
    different:
      own.length === 0
        ? 0
        : mean(own.map(({ candidates }) => new Set(candidates.map(({ text }) => text)).size / candidates.length)),
    ...(scores === undefined ? {} : { scoreAuc: scores }),
    ...(values === undefined ? {} : { valueAuc: values }),
    ...(trees.length === 0
      ? {}
      : { nodes: mean(trees.map(({ nodes }) => nodes.length)), depth: mean(trees.map(depthOf)) }),
  };
}

/** Steps from the root to each node. */
function stepsOf({ nodes }: StepTree): string[][] {
  const paths: string[][] = [];
  for (const { parent, state } of nodes) paths.push(parent === null ? [] : [...paths[parent]!, state.step]);
  return paths;
}

const depthOf = (tree: StepTree): number => Math.max(...stepsOf(tree).map(({ length }) => length));

function valuedNodes(tree: StepTree, { candidates }: SearchRecord): { value: number; leads: boolean }[] {
  const lines = (text: string) => text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  const right = candidates.filter(({ correct }) => correct).map(({ text }) => lines(text).join("\n"));
  return stepsOf(tree).flatMap((path, at) => {
    const { value, state } = tree.nodes[at]!;
    if (value === undefined || path.length === 0 || state.complete) return [];
    const beginning = lines(path.join("\n")).join("\n");
    return [{ value, leads: right.some((text) => text.startsWith(beginning)) }];
  });
}
