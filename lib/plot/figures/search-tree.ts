import type { SearchNode, SearchTree } from "../../astar/index.js";
import { badInput, checkName } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { edgePath, type GraphLayout, layoutGraph, type PlacedBox } from "../parts/graph-layout.js";
import { inLayers, isBestFirst } from "../parts/search-tree-edges.js";
import { decimalsFor, formatNumber } from "../style/numbers.js";
import { baseLayout, COLOURS, headHeight, plainText, SIZES, textLines, WIDTH } from "../style/style.js";
import { type TextStyle, textExtent, textWidth, wrapText } from "../style/text-width.js";

export interface SearchTreeOptions extends Omit<FigureOptions, "height"> {
  tree: SearchTree;
  /** Number of steps of the chain. */
  steps: number;
  /** Steps that the search returned; the node with exactly these is outlined. Default: none. */
  kept?: readonly number[];
  /**
   * Draw at most this many sibling leaves with the same outcome; the rest share a box. Default: 3. Sets that were
   * verified only to learn from, which have no f, all share one.
   */
  mostLeaves?: number;
  /**
   * Caption that explains the numbers and edges. Default: as in this project's searches, by what the tree's nodes have.
   */
  caption?: string;
}

/** State of a node; the last one that applies. */
const STATES = {
  scored: { name: "scored", sign: "", fill: "#F2F2F2", stroke: "#8C8C8C" },
  expanded: { name: "expanded", sign: "", fill: "#DCEEF9", stroke: "#0072B2" },
  rejected: { name: "\u2717 verified, rejected", sign: " \u2717", fill: "#FBE0CC", stroke: "#B34B00" },
  accepted: { name: "\u2713 verified, accepted", sign: " \u2713", fill: "#CDEBDF", stroke: "#00664B" },
} as const;
type State = keyof typeof STATES;
const STATE_NAMES = Object.keys(STATES) as readonly State[];

/** A node to draw, or a group of several. */
interface Box {
  node: SearchNode;
  parent: number | null;
  state: State;
  lines: { text: string; style: TextStyle }[];
  width: number;
  height: number;
}

const LABEL: TextStyle = { size: SIZES.label, bold: true };
const VALUE: TextStyle = { size: 11 };
const WRAP_WIDTH = 130;
const PADDING = { x: 9, y: 6 };
const GAPS = { boxes: 12, layers: 34 };
const MARGIN = 18;
/** Between the area that is drawn on and the figure's sides. */
const EDGE = 6;
const LEGEND_HEIGHT = 40;
const MOST_BOXES = 150;
const MOST_LEAVES = 3;
const CAPTION: TextStyle = { size: SIZES.label };
const CAPTION_LINE = 1.35 * SIZES.label;
const WAY = { color: COLOURS.text, width: 2.5 };
const PROPOSED = { color: "#A6A6A6", width: 1 };

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
export function searchTreeFigure(options: SearchTreeOptions): Figure {
  const { name, title, tree, steps, kept, mostLeaves = MOST_LEAVES } = options;
  checkName(name);
  checkTree(tree.nodes);
  const boxes = drawnBoxes(inLayers(tree.nodes), steps, mostLeaves);
  if (boxes.length > MOST_BOXES) {
    throw badInput(
      `the tree has ${boxes.length} boxes, expected at most ${MOST_BOXES}`,
      "Draw a search with lower limits, or set mostLeaves to 1.",
    );
  }
  const graph = layoutGraph(
    boxes,
    boxes.map(({ parent }) => (parent === null ? [] : [parent])),
    GAPS,
  );
  const width = Math.max(options.width ?? WIDTH, Math.ceil(graph.width + 2 * MARGIN));
  const top = headHeight(options, width) + LEGEND_HEIGHT;
  const caption = wrapText(options.caption ?? captionOf(tree.nodes, boxes), width - 2 * MARGIN, CAPTION);
  const height = Math.ceil(top + graph.height + MARGIN + CAPTION_LINE * caption.length + MARGIN);
  const side = (width - graph.width) / 2;
  // A little larger than the drawing, whose outlines would be cut else.
  const below = height - top - graph.height;
  const [left, right, bottom] = [EDGE - side, graph.width + side - EDGE, graph.height + below - EDGE];
  const axis = { visible: false, fixedrange: true };
  const layout = baseLayout({ ...options, width, height }, true, {
    // A unit is a pixel.
    margin: { l: EDGE, r: EDGE, t: top - EDGE, b: EDGE, pad: 0, autoexpand: false },
    xaxis: { ...axis, range: [left, right] },
    yaxis: { ...axis, range: [bottom, -EDGE] },
    shapes: [...edges(graph, boxes), ...graph.boxes.map((box, at) => frame(box, boxes[at]!, kept))],
    annotations: captionTexts(caption, { left: MARGIN - side, top: graph.height + MARGIN }),
  });
  return {
    name,
    title,
    spec: { data: [...legend(boxes, kept), texts(graph.boxes, boxes)], layout },
    table: treeTable(tree.nodes),
  };
}

