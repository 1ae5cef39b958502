import { createRandom, ThoughtbookError } from "../../core/index.js";

/** Signals of the question or the solution, as a condition after one step. */
export interface ConditionSignals {
  /** Tokens of the condition. */
  tokens: number;
  /** Mean negative log-probability of these tokens after the step, in nats. */
  nll: number;
  /** Attention from these tokens to those of the step in the last layer, summed over heads and queries. */
  mass: number;
}

export interface StepSignals {
  /** Tokens of the step, as far as the model saw them. */
  tokens: number;
  question: ConditionSignals;
  solution: ConditionSignals;
}

/** Raw signals of a chain: they depend on text and model only, and every importance is computed from them. */
export interface ChainSignals {
  /** Heads of the model's last layer. */
  heads: number;
  /** Tokens before each step that attract attention: 0, or 1 for a token that begins a text. */
  sinkTokens: number;
  /** One entry per step; null for a step without tokens. */
  steps: readonly (StepSignals | null)[];
}

/**
 * How the attention to a step is normalised:
 * - code: mass ÷ step tokens, as the released code does; the longer of question and solution weighs more
 * - paper: mass ÷ (heads · step tokens · condition tokens), the mean weight; eq. 2
 * - lift: mass ÷ the mass under uniform attention to all earlier tokens; 1 is chance
 */
export const NORMALISATIONS = ["code", "paper", "lift"] as const;
export type Normalisation = (typeof NORMALISATIONS)[number];

/**
 * Formula of importance: attention ÷ NLL, one of them alone, or random; or the drop of the solution's log-probability
 * without the step, which is measured otherwise: see `dropImportance`.
 */
export const IMPORTANCE_SIGNALS = ["both", "attention", "nll", "random", "drop"] as const;
export type ImportanceSignal = (typeof IMPORTANCE_SIGNALS)[number];

export interface ImportanceOptions {
  /** Weight of the solution's side; the question's weight is 1 − alpha. Default: 0.5, as in the released code. */
  alpha?: number | undefined;
  /** Default: `code`. */
  normalisation?: Normalisation | undefined;
  /** Default: `both`. */
  signal?: ImportanceSignal | undefined;
  /** Seed for the signal `random`. Default: 0. */
  seed?: number | string | undefined;
}

/** As the released code has it. */
export const IMPORTANCE_DEFAULTS = { alpha: 0.5, normalisation: "code", signal: "both" } as const;

/** Importance of a chain's steps. All numbers are finite and, but for `drop`, at least 0; steps without tokens have 0. */
export interface Importance {
  /** Mixed importance of each step. */
  scores: number[];
  /** Importance of each side alone, as with alpha 0 and 1. */
  question: number[];
  solution: number[];
  /** Rank the steps by importance, the highest first; ties keep their order. */
  order: number[];
}

/** Lower bound on NLL: keeps importance finite for a condition that the model is certain of. */
const LEAST_NLL = 1e-6;

/**
 * Normalised attention from a condition to a step.
 *
 * @param stepTokens at least 1
 */
export function conditionAttention(
  { tokens, mass }: ConditionSignals,
  { stepTokens, heads, sinkTokens }: { stepTokens: number; heads: number; sinkTokens: number },
  normalisation: Normalisation,
): number {
  if (normalisation === "code") return mass / stepTokens;
  if (normalisation === "paper") return mass / (heads * stepTokens * tokens);
  return mass / (heads * uniformMass(tokens, stepTokens, sinkTokens));
}

/** Attention that one head's queries give to the step if each attends uniformly to all tokens up to its own. */
function uniformMass(conditionTokens: number, stepTokens: number, sinkTokens: number): number {
  let sum = 0;
  for (let query = 1; query <= conditionTokens; query++) sum += stepTokens / (sinkTokens + stepTokens + query);
  return sum;
}

/**
 * Bidirectional importance: the mixed attention ÷ the mixed NLL of question and solution (A*-Thought, eq. 4).
 *
 * @param alpha weight of the solution's side
 */
export function bidirectionalImportance(
  question: { attention: number; nll: number },
  solution: { attention: number; nll: number },
  alpha: number,
): number {
  return mix(question.attention, solution.attention, alpha) / leastNll(mix(question.nll, solution.nll, alpha));
}

/** A weight of 0 ignores a side whatever its value. */
function mix(question: number, solution: number, alpha: number): number {
  if (alpha === 0) return question;
  return alpha === 1 ? solution : (1 - alpha) * question + alpha * solution;
}

const leastNll = (nll: number): number => Math.max(nll, LEAST_NLL);

/**
 * Compute the importance of a chain's steps from its signals: attention ÷ NLL, or for ablations the attention alone, 1
 * ÷ NLL alone, or random numbers from the seed.
 *
 * @throws bad-input for an alpha outside of 0 to 1, and for the signal `drop`
 */
export function rankSteps(chain: ChainSignals, options: ImportanceOptions = {}): Importance {
  const { alpha = IMPORTANCE_DEFAULTS.alpha } = options;
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new ThoughtbookError("bad-input", `alpha is ${alpha}, expected a number from 0 to 1`, {
      hint: "0 takes the question alone, 1 the solution alone.",
    });
  }
  if (options.signal === "drop") {
    throw new ThoughtbookError("bad-input", "the signal drop does not follow from attention and NLL", {
      hint: "Call dropImportance.",
    });
  }
  if (options.signal === "random") return randomImportance(chain.steps, options.seed ?? 0);
  const at = (weight: number) => chain.steps.map((step) => (step ? stepImportance(step, chain, weight, options) : 0));
  const scores = at(alpha);
  return { scores, question: at(0), solution: at(1), order: descending(scores) };
}

function stepImportance(
  { tokens, question, solution }: StepSignals,
  { heads, sinkTokens }: ChainSignals,
  alpha: number,
  { normalisation = IMPORTANCE_DEFAULTS.normalisation, signal = IMPORTANCE_DEFAULTS.signal }: ImportanceOptions,
): number {
  const side = (condition: ConditionSignals) => ({
    attention:
      signal === "nll" ? 1 : conditionAttention(condition, { stepTokens: tokens, heads, sinkTokens }, normalisation),
    nll: signal === "attention" ? 1 : condition.nll,
  });
  return bidirectionalImportance(side(question), side(solution), alpha);
}

/** Random numbers as the importance of steps, 0 for those that are empty. */
export function randomImportance(steps: readonly unknown[], seed: number | string): Importance {
  const random = createRandom(`importance/${seed}`);
  const scores = steps.map((step) => {
    const drawn = random.uniform();
    return step ? drawn : 0;
  });
  return { scores, question: [...scores], solution: [...scores], order: descending(scores) };
}

const descending = (scores: readonly number[]): number[] =>
  [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
