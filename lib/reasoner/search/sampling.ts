import { LEAST_CALL } from "./budget.js";
import type { Candidate } from "./candidates.js";
import { CHECK_TOKENS, draftSolution, type SearchFrame, scored } from "./frame.js";

/**
 * Sample solutions until the budget is spent. As many are asked for at once as are sure to fit; a solution depends on its number
 * alone.
 */
export async function sampleSolutions(frame: SearchFrame): Promise<Candidate[]> {
  const { budget, settings, context } = frame;
  const found: Candidate[] = [];
  while (budget.left >= LEAST_CALL && found.length < settings.samples) {
    const check = settings.score === "verifier" ? CHECK_TOKENS : 0;
    const sure = Math.max(1, Math.floor(budget.left / (context.maxNewTokens + check)));
    const count = Math.min(sure, settings.samples - found.length);
    const first = found.length;
    const granted = Array.from({ length: count }, () => budget.reserve(context.maxNewTokens));
    const drafts = await Promise.all(granted.map((tokens, at) => draftSolution(frame, `sample ${first + at}`, tokens)));
    for (const draft of drafts) found.push(await scored(frame, draft));
    // A prompt that does not fit the model costs nothing, and never will.
    if (drafts.every(({ tokens }) => tokens === 0)) break;
  }
  return found;
}
