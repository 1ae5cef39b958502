import type { AnsweredQuestion, AtomTrace, SolutionSource, Transition } from "../../aot/index.js";
import { checkName } from "../check.js";
import type { Drawing } from "../figure.js";
import { escapeXml } from "../output/xml.js";
import { rounded } from "../parts/graph-layout.js";
import { FINAL, INNER, type NodeStyle, questionBoxes, textElement } from "../parts/question-boxes.js";
import { COLOURS, FONT_FAMILY, SIZES } from "../style/style.js";
import { type TextStyle, textExtent, textWidth, wrapText } from "../style/text-width.js";

export interface AtomTraceOptions {
  /** File name without extension, kebab-case. Default: "atom-trace". */
  name?: string;
  /** Written on top. Default: "Atom of Thoughts". */
  title?: string;
  /** Of a question, at most this many characters are shown, its last ones among them. Default: 500. */
  mostCharacters?: number;
}

/** A part of the drawing, from its own top left corner; as wide as it needs. */
interface Block {
  width: number;
  height: number;
  elements: string[];
}

const TITLE: TextStyle = { size: SIZES.title, bold: true };
const HEADING: TextStyle = { size: 14, bold: true };
const TEXT: TextStyle = { size: 13 };
const STRONG: TextStyle = { size: 13, bold: true };
const NOTE: TextStyle = { size: 12 };
const MARGIN = 16;
const GAP = 12;
const PADDING = 10;
/** Width of the text of a question. */
const TEXT_WIDTH = 620;
const FAILURE_COLOUR = "#A33B00";

/**
 * Draw what an attempt of Atom of Thoughts did, from top to bottom: for each transition its question, the graph of its
 * sub-questions with their answers, the contracted question, and the answers of the three solutions, of which the one that
 * went on stands in a bold box, with who chose it. Calls and tokens stand beside each transition, and steps that failed at the end.
 *
 * @param trace as `atomChains` of `thoughtbook/aot` reads it from a record
 */
export function drawAtomTrace(trace: AtomTrace, options: AtomTraceOptions = {}): Drawing {
  const { name = "atom-trace", title = "Atom of Thoughts", mostCharacters = 500 } = options;
  checkName(name);
  const { transitions, stopped, failures, costs } = trace;
  const short = (text: string) => shortened(text, mostCharacters);
  const blocks = [
    lines(title, TITLE),
    ...transitions.flatMap((transition, at) => transitionBlocks(transition, at, costs[at], short)),
    lines(`Stopped: ${STOPS[stopped]}.`, STRONG),
    ...(transitions.length === 0 && costs[0] ? [lines(costText(costs[0]), NOTE, COLOURS.muted)] : []),
    ...failures.map(({ step, transition, failure, reason }) =>
      lines(`Transition ${transition + 1}, ${step} failed (${failure}): ${reason}`, NOTE, FAILURE_COLOUR),
    ),
  ];
  const width = Math.ceil(Math.max(...blocks.map((block) => block.width)) + 2 * MARGIN);
  const elements: string[] = [];
  let top = MARGIN;
  for (const block of blocks) {
    elements.push(`<g transform="translate(${MARGIN} ${rounded(top)})">`, ...block.elements, "</g>");
    top += block.height + GAP;
  }
  const height = Math.ceil(top - GAP + MARGIN);
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `role="img" font-family="${escapeXml(FONT_FAMILY)}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${COLOURS.background}"/>`,
    ...elements,
    "</svg>",
    "",
  ].join("\n");
  return { name, title, svg, width, height };
}

const STOPS: Record<AtomTrace["stopped"], string> = {
  atomic: "no sub-question depends on another one",
  "no-graph": "no graph could be made",
  "no-contraction": "there is no contracted question",
  agreement: "all answers are the same",
  judge: "the contracted question was not chosen",
  depth: "as deep as the first graph, or the most transitions",
};

