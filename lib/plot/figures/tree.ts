import { badInput } from "../../core/index.js";
import type { SearchTree, TreeNode } from "../../search/index.js";
import { checkName } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { edgePath, type GraphLayout, layoutGraph, type PlacedBox } from "../parts/graph-layout.js";
import { decimalsFor, formatNumber } from "../style/numbers.js";
import { baseLayout, COLOURS, headHeight, plainText, SIZES, textLines, WIDTH } from "../style/style.js";
import { type TextStyle, textExtent, textWidth, wrapText } from "../style/text-width.js";

export interface TreeFigureOptions<State> extends Omit<FigureOptions, "height"> {
  tree: SearchTree<State>;
  /** What stands in the box of a state. */
  label(state: State): string;
  /** What is shown of a state where the mouse is, and stands in the table. Default: its label. */
  describe?: ((state: State) => string) | undefined;
  /** Index of the node that is the result, which is outlined. Default: none. */
  result?: number | undefined;
  /** Draw at most this many sibling leaves with the same outcome; the rest share a box. Default: 3. */
  mostLeaves?: number | undefined;
  /** What the edges and numbers mean, written below. */
  caption: string;
}

/** What became of a node; the last that holds. */
const STATES = {
  scored: { name: "scored", sign: "", fill: "#F2F2F2", stroke: "#8C8C8C" },
  expanded: { name: "expanded", sign: "", fill: "#DCEEF9", stroke: "#0072B2" },
  rejected: { name: "\u2717 verified, rejected", sign: " \u2717", fill: "#FBE0CC", stroke: "#B34B00" },
  accepted: { name: "\u2713 verified, accepted", sign: " \u2713", fill: "#CDEBDF", stroke: "#00664B" },
} as const;
type State = keyof typeof STATES;
const STATE_NAMES = Object.keys(STATES) as readonly State[];

/** A node to draw, or what stands for several. */
interface Box {
  /** Index in the tree. */
  node: number;
  chosen: boolean;
  text: string;
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

/**
 * The tree of a search from top to bottom: a box for each state with its label and what the search knows of it: f, or else
 * g, or its value and visits. Colour and sign tell what became of it; the way to the nodes that the search continued with is
 * bold. Table: node, parent, state, f, g, h, prior, visits, value, chosen, expanded, verdict.
 *
 * @throws bad-input if the tree is empty or has too many boxes to be read, or a parent does not stand before its node
 */
export function treeFigure<State>(options: TreeFigureOptions<State>): Figure {
  const { name, title, tree, label, describe = label, result, mostLeaves = MOST_LEAVES } = options;
  checkName(name);
  checkTree(tree.nodes);
  const boxes = drawnBoxes(tree.nodes, { label, describe }, mostLeaves);
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
  const caption = wrapText(options.caption, width - 2 * MARGIN, CAPTION);
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
    shapes: [...edges(graph, boxes), ...graph.boxes.map((box, at) => frame(box, boxes[at]!, result))],
    annotations: captionTexts(caption, { left: MARGIN - side, top: graph.height + MARGIN }),
  });
  return {
    name,
    title,
    spec: { data: [...legend(boxes, result), texts(graph.boxes, boxes)], layout },
    table: treeTable(tree.nodes, describe),
  };
}

