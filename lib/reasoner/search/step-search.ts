import { sum } from "../../core/index.js";
import type { Completion } from "../../llm/index.js";
import { OPERATIONS, operationPrompt, type Solution, styleOf, writeSolution } from "../../operations/index.js";
import { beamSearch, type SearchProblem, type SearchTree, treeSearch } from "../../search/index.js";
import type { Problem } from "../../tasks/index.js";
import { LEAST_CALL } from "./budget.js";
import { type Candidate, steady } from "./candidates.js";
import { type Draft, type SearchFrame, scored, stepValue } from "./frame.js";

/** A solution as far as it is written. */
export interface Beginning {
  /** Its steps, each with its end, except for the last one of a complete solution. */
  text: string;
  /** The last step alone. */
  step: string;
  steps: number;
  complete: boolean;
  /** Sum of the log-probabilities of its tokens. */
  logProb: number;
  tokens: number;
}

export interface SearchedSteps {
  candidates: Candidate[];
  trees: SearchTree<Beginning>[];
}

/** Most steps of a solution. */
const MOST_STEPS = 24;
/** Most tokens of a step: a line, or a paragraph. */
const LINE = 48;
const PARAGRAPH = 160;
/** Most expansions of one tree; the budget ends it before. */
const EXPANSIONS = 1000;

/**
 * Search solutions step by step, with a beam or as a tree (Monte Carlo tree search, PUCT), until the budget is spent: a tree
 * that is searched through is followed by another one with other samples. Steps are sampled from the policy, whose probabilities of
 * them are the priors. Every complete solution that is met, by a rollout too, is a candidate.
 */
export async function searchSteps(frame: SearchFrame): Promise<SearchedSteps> {
  const { budget, settings, context } = frame;
  const found: SearchedSteps = { candidates: [], trees: [] };
  // Without rollouts a search may meet no end: then the best beginning is completed.
  const held = settings.value === "rollout" ? 0 : Math.min(context.maxNewTokens, Math.floor(budget.total / 3));
  budget.reserve(held);
  await searchTrees(frame, found);
  budget.settle(held, 0);
  if (held === 0) return found;
  if (found.candidates.length > 0) await searchTrees(frame, found);
  else await completeBest(frame, found);
  return found;
}

async function searchTrees(frame: SearchFrame, found: SearchedSteps): Promise<void> {
  const { budget, settings, context } = frame;
  while (budget.left >= 2 * LEAST_CALL) {
    const before = budget.spent;
    const { problem } = stepProblem(frame, `tree ${found.trees.length}`, found.candidates);
    const limits = {
      expansions: EXPANSIONS,
      isSpent: () => budget.left < LEAST_CALL,
      signal: context.signal,
    };
    const { tree } =
      settings.search === "beam"
        ? await beamSearch(problem, { width: settings.width }, limits)
        : await treeSearch(problem, { exploration: settings.exploration }, limits);
    found.trees.push(tree);
    // A prompt that does not fit the model costs nothing, and never will.
    if (budget.spent === before) break;
  }
}

/** Complete the beginning of highest value, the longer one among equals, by one sample. */
async function completeBest(frame: SearchFrame, { candidates, trees }: SearchedSteps): Promise<void> {
  const nodes = trees.flatMap(({ nodes }) => nodes);
  const worth = ({ value = 0 }: (typeof nodes)[number]) => value;
  const [best] = nodes.toSorted((a, b) => worth(b) - worth(a) || b.state.steps - a.state.steps);
  if (best) await stepProblem(frame, "completion", candidates).rollOut([best.state]);
}

/** The search space, and how beginnings of it are completed. */
interface StepProblem {
  problem: SearchProblem<Beginning>;
  rollOut(states: readonly Beginning[]): Promise<number[]>;
}

