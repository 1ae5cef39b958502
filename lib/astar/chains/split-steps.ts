/**
 * How a thought becomes steps. `clean`: what stands between blank lines, trimmed, without empty ones. `faithful`: as the
 * released code splits, which drops empty paragraphs before it trims, so that one of white space alone stays as an empty
 * step.
 */
export type Splitting = "clean" | "faithful";
export const SPLITTINGS: readonly Splitting[] = ["clean", "faithful"];

/** Between two steps. */
export const STEP_SEPARATOR = "\n\n";

/** The steps of a thought, in its order. */
export function splitSteps(thought: string, splitting: Splitting = "clean"): string[] {
  const steps = thought
    .split(STEP_SEPARATOR)
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => paragraph.trim());
  return splitting === "faithful" ? steps : steps.filter((step) => step !== "");
}

/** A thought from steps: the inverse of `splitSteps` but for white space around them. */
export function joinSteps(steps: readonly string[]): string {
  return steps.join(STEP_SEPARATOR);
}
