/** A panel's place, in pixels from the top left corner of the first one's header. */
export interface PanelPlace {
  left: number;
  width: number;
  /** Where its header ends and its body begins. */
  top: number;
  bottom: number;
  isFirstOfRow: boolean;
}

/** How many panels of at least `minWidth` stand side by side so that as few rows as possible are filled evenly. */
export function panelsPerRow(count: number, width: number, minWidth: number): number {
  const rows = Math.ceil(count / Math.max(1, Math.floor(width / minWidth)));
  return Math.ceil(count / rows);
}

/** Place panels in rows, one for each header height; a row's header is as high as its highest. */
export function placePanels(
  headers: readonly number[],
  perRow: number,
  width: number,
  bodyHeight: number,
): PanelPlace[] {
  let rowTop = 0;
  return headers.map((_, index): PanelPlace => {
    const column = index % perRow;
    if (column === 0) {
      rowTop += Math.max(...headers.slice(index, index + perRow)) + (index > 0 ? bodyHeight : 0);
    }
    const [left, panelWidth] = [(column * width) / perRow, width / perRow];
    return { left, width: panelWidth, top: rowTop, bottom: rowTop + bodyHeight, isFirstOfRow: column === 0 };
  });
}
