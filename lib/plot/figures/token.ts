import { badInput } from "../../core/index.js";
import { checkName } from "../check.js";
import type { Figure, FigureOptions } from "../figure.js";
import { SURPRISE, scaleColour, textColourOn } from "../style/colour-scale.js";
import { baseLayout, COLOURS, headHeight, plainText, SIZES, WIDTH } from "../style/style.js";
import { hasGlyph, textWidth } from "../style/text-width.js";

/** A token that a model generated, or scored. */
export interface ScoredToken {
  token: string;
  /** Natural logarithm of its probability given the tokens before it. */
  logProb: number;
}

export interface TokenFigureOptions extends FigureOptions {
  /** In the order of the text, at most 1,000. */
  tokens: readonly ScoredToken[];
  /** Log-probability at the dark end of the colour scale; lower ones have the same colour. Default: −5. */
  lowest?: number;
}

interface Box {
  /** Index of the token. */
  index: number;
  text: string;
  left: number;
  top: number;
  width: number;
}

const FONT = { size: 14 };
const SIDE = 16;
const PADDING = 3;
const GAP = 2;
const BOX_HEIGHT = 23;
const LINE_HEIGHT = 28;
/** The colour scale with title, ticks and a gap below. */
const SCALE_HEIGHT = 68;
const SCALE_WIDTH = 320;
const SCALE_BAR = 12;
const SCALE_STEPS = 64;
const OUTLINE = "#BDB5AA";
const MAX_TOKENS = 1000;

/** Characters that are not seen, or could be taken for nothing. */
const VISIBLE: Readonly<Record<string, string>> = { " ": "\u2423", "\n": "\u21B5", "\t": "\u21E5", "\r": "\u2190" };

/**
 * A text as its tokens, each on the colour of its log-probability: white for what the model was sure of, dark for what
 * surprised it. Spaces, line breaks and tabs are shown as ␣, ↵ and ⇥, characters that cannot be drawn by their code; a
 * line ends after a line break, or where it is full.
 * Table: position (from 0), token, log_prob, probability.
 * @throws bad-input if there are no tokens or too many, or a log-probability is not a finite number ≤ 0
 */
export function tokenFigure(options: TokenFigureOptions): Figure {
  const { name, title, tokens, lowest = -5, width = WIDTH } = options;
  checkTokens(options);
  const top = headHeight(options, width) + SCALE_HEIGHT;
  const boxes = placeTokens(tokens, width - 2 * SIDE);
  const { height = Math.ceil(top + boxes.at(-1)!.top + LINE_HEIGHT + SIDE - 4) } = options;
  const colours = tokens.map(({ logProb }) => scaleColour(Math.min(1, logProb / lowest), SURPRISE));
  const scale = colourScale(lowest, top - SCALE_HEIGHT);

  const layout = baseLayout({ ...options, height }, false, {
    margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    // Axes of pixels.
    xaxis: { visible: false, range: [0, width], fixedrange: true },
    yaxis: { visible: false, range: [height, 0], fixedrange: true },
    shapes: [
      ...scale.shapes,
      ...boxes.map(({ index, left, top: boxTop, width: boxWidth }) =>
        rectangle(SIDE + left, top + boxTop, boxWidth, BOX_HEIGHT, colours[index]!, 1),
      ),
    ],
    annotations: scale.annotations,
  });
  const trace = {
    type: "scatter",
    mode: "markers+text",
    x: boxes.map(({ left, width: own }) => SIDE + left + own / 2),
    y: boxes.map((box) => top + box.top + BOX_HEIGHT / 2),
    text: boxes.map(({ text }) => plainText(text)),
    textposition: "middle center",
    textfont: { size: FONT.size, color: boxes.map(({ index }) => textColourOn(colours[index]!)) },
    cliponaxis: false,
    customdata: boxes.map(({ index }) => hoverText(tokens[index]!)),
    hovertemplate: "%{text}: %{customdata}<extra></extra>",
    marker: { size: BOX_HEIGHT, opacity: 0 },
  };
  const rows = tokens.map(({ token, logProb }, at) => [at, token, logProb, Math.exp(logProb)]);
  const table = { columns: ["position", "token", "log_prob", "probability"], rows };
  return { name, title, spec: { data: [trace], layout }, table };
}