function checkTree(nodes: readonly TreeNode<unknown>[]): void {
  if (nodes.length === 0) throw badInput("search tree: no nodes, expected at least one", "Leave it out.");
  const wrong = nodes.findIndex(({ parent }, at) => parent !== null && !(parent >= 0 && parent < at));
  if (wrong < 0) return;
  throw badInput(`search tree: node ${wrong} has the parent ${nodes[wrong]!.parent}`, "Parents stand before children.");
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

function stateOf({ verdict, expanded }: TreeNode<unknown>): State {
  return verdict ?? (expanded === undefined ? "scored" : "expanded");
}

/** The nodes with their texts; of leaves that ended alike only some. */
function drawnBoxes<State>(
  nodes: readonly TreeNode<State>[],
  { label: labelOf, describe }: { label(state: State): string; describe(state: State): string },
  mostLeaves: number,
): Box[] {
  const parents = new Set(nodes.map(({ parent }) => parent));
  const groups = new Map<string, number[]>();
  for (const [at, node] of nodes.entries()) {
    const isLearned = node.parent === null && node.f === undefined && node.g !== undefined && !node.chosen;
    const isLeaf = !parents.has(at) && !node.chosen && (node.parent !== null || isLearned);
    const key = isLeaf ? `${node.parent} ${stateOf(node)} ${isUnscored(node)}` : `${at}`;
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  // One box for two would save nothing.
  const hidden = new Map(
    [...groups.values()].flatMap((group) => {
      const shown = isUnscored(nodes[group[0]!]!) ? 0 : mostLeaves;
      const rest = group.length > shown + 1 ? group.slice(shown) : [];
      return rest.map((at, index) => [at, index === 0 ? rest.length : 0] as const);
    }),
  );
  const decimals = decimalsFor(nodes.flatMap(({ f, g, value }) => f ?? g ?? value ?? []));
  const place = new Map<number, number>();
  const boxes: Box[] = [];
  for (const [at, node] of nodes.entries()) {
    const others = hidden.get(at);
    if (others === 0) continue;
    place.set(at, boxes.length);
    const label = others === undefined ? labelOf(node.state) : others + (isUnscored(node) ? " sets" : " more");
    const state = stateOf(node);
    const { sign } = STATES[state];
    const value = others === undefined ? valueLabel(node, decimals) : undefined;
    boxes.push({
      node: at,
      chosen: node.chosen,
      text: describe(node.state),
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

/** Whether nothing is known of a node but what a check said: a set that was verified to learn from. */
const isUnscored = ({ f, value }: TreeNode<unknown>): boolean => f === undefined && value === undefined;

function valueLabel({ f, g, value, visits }: TreeNode<unknown>, decimals: number): string | undefined {
  if (f !== undefined) return `f ${formatNumber(f, decimals)}`;
  if (value !== undefined) {
    return `${formatNumber(value, decimals)}${visits === undefined ? "" : ` (${visits})`}`;
  }
  return g === undefined ? undefined : `g ${formatNumber(g, decimals)}`;
}

/** Lines from parents to children; those to chosen nodes last, so that none covers them. */
function edges({ edges: placed }: GraphLayout, boxes: readonly Box[]): object[] {
  const isChosen = ({ to }: { to: number }) => boxes[to]!.chosen;
  const sorted = [...placed.filter((edge) => !isChosen(edge)), ...placed.filter(isChosen)];
  return sorted.map((edge) => ({
    type: "path",
    layer: "below",
    path: edgePath(edge.points),
    line: isChosen(edge) ? WAY : PROPOSED,
  }));
}

function frame({ x, y, width, height }: PlacedBox, box: Box, result: number | undefined): object {
  const { state } = box;
  return {
    type: "rect",
    layer: "below",
    x0: x - width / 2,
    x1: x + width / 2,
    y0: y - height / 2,
    y1: y + height / 2,
    fillcolor: STATES[state].fill,
    line: { color: STATES[state].stroke, width: box.node === result ? 4 : 1.5 },
  };
}

/** One entry for each state that occurs, for the edges of the way, and for the outline of the result. */
function legend(boxes: readonly Box[], result: number | undefined): object[] {
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
  const hasWay = boxes.some(({ chosen, parent }) => parent !== null && chosen);
  const hasResult = boxes.some(({ node }) => node === result);
  return [
    ...states.map((state) =>
      square(STATES[state].name, STATES[state].fill, { color: STATES[state].stroke, width: 1.5 }),
    ),
    ...(hasResult ? [square("kept", COLOURS.background, { color: STATES.accepted.stroke, width: 4 })] : []),
    ...(hasWay ? [{ type: "scatter", mode: "lines", name: "gone on to", x: [null], y: [null], line: WAY }] : []),
  ];
}

/** One text a line, in the middle of its box. */
function texts(placed: readonly PlacedBox[], boxes: readonly Box[]): object {
  const lines = boxes.flatMap(({ lines: own, height, text: described }, at) => {
    let top = placed[at]!.y - height / 2 + PADDING.y;
    return own.map(({ text, style }) => {
      const y = top + lineHeight(style) / 2;
      top += lineHeight(style);
      return { x: placed[at]!.x, y, text, style, described };
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
    customdata: lines.map(({ described }) => plainText(described)),
    hovertemplate: "%{customdata}<extra></extra>",
  };
}

function treeTable<State>(nodes: readonly TreeNode<State>[], describe: (state: State) => string): Figure["table"] {
  return {
    columns: ["node", "parent", "state", "f", "g", "h", "prior", "visits", "value", "chosen", "expanded", "verdict"],
    rows: nodes.map(({ state, parent, f, g, h, prior, visits, value, chosen, expanded, verdict }, at) => [
      ...[at, parent, describe(state)],
      ...[f, g, h, prior, visits, value].map((number) => number ?? null),
      ...[chosen, expanded ?? null, verdict ?? null],
    ]),
  };
}