function checkTree(nodes: readonly SearchNode[]): void {
  if (nodes.length === 0) throw badInput("search tree: no nodes, expected at least one", "Leave it out.");
  const wrong = nodes.findIndex(({ parent }, at) => parent !== null && !(parent >= 0 && parent < at));
  if (wrong < 0) return;
  throw badInput(`search tree: node ${wrong} has the parent ${nodes[wrong]!.parent}`, "Parents stand before children.");
}

function captionOf(nodes: readonly SearchNode[], boxes: readonly Box[]): string {
  if (!isBestFirst(nodes)) return WALK_CAPTION;
  return BEST_FIRST_CAPTION + (boxes.filter(({ parent }) => parent === null).length > 1 ? LEARNED_CAPTION : "");
}

function captionTexts(lines: readonly string[], { left, top }: { left: number; top: number }): object[] {
  return lines.map((line, at) => ({
    text: plainText(line),
    font: { size: CAPTION.size, color: COLOURS.muted },
    x: left,
    xanchor: "left",
    y: top + at * CAPTION_LINE,
    yanchor: "top",
    borderpad: 0,
    showarrow: false,
  }));
}

function stateOf({ verdict, expanded }: SearchNode): State {
  return verdict ?? (expanded === undefined ? "scored" : "expanded");
}

