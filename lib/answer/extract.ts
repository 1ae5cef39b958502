import type { Result } from "./math/expression.js";
import { extractAot } from "./released/aot.js";
import { extractAstar } from "./released/astar-extract.js";
import { extractDots } from "./released/dots.js";
import { extractStrict, type Reading } from "./strict/extract-strict.js";

/**
 * How answers are read and compared: strictly, or exactly as one of three released systems does it, faults included.
 */
export type Policy = "strict" | "astar" | "dots" | "aot";
export const POLICIES: readonly Policy[] = ["strict", "astar", "dots", "aot"];

const EXTRACTORS: Record<Policy, (completion: string, reading: Reading) => Result<string>> = {
  strict: extractStrict,
  astar: extractAstar,
  dots: extractDots,
  aot: extractAot,
};

/**
 * The final answer of a completion under a policy; the failure says why there is none.
 * @param reading what kind of answer is wanted and whether the text is incomplete; the released systems do not ask
 *
 * @example
 * ```ts
 * import { extractAnswer } from "thoughtbook/answer";
 *
 * console.log(extractAnswer("So it is \\boxed{\\frac{1}{2}}.", "strict")); // { ok: true, value: '\\frac{1}{2}' }
 * console.log(extractAnswer("I would guess 12", "strict").ok); // false
 * ```
 */
export function extractAnswer(completion: string, policy: Policy, reading: Reading = {}): Result<string> {
  return EXTRACTORS[policy](completion, reading);
}
