import { COLOURS, type SeriesStyle } from "../style/style.js";

/** Where the bars of one series stand, in units of the distance between two groups. */
export interface BarSlot {
  /** From the group's centre to the bar's. */
  offset: number;
  width: number;
}

/** Divide a group, `groupWidth` wide, among `count` series; neighbours are a thin gap apart. */
export function barSlot(index: number, count: number, groupWidth: number): BarSlot {
  const room = groupWidth / count;
  return { offset: (index - (count - 1) / 2) * room, width: count > 1 ? room * 0.92 : room };
}

/** Hatchings of the series of a figure, for readers who do not see their colours; the first has none. */
const HATCHES = ["", "/", "\\", "x", ".", "-", "|", "+"];

/**
 * A bar's fill and outline in the style of its series, by the position of the series in the figure; hollow ones are
 * empty.
 */
export function barMarker({ colour, outline, hollow }: SeriesStyle, index: number): object {
  const hatch = HATCHES[index % HATCHES.length]!;
  return {
    color: hollow ? COLOURS.background : colour,
    line: { color: hollow ? colour : outline, width: hollow ? 2 : 1 },
    ...(hatch
      ? {
          pattern: {
            shape: hatch,
            fgcolor: outline,
            bgcolor: hollow ? COLOURS.background : colour,
            size: 7,
            solidity: 0.12,
          },
        }
      : {}),
  };
}
