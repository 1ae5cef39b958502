/**
 * How a thought becomes steps. `clean`: what stands between blank lines, whatever ends lines (`\n`, `\r\n`, `\r`) and
 * whatever white space is on the blank ones, trimmed, without empty ones. `faithful`: as the released code splits, at `\n\n`
 * alone; it drops empty paragraphs before it trims, so that one of white space alone stays as an empty step.
 */
export type Splitting = "clean" | "faithful";

/** Separator between two steps. */
export const STEP_SEPARATOR = "\n\n";

/** The end of a line, and a blank line after it. */
const BLANK_LINE = /(?:\r\n|\r(?!\n)|\n)[^\S\r\n]*(?:\r\n|\r|\n)/;

/** Split a thought into its steps, in order. */
export function splitSteps(thought: string, splitting: Splitting = "clean"): string[] {
  const isFaithful = splitting === "faithful";
  const steps = thought
    .split(isFaithful ? STEP_SEPARATOR : BLANK_LINE)
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => paragraph.trim());
  return isFaithful ? steps : steps.filter((step) => step !== "");
}

/** Join steps into a thought: the inverse of `splitSteps`, except for white space around steps. */
export function joinSteps(steps: readonly string[]): string {
  return steps.join(STEP_SEPARATOR);
}
