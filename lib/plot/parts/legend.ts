import { legendName, SIZES, WIDTH } from "../style/style.js";
import { textWidth } from "../style/text-width.js";

const FONT = { size: SIZES.legend };
/** A line with its marker, and the gaps around it and after the name. */
const SYMBOL_ROOM = 60;
/** Length of the line, long enough for its dash to be seen on both sides of the marker. */
const LINE_WIDTH = 44;
const LINE_HEIGHT = 1.3 * SIZES.legend;
const ROW_GAP = 3;
/** Above and below all rows. */
const PADDING = 6;

/** Attributes of a legend whose names each take their own width, row after row, rather than equal columns. */
export const FLOWING_LEGEND = { tracegroupgap: ROW_GAP, itemwidth: LINE_WIDTH };

/** The height in pixels of a legend in which each trace is a group of its own: Plotly lets these flow into rows. */
export function legendHeight(names: readonly string[], width = WIDTH): number {
  const heights = [0];
  let right = 0;
  for (const name of names) {
    const lines = legendName(name).split("<br>");
    const own = Math.max(...lines.map((line) => textWidth(line, FONT))) + SYMBOL_ROOM;
    if (right > 0 && right + own > width - 30) {
      heights.push(0);
      right = 0;
    }
    right += own;
    heights.push(Math.max(heights.pop()!, lines.length * LINE_HEIGHT + 2));
  }
  return heights.reduce((sum, height) => sum + height + ROW_GAP, PADDING);
}
