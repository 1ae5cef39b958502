import { badInput, sum, ThoughtbookError } from "../../core/index.js";
import { type LanguageModel, type Prompt, requireCapability } from "../../llm/index.js";
import { STEP_SEPARATOR } from "../chains/split-steps.js";
import { encodeParts, type PathTags, roomAfter } from "./path-parts.js";
import { checkStepSet, type StepSet, stepKey } from "./step-set.js";

/** A question, the steps of a thought, and the solution they lead to. */
export interface PathText {
  /** Prompt before the thought: the question, in whatever form the model takes it. */
  prompt: Prompt;
  steps: readonly string[];
  solution: string;
}

export interface PathCostOptions {
  tags: PathTags;
  /** Weight of g. Default: 0.1. */
  beta?: number | undefined;
  /** Definition of g and h; see {@link openPathCosts}. Default: `exact`. */
  variant?: "exact" | "faithful" | undefined;
  /** Maximum number of texts scored at once. Default: chosen by the model. */
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Cost in nats per token; lower is better. */
export interface PathCost {
  /** g + h. */
  f: number;
  /** β · mean of −log p of the thought's tokens given the question. */
  g: number;
  /** Mean of −log p of the solution's tokens given question and thought. */
  h: number;
}

/** Costs of paths of one text; each path is scored once. */
export interface PathCosts {
  /** The cost of each set of kept steps. Throws bad-input for what is no set, interrupted, and as `score` of the model. */
  of(sets: readonly StepSet[], options?: { signal?: AbortSignal | undefined }): Promise<PathCost[]>;
  /** Tokens of each step with the separator after it: the cost of keeping it. */
  readonly stepTokens: readonly number[];
  /** Number of paths that the model has scored, and that are too long for its context. */
  readonly scored: number;
  readonly tooLong: number;
}

const TOO_LONG: PathCost = { f: Number.POSITIVE_INFINITY, g: Number.POSITIVE_INFINITY, h: Number.POSITIVE_INFINITY };

/**
 * Compute the costs that guide A*-Thought, from any model with the capability `score`. Tags, steps, separators and
 * solution are encoded one by one and the ids joined, so no token boundary shifts with the kept steps. All new sets of
 * a call are scored in one call of the model; a path longer than the context costs ∞.
 *
 * - `exact`: g over the tokens of the kept steps and the separators between them (0 if there are none), h over all tokens
 *   of the solution; tags count in neither. The paper's equations.
 * - `faithful`: what the released code computes: g over all that stands between the question and the last |solution|
 *   tokens, tags included; h over these but their first. With an end tag the last |solution| tokens are the end of the
 *   solution and the tag. Of a solution of one token the code's slice is everything: h is then over all after the question.
 *
 * The mean of no tokens is 0: nothing of a solution without tokens can be hard to say.
 *
 * @throws bad-input for a model without `score`, or a wrong β
 */
export async function openPathCosts(
  model: LanguageModel,
  { prompt, steps, solution }: PathText,
  { tags, beta = 0.1, variant = "exact", batchSize, signal }: PathCostOptions,
): Promise<PathCosts> {
  requireCapability(model, "score", "A*-Thought");
  if (!(beta >= 0 && Number.isFinite(beta))) {
    throw badInput(`beta is ${beta}, expected a finite number, 0 or more`, "Correct the option.");
  }
  const { thoughtBegin, thoughtEnd, solutionBegin } = tags;
  const texts = [thoughtBegin, thoughtEnd, solutionBegin, solution, tags.solutionEnd, STEP_SEPARATOR, ...steps];
  const [begin, end, beginSolution, solved, endSolution, separator, ...stepIds] = (await encodeParts(
    model,
    prompt,
    texts,
    signal,
  )) as [number[], number[], number[], number[], number[], number[], ...number[][]];
  const room = await roomAfter(model, prompt);
  const memory = new Map<string, PathCost>();
  let [scored, longPaths] = [0, 0];

  /** Ids after the prompt, and where the thought begins and ends in them. */
  const layOut = (set: StepSet) => {
    const thought = set.flatMap((step, at) => (at === 0 ? stepIds[step]! : [...separator, ...stepIds[step]!]));
    const ids = [...begin, ...thought, ...end, ...beginSolution, ...solved, ...endSolution];
    return { ids, from: begin.length, to: begin.length + thought.length };
  };
  const costOf = (logProbs: Float32Array, { from, to }: { from: number; to: number }): PathCost => {
    const last = logProbs.length - solved.length;
    const solutionEnd = logProbs.length - endSolution.length;
    const [thoughtPart, solutionPart] =
      variant === "faithful"
        ? [logProbs.subarray(0, last), logProbs.subarray(solved.length === 1 ? 0 : last + 1)]
        : [logProbs.subarray(from, to), logProbs.subarray(solutionEnd - solved.length, solutionEnd)];
    const [g, h] = [beta * meanLoss(thoughtPart), meanLoss(solutionPart)];
    return { f: g + h, g, h };
  };
  return {
    stepTokens: stepIds.map((ids) => ids.length + separator.length),
    get scored() {
      return scored;
    },
    get tooLong() {
      return longPaths;
    },
    async of(sets, options = {}) {
      for (const set of sets) checkStepSet(set, steps.length);
      const unknown = [...new Map(sets.map((set) => [stepKey(set), set]))].filter(([key]) => !memory.has(key));
      const paths = unknown.map(([key, set]) => ({ key, ...layOut(set) }));
      const [fitting, tooLong] = [true, false].map((fits) =>
        paths.filter(({ ids }) => ids.length <= (room ?? Number.POSITIVE_INFINITY) === fits),
      ) as [typeof paths, typeof paths];
      if (fitting.length > 0) {
        const requests = fitting.map(({ ids }) => ({ prompt, continuation: { ids } }));
        const scores = await model.score(requests, { batchSize, signal: options.signal });
        scored += fitting.length;
        for (const [at, path] of fitting.entries()) memory.set(path.key, costOf(checked(scores[at], path.ids), path));
      }
      for (const { key } of tooLong) memory.set(key, TOO_LONG);
      longPaths += tooLong.length;
      return sets.map((set) => memory.get(stepKey(set))!);
    },
  };
}

function checked(score: { logProbs: Float32Array } | undefined, ids: readonly number[]): Float32Array {
  if (score?.logProbs.length === ids.length) return score.logProbs;
  throw new ThoughtbookError("execution", `the model gave ${score?.logProbs.length} scores for ${ids.length} tokens`, {
    hint: "Its `score` must give one for each token of the continuation.",
  });
}

const meanLoss = (logProbs: Float32Array): number => (logProbs.length === 0 ? 0 : -sum(logProbs) / logProbs.length);