function transitionBlocks(
  { question, graph, contracted, answers, chosen, chosenBy }: Transition,
  at: number,
  cost: AtomTrace["costs"][number] | undefined,
  short: (text: string) => string,
): Block[] {
  const spent = cost ? ` · ${costText(cost)}` : "";
  const names: Record<SolutionSource, string> = {
    question: `solve(Q${at})`,
    graph: `solve(G${at})`,
    contracted: `solve(Q${at + 1})`,
  };
  const shown = (["question", "graph", "contracted"] as const).filter((source) => answers[source] !== undefined);
  const chips = shown.map((source) =>
    box([{ text: `${names[source]}: ${short(answers[source]!)}`, style: source === chosen ? STRONG : TEXT }], {
      ...(source === chosen ? FINAL : INNER),
    }),
  );
  return [
    lines(`Transition ${at + 1}${spent}`, HEADING),
    questionBlock(`Q${at}`, short(question)),
    ...(graph ? [lines(`G${at}: sub-questions with their answers`, NOTE, COLOURS.muted), graphBlock(graph)] : []),
    ...(contracted === undefined ? [] : [questionBlock(`Q${at + 1}, contracted`, short(contracted))]),
    beside(chips),
    lines(`${names[chosen]} goes on: ${CHOSEN_BY[chosenBy]}.`, NOTE, COLOURS.muted),
  ];
}

const CHOSEN_BY: Record<Transition["chosenBy"], string> = {
  only: "nobody chose",
  agreement: "all answers are the same",
  judge: "the model chose it",
  majority: "by majority",
  verifier: "the verifier accepted it",
  fallback: "the one who chooses named none",
};

const costText = ({ calls, promptTokens, completionTokens }: AtomTrace["costs"][number]): string =>
  `${calls} calls, ${promptTokens} tokens in, ${completionTokens} out`;

function graphBlock(graph: readonly AnsweredQuestion[]): Block {
  return questionBoxes(
    graph.map(({ question, dependsOn, answer }) => ({
      label: question,
      detail: answer === undefined ? "(no answer)" : `= ${answer}`,
      depends: dependsOn,
    })),
  );
}

const questionBlock = (name: string, text: string): Block =>
  box(
    [
      { text: name, style: STRONG },
      ...text
        .split("\n")
        .flatMap((line) => wrapText(line, TEXT_WIDTH, TEXT))
        .map((line) => ({ text: line, style: TEXT })),
    ],
    { ...INNER, fill: COLOURS.background },
  );

/** Lines of text in a frame. */
function box(texts: readonly { text: string; style: TextStyle }[], style: NodeStyle): Block {
  const elements: string[] = [];
  let bottom = PADDING;
  for (const { text, style: font } of texts) {
    const { above, below } = textExtent(font);
    const line = { text, style: font, colour: COLOURS.text, baseline: bottom + above };
    elements.push(textElement(line, PADDING, 0));
    bottom += above + below;
  }
  const width = Math.max(...texts.map(({ text, style: font }) => textWidth(text, font))) + 2 * PADDING;
  const height = bottom + PADDING;
  const frame =
    `<rect x="0" y="0" width="${rounded(width)}" height="${rounded(height)}" rx="${style.radius}" ` +
    `fill="${style.fill}" stroke="${style.stroke}" stroke-width="${style.strokeWidth}"/>`;
  return { width, height, elements: [frame, ...elements] };
}

/** A paragraph without a frame. */
function lines(text: string, style: TextStyle, colour = COLOURS.text): Block {
  const wrapped = wrapText(text, TEXT_WIDTH, style);
  const { above, below } = textExtent(style);
  return {
    width: Math.max(...wrapped.map((line) => textWidth(line, style))),
    height: wrapped.length * (above + below),
    elements: wrapped.map((line, at) =>
      textElement({ text: line, style, colour, baseline: at * (above + below) + above }, 0, 0),
    ),
  };
}

/** Blocks side by side; in the next row where there is no room. */
function beside(blocks: readonly Block[]): Block {
  const elements: string[] = [];
  let [x, y, rowHeight, width] = [0, 0, 0, 0];
  for (const block of blocks) {
    if (x > 0 && x + block.width > TEXT_WIDTH) {
      y += rowHeight + GAP;
      [x, rowHeight] = [0, 0];
    }
    elements.push(`<g transform="translate(${rounded(x)} ${rounded(y)})">`, ...block.elements, "</g>");
    x += block.width + GAP;
    width = Math.max(width, x - GAP);
    rowHeight = Math.max(rowHeight, block.height);
  }
  return { width, height: y + rowHeight, elements };
}

/** The beginning and the end of a long text: what is asked stands at the end. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 2);
  return `${text.slice(0, most - end).trimEnd()} … ${text.slice(-end).trimStart()}`;
}
