import { checkName } from "../check.js";
import type { Drawing } from "../figure.js";
import { escapeXml } from "../output/xml.js";
import { rounded } from "../parts/graph-layout.js";
import { type QuestionNode, questionBoxes, textElement } from "../parts/question-boxes.js";
import { COLOURS, FONT_FAMILY, SIZES } from "../style/style.js";
import { type TextStyle, textWidth, wrapText } from "../style/text-width.js";

export interface QuestionGraphOptions {
  /** File name without extension, kebab-case. Default: "question-graph". */
  name?: string;
  /** Written above the graph. Default: none; the drawing's title is then "Question graph". */
  title?: string;
  /** The widest line of text in a box, in pixels. Default: 200, less where the graph would be too wide for a page. */
  wrapWidth?: number;
}

const TITLE: TextStyle = { size: SIZES.title, bold: true };
const MARGIN = 16;
const LINE_SPACING = 1.3;
/** A title is not wrapped narrower than this, even over a small graph. */
const MIN_TITLE_WIDTH = 480;

/**
 * Draw a question graph from top to bottom: numbered boxes in layers, independent questions on top and rounded, the
 * last one in a bold outline; an arrow from each sub-question to those that need it, dashed if it skips a layer. The
 * same nodes always give the same bytes.
 * @throws bad-input if there are no nodes, a dependency is not an earlier node, or it occurs twice
 *
 * @example
 * ```ts
 * import { drawQuestionGraph } from "thoughtbook/plot";
 *
 * const { svg } = drawQuestionGraph([
 *   { label: "How many eggs are left?", detail: "16 - 3 - 4 = 9", depends: [] },
 *   { label: "How much does she earn?", detail: "9 * 2 = 18", depends: [0] },
 * ]);
 * console.log(svg.startsWith("<svg")); // true
 * ```
 */
export function drawQuestionGraph(nodes: readonly QuestionNode[], options: QuestionGraphOptions = {}): Drawing {
  const { name = "question-graph", title = "Question graph", wrapWidth } = options;
  checkName(name);
  const graph = questionBoxes(nodes, wrapWidth);

  const titleLines = options.title ? wrapText(title, Math.max(graph.width, MIN_TITLE_WIDTH), TITLE) : [];
  const titleHeight = titleLines.length > 0 ? titleLines.length * LINE_SPACING * TITLE.size + MARGIN : 0;
  const titleWidth = Math.max(0, ...titleLines.map((line) => textWidth(line, TITLE)));
  const width = Math.ceil(Math.max(graph.width, titleWidth) + 2 * MARGIN);
  const height = Math.ceil(graph.height + titleHeight + 2 * MARGIN);

  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `role="img" font-family="${escapeXml(FONT_FAMILY)}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${COLOURS.background}"/>`,
    ...titleLines.map((text, index) => {
      const baseline = MARGIN + TITLE.size * (0.9 + LINE_SPACING * index);
      return textElement({ text, style: TITLE, colour: COLOURS.text, baseline }, MARGIN, 0);
    }),
    `<g transform="translate(${rounded((width - graph.width) / 2)} ${rounded(MARGIN + titleHeight)})">`,
    ...graph.elements,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
  return { name, title, svg, width, height };
}