function stepProblem(frame: SearchFrame, key: string, candidates: Candidate[]): StepProblem {
  const { problem, context, settings, budget, parts } = frame;
  const writer = context.as("step");
  // Models that follow instructions write paragraphs, with empty lines between them.
  const isTagged = styleOf(writer, OPERATIONS.cot) === "tag";
  const [end, longest] = isTagged ? (["\n", LINE] as const) : (["\n\n", PARAGRAPH] as const);
  const promptOf = (text: string) =>
    operationPrompt(writer, OPERATIONS.cot, problem, undefined, { prefill: text || undefined });
  const common = { ...context.sampling, temperature: settings.temperature };

  const expand = async (state: Beginning) => {
    const room = Math.min(longest, Math.max(1, context.maxNewTokens - state.tokens));
    const count = Math.min(settings.branches, Math.floor(budget.left / Math.min(room, LEAST_CALL)));
    if (count < 1) return [];
    const each = Math.min(room, Math.floor(budget.left / count));
    const granted = budget.reserve(each * count);
    const request = {
      ...common,
      prompt: promptOf(state.text),
      stopStrings: [end],
      samples: count,
      maxNewTokens: each,
      seed: `${context.seed}/step/${problem.id}/${context.sample}/${key}/${state.text}`,
    };
    const [completions = []] = await writer.generate([request]);
    budget.settle(granted, sum(completions.map(({ completionTokens }) => completionTokens)));
    return completions.flatMap((completion) => {
      const next = withStep(state, completion, problem, end);
      return next ? [{ state: next, prior: Math.exp(next.logProb - state.logProb) }] : [];
    });
  };

  /** Complete beginnings by one sample each; what they are worth is the score of it. */
  const rollOut = async (states: readonly Beginning[]): Promise<number[]> => {
    const rooms = states.map(({ tokens }) => Math.max(1, context.maxNewTokens - tokens));
    const share = Math.floor(budget.left / Math.max(1, states.length));
    if (share < LEAST_CALL) return states.map(probability);
    const granted = rooms.map((room) => budget.reserve(Math.min(room, share)));
    const results = await writer.generate(
      states.map(({ text }, at) => ({
        ...common,
        prompt: promptOf(text),
        maxNewTokens: granted[at]!,
        seed: `${context.seed}/rollout/${problem.id}/${context.sample}/${key}/${text}`,
      })),
    );
    const values: number[] = [];
    for (const [at, state] of states.entries()) {
      const [completion] = results[at]!;
      budget.settle(granted[at]!, completion!.completionTokens);
      const candidate = await scored(frame, rolledOut(state, completion!, problem));
      candidates.push(candidate);
      values.push(candidate.score);
    }
    return values;
  };

  const value = async (states: readonly Beginning[]): Promise<number[]> => {
    const open = states.filter(({ complete }) => !complete);
    const valued = new Map<Beginning, number>();
    for (const state of states) {
      if (!state.complete) continue;
      const candidate = await scored(frame, draftOf(state, problem));
      candidates.push(candidate);
      valued.set(state, candidate.score);
    }
    const values =
      settings.value === "rollout"
        ? await rollOut(open)
        : settings.value === "head" && open.length > 0
          ? await parts.head!(
              problem,
              open.map(({ text }) => text),
            )
          : open.map((state) => (settings.value === "probability" ? probability(state) : stepValue(frame, state.text)));
    for (const [at, state] of open.entries()) valued.set(state, Math.min(1, Math.max(0, steady(values[at]!))));
    return states.map((state) => valued.get(state)!);
  };

  return {
    rollOut,
    problem: {
      root: { text: "", step: "", steps: 0, complete: false, logProb: 0, tokens: 0 },
      key: ({ text, complete }) => `${complete} ${text}`,
      isEnd: ({ complete }) => complete,
      expand,
      value,
    },
  };
}

/** The geometric mean of the tokens' probabilities. */
const probability = ({ logProb, tokens }: Beginning): number => (tokens === 0 ? 1 : Math.exp(logProb / tokens));

/** The beginning with one more step; undefined for an empty one, which would go on for ever, or without an end. */
function withStep(state: Beginning, completion: Completion, problem: Problem, end: string): Beginning | undefined {
  const { text, tokens, completionTokens, finishReason } = completion;
  const step = text.trimEnd();
  const written = `${state.text}${step}`;
  // A step with the answer is the last one, whether or not the model would go on.
  const complete = step.trim() !== "" && solutionOf(written, problem) !== undefined;
  if (!complete && (step.trim() === "" || finishReason === "length" || state.steps + 1 >= MOST_STEPS)) return undefined;
  return {
    text: complete ? written : `${written}${end}`,
    step: step.trim(),
    steps: state.steps + 1,
    complete,
    logProb: steady(state.logProb + sum([...(tokens?.logProbs ?? [])])),
    tokens: state.tokens + completionTokens,
  };
}

function solutionOf(text: string, problem: Problem): Solution | undefined {
  const read = OPERATIONS.cot.parse(text, problem);
  return read.ok ? read.value : undefined;
}

function draftOf({ text, tokens, logProb }: Beginning, problem: Problem): Draft {
  const solution = solutionOf(text, problem);
  return {
    ...{ text, tokens, source: "step" },
    ...(solution ? { solution: writeSolution(solution) } : {}),
    ...(tokens > 0 ? { logProb: logProb / tokens } : {}),
  };
}

function rolledOut(
  state: Beginning,
  { text, tokens, completionTokens, finishReason }: Completion,
  problem: Problem,
): Draft {
  const whole = `${state.text}${text}`;
  const solution = finishReason === "stop" ? solutionOf(whole, problem) : undefined;
  const count = state.tokens + completionTokens;
  return {
    ...{ text: whole, tokens: count, source: "rollout" },
    ...(solution ? { solution: writeSolution(solution) } : {}),
    ...(count > 0 ? { logProb: steady((state.logProb + sum([...(tokens?.logProbs ?? [])])) / count) } : {}),
  };
}
