import type { Drawing, Figure } from "../figure.js";
import { COLOURS, textLines } from "../style/style.js";
import { textWidth, wrapText } from "../style/text-width.js";
import { escapeXml } from "./xml.js";

const FONT = { size: 11 };
const SIDE = 10;
/** What a legend takes beside its text. */
const SYMBOL_ROOM = 50;
const LINE_HEIGHT = 1.3 * FONT.size;
const ROOM = 8;

/**
 * The figure with a note in its lower right corner, below all else, for what the reader must know of the whole figure: that
 * it was drawn from few problems, or from other ones. The figure becomes higher by the note's lines. An empty note leaves the
 * figure as it is.
 */
export function withNote(figure: Figure, note: string): Figure {
  if (note.trim() === "") return figure;
  const { data, layout } = figure.spec;
  const lines = wrapText(note, layout.width - 2 * SIDE - SYMBOL_ROOM, FONT);
  const height = Math.ceil(layout.height + lines.length * LINE_HEIGHT + ROOM);
  const legend = layout.legend as object | undefined;
  const margin = layout.margin as { b?: number } | undefined;
  return {
    ...figure,
    spec: {
      // A legend of its own is what Plotly keeps free of everything else, whatever the figure.
      data: [
        ...data,
        {
          type: "scatter",
          mode: "markers",
          x: [null],
          y: [null],
          name: textLines(lines),
          legend: "legend2",
          showlegend: true,
          hoverinfo: "skip",
          marker: { color: "rgba(0,0,0,0)", line: { width: 0 } },
        },
      ],
      layout: {
        ...layout,
        height,
        showlegend: true,
        legend: {
          ...legend,
          ...(layout.showlegend === false ? { visible: false } : {}),
          ...placedAnew(layout, height),
        },
        ...(isFixed(layout) ? { margin: { ...margin, b: (margin?.b ?? 0) + height - layout.height } } : {}),
        ...(layout.title ? { title: titleAnew(layout, height) } : {}),
        legend2: {
          orientation: "h",
          xref: "container",
          x: 1 - SIDE / layout.width,
          xanchor: "right",
          yref: "container",
          y: 2 / height,
          yanchor: "bottom",
          font: { ...FONT, color: COLOURS.muted },
          bgcolor: "rgba(0,0,0,0)",
          itemclick: false,
          itemdoubleclick: false,
        },
      },
    },
  };
}

/** Whether the margins are the figure's own: where axes make room for themselves, Plotly keeps it free of the note too. */
function isFixed({ xaxis }: Figure["spec"]["layout"]): boolean {
  const { automargin, visible } = (xaxis ?? {}) as { automargin?: boolean; visible?: boolean };
  return automargin === false || visible === false;
}

/** A height from the bottom as a share of the figure, after it has grown at the bottom. */
const grown = (y: number, before: number, after: number): number => 1 - ((1 - y) * before) / after;

function placedAnew({ legend, height }: Figure["spec"]["layout"], after: number): object {
  const y = (legend as { y?: number } | undefined)?.y;
  return y === undefined ? {} : { y: grown(y, height, after) };
}

function titleAnew({ title, height }: Figure["spec"]["layout"], after: number): object {
  const { y, ...rest } = title as { y?: number };
  return { ...rest, ...(y === undefined ? {} : { y: grown(y, height, after) }) };
}

/** As `withNote`, of a drawing. */
export function withDrawingNote(drawing: Drawing, note: string): Drawing {
  if (note.trim() === "") return drawing;
  const lines = wrapText(note, Math.max(drawing.width - 2 * SIDE, 1), FONT);
  const height = Math.ceil(drawing.height + lines.length * LINE_HEIGHT + ROOM);
  const size = `height="${drawing.height}"`;
  const texts = lines.map((line, at) => {
    const x = Math.round(drawing.width - SIDE - textWidth(line, FONT));
    const y = Math.round(height - ROOM - (lines.length - 1 - at) * LINE_HEIGHT);
    return `<text x="${x}" y="${y}" font-size="${FONT.size}" fill="${COLOURS.muted}">${escapeXml(line)}</text>`;
  });
  const svg = drawing.svg
    .replace(size, `height="${height}"`)
    .replace(`viewBox="0 0 ${drawing.width} ${drawing.height}"`, `viewBox="0 0 ${drawing.width} ${height}"`)
    .replace(`<rect width="${drawing.width}" ${size}`, `<rect width="${drawing.width}" height="${height}"`)
    .replace(/<\/svg>\s*$/, `${texts.join("\n")}\n</svg>\n`);
  return { ...drawing, svg, height };
}
