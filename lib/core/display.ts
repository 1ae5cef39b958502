/** Shows a MIME bundle in the running notebook; with `update`, in place of the output that has the same `displayId`. */
export type NotebookDisplay = (
  bundle: Record<string, unknown>,
  options?: { displayId?: string; update?: boolean },
) => void;

/** The property of `globalThis` under which the notebook kernel's preload puts its {@link NotebookDisplay}. */
export const NOTEBOOK_DISPLAY = Symbol.for("thoughtbook.display");

/** The display of the notebook this process runs in, or undefined outside of a notebook. */
export function notebookDisplay(): NotebookDisplay | undefined {
  return (globalThis as { [NOTEBOOK_DISPLAY]?: NotebookDisplay })[NOTEBOOK_DISPLAY];
}