/** The nodes with their texts; of sibling leaves with the same outcome only some. */
function drawnBoxes(nodes: readonly SearchNode[], steps: number, mostLeaves: number): Box[] {
  const parents = new Set(nodes.map(({ parent }) => parent));
  const groups = new Map<string, number[]>();
  for (const [at, node] of nodes.entries()) {
    const isLearned = node.parent === null && node.f === undefined && node.g !== undefined && !node.chosen;
    const isLeaf = !parents.has(at) && !node.chosen && (node.parent !== null || isLearned);
    const key = isLeaf ? `${node.parent} ${stateOf(node)} ${node.f === undefined}` : `${at}`;
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  // One box for two would save nothing.
  const hidden = new Map(
    [...groups.values()].flatMap((group) => {
      const shown = nodes[group[0]!]!.f === undefined ? 0 : mostLeaves;
      const rest = group.length > shown + 1 ? group.slice(shown) : [];
      return rest.map((at, index) => [at, index === 0 ? rest.length : 0] as const);
    }),
  );
  const decimals = decimalsFor(nodes.flatMap(({ f, g }) => f ?? g ?? []));
  const place = new Map<number, number>();
  const boxes: Box[] = [];
  for (const [at, node] of nodes.entries()) {
    const others = hidden.get(at);
    if (others === 0) continue;
    place.set(at, boxes.length);
    const label =
      others === undefined ? setLabel(node.kept, steps) : others + (node.f === undefined ? " sets" : " more");
    const state = stateOf(node);
    const { sign } = STATES[state];
    const value = others === undefined ? valueLabel(node, decimals) : undefined;
    boxes.push({
      node,
      parent: node.parent === null ? null : place.get(node.parent)!,
      state,
      ...(value === undefined ? boxText(label + sign, undefined) : boxText(label, value + sign)),
    });
  }
  return boxes;
}

function boxText(label: string, value: string | undefined): Pick<Box, "lines" | "width" | "height"> {
  const lines = [
    ...wrapText(label, WRAP_WIDTH, LABEL).map((text) => ({ text, style: LABEL })),
    ...(value === undefined ? [] : [{ text: value, style: VALUE }]),
  ];
  return {
    lines,
    width: Math.max(...lines.map(({ text, style }) => textWidth(text, style))) + 2 * PADDING.x,
    height: lines.reduce((sum, { style }) => sum + lineHeight(style), 0) + 2 * PADDING.y,
  };
}

function lineHeight(style: TextStyle): number {
  const { above, below } = textExtent(style);
  return above + below;
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

function valueLabel({ f, g }: SearchNode, decimals: number): string | undefined {
  if (f !== undefined) return `f ${formatNumber(f, decimals)}`;
  return g === undefined ? undefined : `g ${formatNumber(g, decimals)}`;
}

/** Lines from parents to children; those to chosen nodes last, so that none covers them. */
function edges({ edges: placed }: GraphLayout, boxes: readonly Box[]): object[] {
  const isChosen = ({ to }: { to: number }) => boxes[to]!.node.chosen;
  const sorted = [...placed.filter((edge) => !isChosen(edge)), ...placed.filter(isChosen)];
  return sorted.map((edge) => ({
    type: "path",
    layer: "below",
    path: edgePath(edge.points),
    line: isChosen(edge) ? WAY : PROPOSED,
  }));
}

function frame({ x, y, width, height }: PlacedBox, box: Box, kept: readonly number[] | undefined): object {
  const { state } = box;
  return {
    type: "rect",
    layer: "below",
    x0: x - width / 2,
    x1: x + width / 2,
    y0: y - height / 2,
    y1: y + height / 2,
    fillcolor: STATES[state].fill,
    line: { color: STATES[state].stroke, width: isResult(box, kept) ? 4 : 1.5 },
  };
}

/** One entry for each state that occurs, for the edges of the way, and for the outline of the result. */
function legend(boxes: readonly Box[], kept: readonly number[] | undefined): object[] {
  const square = (name: string, color: string, line: object) => {
    return {
      type: "scatter",
      mode: "markers",
      name,
      x: [null],
      y: [null],
      marker: { symbol: "square", size: 12, color, line },
    };
  };
  const states = STATE_NAMES.filter((state) => boxes.some((box) => box.state === state));
  const hasWay = boxes.some(({ node, parent }) => parent !== null && node.chosen);
  const hasResult = boxes.some((box) => isResult(box, kept));
  return [
    ...states.map((state) =>
      square(STATES[state].name, STATES[state].fill, { color: STATES[state].stroke, width: 1.5 }),
    ),
    ...(hasResult ? [square("kept", COLOURS.background, { color: STATES.accepted.stroke, width: 4 })] : []),
    ...(hasWay ? [{ type: "scatter", mode: "lines", name: "gone on to", x: [null], y: [null], line: WAY }] : []),
  ];
}

const isResult = ({ node, state }: Box, kept: readonly number[] | undefined): boolean =>
  kept !== undefined && state === "accepted" && String(node.kept) === String(kept);

/** One text a line, in the middle of its box. */
function texts(placed: readonly PlacedBox[], boxes: readonly Box[]): object {
  const lines = boxes.flatMap(({ lines: own, height, node }, at) => {
    let top = placed[at]!.y - height / 2 + PADDING.y;
    return own.map(({ text, style }) => {
      const y = top + lineHeight(style) / 2;
      top += lineHeight(style);
      return { x: placed[at]!.x, y, text, style, node };
    });
  });
  return {
    type: "scatter",
    mode: "text",
    showlegend: false,
    x: lines.map(({ x }) => x),
    y: lines.map(({ y }) => y),
    text: lines.map(({ text }) => textLines([text])),
    textfont: {
      size: lines.map(({ style }) => style.size),
      color: lines.map(({ style }) => (style.bold ? COLOURS.text : COLOURS.muted)),
      weight: lines.map(({ style }) => (style.bold ? "bold" : "normal")),
    },
    customdata: lines.map(({ node }) => plainText(`steps ${node.kept.join(" ")}`)),
    hovertemplate: "%{customdata}<extra></extra>",
  };
}

function treeTable(nodes: readonly SearchNode[]): Figure["table"] {
  return {
    columns: ["node", "parent", "kept", "f", "g", "h", "chosen", "expanded", "verdict"],
    rows: nodes.map(({ kept, parent, f, g, h, chosen, expanded, verdict }, at) => [
      at,
      parent,
      kept.join(" "),
      f ?? null,
      g ?? null,
      h ?? null,
      chosen,
      expanded ?? null,
      verdict ?? null,
    ]),
  };
}
