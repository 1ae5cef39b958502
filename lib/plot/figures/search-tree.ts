import type { SearchTree } from "../../search/index.js";
import type { Figure, FigureOptions } from "../figure.js";
import { inLayers, isBestFirst, type StepNode } from "../parts/search-tree-edges.js";
import { treeFigure } from "./tree.js";

export interface SearchTreeOptions extends Omit<FigureOptions, "height"> {
  tree: SearchTree<readonly number[]>;
  /** How many steps the chain has. */
  steps: number;
  /** Steps that the search returned; the node with exactly these is outlined. Default: none. */
  kept?: readonly number[];
  /**
   * Draw at most this many sibling leaves with the same outcome; the rest share a box. Default: 3. Sets that were verified
   * to learn from, which have no f, are all in one.
   */
  mostLeaves?: number;
  /**
   * Caption that explains the numbers and edges. Default: as in this project's searches, by what the tree's nodes have.
   */
  caption?: string;
}

const KEPT = "In a box: the kept steps";
const WALK_CAPTION =
  `${KEPT}. An edge adds a step with its neighbours; the search goes on to the child of least f. f = g + h, in nats a ` +
  "token: g is \u03B2 times the mean \u2212log p of the kept steps given the question, h the mean \u2212log p of the solution " +
  "given both.";
const BEST_FIRST_CAPTION =
  `${KEPT}. An edge adds one step; the search goes on to the open set of least f. f = g + h: g is what the kept steps cost ` +
  "(in tokens), h a lower bound on what must still be added.";
const LEARNED_CAPTION =
  " Boxes without any edge: sets that were verified only to learn which steps are needed; they have no f.";

/**
 * Draw the tree of a search from top to bottom: a box for each set of kept steps, with its steps ("0–3 7", or "all but
 * 5" where that is shorter) and f, or g where there is no f; colour and sign show its state. Every edge means the same:
 * the lower set is the upper one plus a step, bold where the search continued. Sets that were verified only to learn
 * from stand on top, without an edge. A caption explains edges, f, g and h. Table: node, parent, kept, f, g, h, chosen,
 * expanded, verdict, for all nodes.
 *
 * @throws bad-input if the tree is empty or has too many boxes to be read, or a parent does not stand before its node
 */
export function searchTreeFigure({ steps, kept, caption, ...options }: SearchTreeOptions): Figure {
  const { nodes } = options.tree;
  const layers = inLayers(nodes);
  const result = layers.findIndex(({ state, verdict }) => verdict === "accepted" && String(state) === String(kept));
  const figure = treeFigure({
    ...options,
    tree: { nodes: layers },
    label: (state) => setLabel(state, steps),
    describe: (state) => `steps ${state.join(" ")}`,
    result: kept === undefined || result < 0 ? undefined : result,
    caption: caption ?? captionOf(layers),
  });
  return { ...figure, table: stepTable(nodes) };
}

function captionOf(nodes: readonly StepNode[]): string {
  if (!isBestFirst(nodes)) return WALK_CAPTION;
  return BEST_FIRST_CAPTION + (nodes.filter(({ parent }) => parent === null).length > 1 ? LEARNED_CAPTION : "");
}

/** The steps with runs written as ranges, or those that are missing where they are fewer. */
function setLabel(kept: readonly number[], steps: number): string {
  const missing = Array.from({ length: steps }, (_, step) => step).filter((step) => !kept.includes(step));
  if (missing.length === 0) return steps === 0 ? "none" : "all";
  if (kept.length === 0) return "none";
  const [some, allBut] = [ranges(kept), `all but ${ranges(missing)}`];
  return allBut.length < some.length ? allBut : some;
}

function ranges(steps: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const step of steps) {
    const run = runs.at(-1);
    if (run && step === run[1] + 1) run[1] = step;
    else runs.push([step, step]);
  }
  return runs
    .map(([first, last]) => (last - first > 1 ? `${first}–${last}` : [...new Set([first, last])].join(" ")))
    .join(" ");
}

function stepTable(nodes: readonly StepNode[]): Figure["table"] {
  return {
    columns: ["node", "parent", "kept", "f", "g", "h", "chosen", "expanded", "verdict"],
    rows: nodes.map(({ state, parent, f, g, h, chosen, expanded, verdict }, at) => [
      ...[at, parent, state.join(" ")],
      ...[f, g, h].map((number) => number ?? null),
      ...[chosen, expanded ?? null, verdict ?? null],
    ]),
  };
}