function checkTokens({ name, tokens, lowest = -5 }: TokenFigureOptions): void {
  checkName(name);
  if (tokens.length === 0) throw badInput("no tokens: expected at least one", "Show a text that was generated.");
  if (tokens.length > MAX_TOKENS) {
    throw badInput(`${tokens.length} tokens: expected at most ${MAX_TOKENS}`, "Show a part of the text.");
  }
  if (!(lowest < 0) || !Number.isFinite(lowest)) {
    throw badInput(
      `the lowest log-probability of the scale is ${lowest}, expected less than 0`,
      "Leave it out for −5.",
    );
  }
  for (const [at, { token, logProb }] of tokens.entries()) {
    // What is rounded in single precision may lie a little above 0.
    if (Number.isFinite(logProb) && logProb <= 1e-4) continue;
    throw badInput(
      `token ${at} (${JSON.stringify(token)}) has the log-probability ${logProb}, expected a finite number ≤ 0`,
      "Give natural logarithms of probabilities.",
    );
  }
}

const hoverText = ({ logProb }: ScoredToken): string =>
  `log-probability ${logProb.toFixed(3)}, probability ${(100 * Math.exp(logProb)).toPrecision(3)} %`;

/** The colour scale between subtitle and text, in rectangles: Plotly's would take room from the text. */
function colourScale(lowest: number, top: number): { shapes: object[]; annotations: object[] } {
  const step = SCALE_WIDTH / SCALE_STEPS;
  const strips = Array.from({ length: SCALE_STEPS }, (_, at) =>
    rectangle(SIDE + at * step, top + 22, step, SCALE_BAR, scaleColour(1 - at / (SCALE_STEPS - 1), SURPRISE), 0),
  );
  const label = (value: number) => String(value).replace("-", "\u2212");
  const ticks = [0, 1, 2, 3, 4, 5].map((at) => {
    const value = Number((lowest * (1 - at / 5)).toPrecision(2));
    const text = at === 0 ? `\u2264${label(value)}` : label(value);
    return annotation(text, SIDE + (at / 5) * SCALE_WIDTH, top + 22 + SCALE_BAR + 2, at === 0 ? "left" : "center");
  });
  return {
    shapes: [...strips, rectangle(SIDE, top + 22, SCALE_WIDTH, SCALE_BAR, "rgba(0,0,0,0)", 1)],
    annotations: [annotation("Log-probability of a token (nats)", SIDE, top, "left"), ...ticks],
  };
}

function rectangle(x: number, y: number, width: number, height: number, fillcolor: string, outline: number): object {
  const line = { color: OUTLINE, width: outline };
  return { type: "rect", layer: "below", x0: x, x1: x + width, y0: y, y1: y + height, fillcolor, line };
}

/** Text whose upper side is at y. */
function annotation(text: string, x: number, y: number, xanchor: "left" | "center"): object {
  const font = { size: SIZES.tick, color: COLOURS.text };
  return { text, font, x, y, xanchor, yanchor: "top", borderpad: 0, showarrow: false };
}

/** What is seen of a token: never nothing. */
function visible(token: string): string {
  if (token === "") return "\u2205";
  return [...token]
    .map((character) => VISIBLE[character] ?? (hasGlyph(character) ? character : code(character)))
    .join("");
}

const code = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16).toUpperCase()}}`;

/** Set tokens in lines of at most `room` pixels; a wider token continues on the next line. */
function placeTokens(tokens: readonly ScoredToken[], room: number): Box[] {
  const boxes: Box[] = [];
  let [left, top] = [0, 0];
  const newLine = () => {
    [left, top] = [0, top + LINE_HEIGHT];
  };
  for (const [index, { token }] of tokens.entries()) {
    for (const text of pieces(visible(token), room - 2 * PADDING)) {
      const width = textWidth(text, FONT) + 2 * PADDING;
      if (left > 0 && left + width > room) newLine();
      boxes.push({ index, text, left, top, width });
      left += width + GAP;
    }
    if (token.endsWith("\n")) newLine();
  }
  return boxes;
}

function pieces(text: string, room: number): string[] {
  const found = [""];
  for (const character of text) {
    const longer = found.at(-1)! + character;
    if (found.at(-1) === "" || textWidth(longer, FONT) <= room) found[found.length - 1] = longer;
    else found.push(character);
  }
  return found;
}
