import { badInput } from "../../core/index.js";
import type { Figure, FigureOptions } from "../figure.js";
import { COLOURS, SIZES, textLines, WIDTH } from "../style/style.js";
import { textWidth, wrapText } from "../style/text-width.js";
import { labelledHeatmap } from "./heatmap.js";

/** A step of a chain of thought, as it was weighed. */
export interface WeighedStep {
  text: string;
  /** Importance by the question alone, by the solution alone, and mixed. */
  question: number;
  solution: number;
  importance: number;
  /** Whether it is in the shorter chain. */
  kept?: boolean;
}

export interface ImportanceFigureOptions extends FigureOptions {
  /** From the first to the last. */
  steps: readonly WeighedStep[];
  /** What stands beside the colours. Default: "importance in the column". */
  valueTitle?: string;
}

const COLUMNS = ["question", "solution", "mixed"];
/** Share of the figure's width for the steps' texts. */
const LABEL_SHARE = 0.56;
/** From the figure's left edge, in pixels: the mark of a kept step, the end of its number, and its text. */
const [MARK_FROM, NUMBER_TO, TEXT_FROM] = [14, 52, 60];
const GAP = 12;
const FONT = { size: SIZES.tick };
const LINE_HEIGHT = 1.3 * FONT.size;

/**
 * The importance of a chain's steps, a row each: by the question, by the solution, and mixed. Steps are counted from 0, as in
 * sets of kept steps. Those that are kept have a dot and darker text; a text that is longer than its row has
 * room for ends in "…", and is whole in the table.
 * Table: step, kept, question, solution, importance, text.
 * @throws bad-input if there are no steps or a value is not finite
 */
export function importanceFigure(options: ImportanceFigureOptions): Figure {
  const { steps, valueTitle = "importance in the column", width = WIDTH } = options;
  if (steps.length === 0) throw badInput("no steps: expected at least one", "Check the records behind the figure.");
  const room = Math.round(width * LABEL_SHARE);
  const figure = labelledHeatmap(
    {
      ...options,
      rows: steps.map((_, at) => String(at)),
      columns: COLUMNS,
      values: steps.map(({ question, solution, importance }) => [question, solution, importance]),
      valueTitle,
      // Question and solution differ in how probable they are, and so in size.
      scaleColumns: true,
    },
    { width: room, annotations: (rowHeight) => labels(steps, room, rowHeight) },
  );
  const rows = steps.map(({ text, question, solution, importance, kept }, at) => {
    return [at, kept ?? null, question, solution, importance, text];
  });
  return { ...figure, table: { columns: ["step", "kept", "question", "solution", "importance", "text"], rows } };
}

function labels(steps: readonly WeighedStep[], room: number, rowHeight: number): object[] {
  const most = 1 + Math.max(0, Math.floor((rowHeight - FONT.size - 2) / LINE_HEIGHT));
  const areMarked = steps.some(({ kept }) => kept !== undefined);
  return steps.flatMap(({ text, kept }, at) => {
    const color = areMarked && !kept ? COLOURS.muted : COLOURS.text;
    const label = (written: string, x: number, xanchor: "left" | "right") => ({
      text: written,
      align: "left",
      xref: "paper",
      x: 0,
      xanchor,
      xshift: x - room,
      y: at,
      yanchor: "middle",
      showarrow: false,
      borderpad: 0,
      font: { ...FONT, color },
    });
    return [
      ...(kept ? [label("●", MARK_FROM, "left")] : []),
      label(String(at), NUMBER_TO, "right"),
      label(textLines(shortened(text, room - TEXT_FROM - GAP, most)), TEXT_FROM, "left"),
    ];
  });
}

/** The text on as many lines at most, the last one cut at a character so that it fits. */
function shortened(text: string, width: number, most: number): string[] {
  const lines = wrapText(text, width, FONT);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), cut(lines.slice(most - 1).join(" "), width)];
}

function cut(line: string, width: number): string {
  let [fits, tooLong] = [0, line.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (textWidth(`${line.slice(0, middle)}…`, FONT) <= width) fits = middle;
    else tooLong = middle;
  }
  return `${line.slice(0, fits).trimEnd()}…`;
}
