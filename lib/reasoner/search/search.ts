import { badInput } from "../../core/index.js";
import type { Answer, Context, Strategy } from "../../rollouts/index.js";
import type { SearchTree } from "../../search/index.js";
import type { Problem } from "../../tasks/index.js";
import { tokenBudget } from "./budget.js";
import { type Candidate, chooseCandidate } from "./candidates.js";
import type { SearchFrame } from "./frame.js";
import { reviseSolutions } from "./revision.js";
import { sampleSolutions } from "./sampling.js";
import { type CompleteSettings, completeSearch, type SearchParts, type SearchSettings } from "./settings.js";
import { type Beginning, searchSteps } from "./step-search.js";

/** What a search leaves in an attempt. */
export interface SearchTrace {
  candidates: readonly Candidate[];
  /** Index of the one that was chosen; null if there are none. */
  chosen: number | null;
  /** New tokens of all calls. */
  spent: number;
  /** Trees of a search over steps, for drawing. */
  trees?: readonly SearchTree<Beginning>[] | undefined;
}

/**
 * A strategy that searches for a solution within a budget of new tokens for each problem: best-of-n, sequential revision,
 * beam and Monte Carlo tree search over steps, and votes. All have the same interface and never exceed the budget. The trace
 * is a {@link SearchTrace}: all candidates, so that every way to choose can be measured on one search.
 *
 * @throws bad-input for settings out of range, or for programs where steps or the verifier are asked for
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { searchStrategy } from "thoughtbook/reasoner";
 * import { runAttempts } from "thoughtbook/rollouts";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const { problems } = await loadTask("word-problems:3", { limit: 1 });
 * const places = problems.map((problem) => ({ problem, sample: 0 }));
 * const options = { model: await loadModel("mini"), maxNewTokens: 96 };
 * const [attempt] = await runAttempts(searchStrategy({ search: "mcts", budget: 256 }), places, options);
 * console.log(attempt?.solution);
 * ```
 */
export function searchStrategy(settings: SearchSettings, parts: SearchParts = {}): Strategy {
  const complete = completeSearch(settings, parts);
  const { search, budget, score, value } = complete;
  const isStepwise = search === "beam" || search === "mcts";
  const needsLogProbs = score === "probability" || (isStepwise && value === "probability") || search === "mcts";
  return {
    name: search,
    settings: { ...complete },
    needs: needsLogProbs ? ["tokenLogProbs"] : [],
    writesCode: true,
    async attempt(problem, context) {
      checkProblem(problem, complete, isStepwise);
      const frame: SearchFrame = { problem, context, settings: complete, parts, budget: tokenBudget(budget) };
      const { candidates, trees } = isStepwise
        ? await searchSteps(frame)
        : { candidates: await (search === "revision" ? reviseSolutions : sampleSolutions)(frame), trees: undefined };
      return answered(problem, candidates, frame, trees);
    },
  };
}

function checkProblem({ id, kind }: Problem, { search, score }: CompleteSettings, isStepwise: boolean): void {
  if (kind !== "code" || (!isStepwise && score !== "verifier")) return;
  throw badInput(
    `${id} asks for a program, and ${isStepwise ? `${search} searches steps of a calculation` : "the verifier checks calculations"}`,
    "Choose best-of-n or revision, and the score checks.",
  );
}

function answered(
  problem: Problem,
  candidates: readonly Candidate[],
  { settings, budget }: SearchFrame & { context: Context },
  trees: readonly SearchTree<Beginning>[] | undefined,
): Answer {
  const chosen = chooseCandidate(problem, candidates, settings.select);
  const trace: SearchTrace = {
    candidates,
    chosen: chosen ?? null,
    spent: budget.spent,
    ...(trees ? { trees } : {}),
  };
  if (chosen === undefined) return { text: "", trace };
  const { text, begun, solution } = candidates[chosen]!;
  return { text, begun, solution, trace };
}
