import { badInput } from "../../core/index.js";
import { type Dependencies, graphProblems } from "../../graph/index.js";
import { escapeXml } from "../output/xml.js";
import { COLOURS } from "../style/style.js";
import { type TextStyle, textExtent, textWidth, wrapText } from "../style/text-width.js";
import {
  edgePath,
  type GraphLayout,
  layoutGraph,
  type PlacedBox,
  type PlacedEdge,
  pair,
  rounded,
  type Size,
} from "./graph-layout.js";

/** A sub-question as it is drawn. */
export interface QuestionNode {
  label: string;
  /** A second, smaller text: the answer or how it is computed, for example "16 - 3 - 4 = 9". Default: none. */
  detail?: string;
  /** The indices of the sub-questions it needs, all smaller than its own. */
  depends: readonly number[];
}

/** A line of text in a box. */
export interface Line {
  text: string;
  style: TextStyle;
  colour: string;
  /** From the box's upper side to the line's baseline. */
  baseline: number;
}

interface BoxText extends Size {
  lines: Line[];
}

interface FittedGraph {
  texts: BoxText[];
  graph: GraphLayout;
}

export interface NodeStyle {
  fill: string;
  stroke: string;
  strokeWidth: number;
  radius: number;
}

export const SOURCE: NodeStyle = { fill: "#E3F1FA", stroke: "#0072B2", strokeWidth: 1.5, radius: 14 };
export const INNER: NodeStyle = { fill: "#F6F6F6", stroke: "#5A5A5A", strokeWidth: 1.5, radius: 4 };
/** What counts in the end. */
export const FINAL: NodeStyle = { fill: "#FFF1CC", stroke: "#8F6300", strokeWidth: 2.5, radius: 4 };

const LABEL: TextStyle = { size: 13 };
const DETAIL: TextStyle = { size: 12 };
const NUMBER: TextStyle = { size: 11, bold: true };
const PADDING = 10;
/** The number's disc, and the room it takes at the left of the text. */
const DISC = { radius: 10, room: 28 };
const ARROW = { length: 9, halfWidth: 4.5 };
/** Text much smaller than a README's would be the result of a wider graph. */
const PAGE_WIDTH = 800;
const WRAP_WIDTHS = [200, 150, 110];

/** A question graph as SVG elements, from its own top left corner. */
export interface QuestionBoxes extends Size {
  elements: string[];
}

/**
 * Draw the boxes and edges of a question graph: numbered boxes in layers, independent questions rounded, the last one in a
 * bold outline.
 *
 * @param wrapWidth the widest line of text in a box. Default: 200, less where the graph would be too wide for a page
 * @throws bad-input if there are no nodes, a dependency is not an earlier node, or it occurs twice
 */
export function questionBoxes(nodes: readonly QuestionNode[], wrapWidth?: number): QuestionBoxes {
  const dependencies = nodes.map(({ depends }) => depends);
  checkDependencies(dependencies);
  const { texts, graph } = fitPage(nodes, dependencies, wrapWidth ? [wrapWidth] : WRAP_WIDTHS);
  return {
    width: graph.width,
    height: graph.height,
    elements: [
      ...graph.edges.map((edge) => edgeElement(edge, graph.layer)),
      ...graph.boxes.map((box, index) => {
        const style = index === nodes.length - 1 ? FINAL : dependencies[index]!.length === 0 ? SOURCE : INNER;
        return boxElement(box, texts[index]!, index + 1, style);
      }),
    ],
  };
}

function checkDependencies(dependencies: Dependencies): void {
  if (dependencies.length === 0) throw badInput("question graph: no nodes, expected at least one", "Leave it out.");
  const problem = graphProblems(dependencies)[0];
  if (!problem) return;
  throw badInput(
    `question graph: ${problem.message}`,
    "A node may depend on nodes before it, each once; indices are from 0.",
  );
}

/** Lay the graph out with the widest boxes with which it fits a page. */
function fitPage(
  nodes: readonly QuestionNode[],
  dependencies: Dependencies,
  wrapWidths: readonly number[],
): FittedGraph {
  const [wrapWidth = 0, ...narrower] = wrapWidths;
  const texts = nodes.map((node) => boxText(node, wrapWidth));
  const graph = layoutGraph(texts, dependencies);
  if (graph.width <= PAGE_WIDTH || narrower.length === 0) return { texts, graph };
  return fitPage(nodes, dependencies, narrower);
}

function boxText({ label, detail = "" }: QuestionNode, wrapWidth: number): BoxText {
  const parts = [
    { lines: wrapText(label, wrapWidth, LABEL), style: LABEL, colour: COLOURS.text },
    { lines: detail ? wrapText(detail, wrapWidth, DETAIL) : [], style: DETAIL, colour: COLOURS.muted },
  ];
  const lines: Line[] = [];
  let bottom = PADDING;
  for (const { lines: texts, style, colour } of parts) {
    const { above, below } = textExtent(style);
    for (const text of texts) {
      lines.push({ text, style, colour, baseline: bottom + above });
      bottom += above + below;
    }
  }
  const width = Math.max(...lines.map(({ text, style }) => textWidth(text, style)));
  return { lines, width: PADDING + DISC.room + width + PADDING, height: bottom + PADDING };
}

function boxElement(box: PlacedBox, { lines }: BoxText, number: number, style: NodeStyle): string {
  const [left, top] = [box.x - box.width / 2, box.y - box.height / 2];
  const disc = { x: left + PADDING + DISC.radius, y: top + PADDING + DISC.radius - 2 };
  const frame =
    `<rect x="${rounded(left)}" y="${rounded(top)}" width="${rounded(box.width)}" height="${rounded(box.height)}" ` +
    `rx="${style.radius}" fill="${style.fill}" stroke="${style.stroke}" stroke-width="${style.strokeWidth}"/>`;
  const text = String(number);
  const numberX = disc.x - textWidth(text, NUMBER) / 2;
  return [
    "<g>",
    frame,
    `<circle cx="${rounded(disc.x)}" cy="${rounded(disc.y)}" r="${DISC.radius}" fill="${style.stroke}"/>`,
    textElement({ text, style: NUMBER, colour: COLOURS.background, baseline: 0.36 * NUMBER.size }, numberX, disc.y),
    ...lines.map((line) => textElement(line, left + PADDING + DISC.room, top)),
    "</g>",
  ].join("\n");
}

/** A line of text at a place. */
export function textElement({ text, style, colour, baseline }: Line, x: number, top: number): string {
  const weight = style.bold ? ' font-weight="bold"' : "";
  const place = `x="${rounded(x)}" y="${rounded(top + baseline)}"`;
  return `<text ${place} font-size="${style.size}"${weight} fill="${colour}">${escapeXml(text)}</text>`;
}

/** All arrow heads point down. */
function edgeElement({ from, to, points }: PlacedEdge, layer: readonly number[]): string {
  const end = points.at(-1)!;
  const neck = { x: end.x, y: end.y - ARROW.length };
  const dashes = layer[to]! - layer[from]! > 1 ? ' stroke-dasharray="6 4"' : "";
  const head = [neck.x - ARROW.halfWidth, neck.x + ARROW.halfWidth].map((x) => pair({ x, y: neck.y }));
  return (
    `<path d="${edgePath([...points.slice(0, -1), neck])}" fill="none" stroke="${COLOURS.axis}" stroke-width="1.5"${dashes}/>\n` +
    `<path d="M${head[0]} L${head[1]} L${pair(end)} Z" fill="${COLOURS.axis}"/>`
  );
}
