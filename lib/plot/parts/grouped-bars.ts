import { seriesStyle } from "../style/style.js";

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

/** A bar's fill and outline in the style of its series. */
export function barMarker(index: number): object {
  const { colour, outline } = seriesStyle(index);
  return { color: colour, line: { color: outline, width: 1 } };
}
