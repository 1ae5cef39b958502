import { createRandom, ThoughtbookError } from "../../core/index.js";

/** What a model says of the question or the solution, as a condition after one step. */
export interface ConditionSignals {
  /** Of the condition. */
  tokens: number;
  /** Mean negative log-probability of these tokens after the step, in nats. */
  nll: number;
  /** Attention that these tokens give to those of the step in the last layer, summed over heads and queries. */
  mass: number;
}

export interface StepSignals {
  /** Of the step, as far as the model saw them. */
  tokens: number;
  question: ConditionSignals;
  solution: ConditionSignals;
}

/** The raw signals of a chain: what depends on text and model only, and every importance is computed from. */
export interface ChainSignals {
  /** Of the model's last layer. */
  heads: number;
  /** Tokens before each step that take up attention: 0, or 1 for a token that begins a text. */
  sinkTokens: number;
  /** One for each step; null for a step without tokens. */
  steps: readonly (StepSignals | null)[];
}

/**
 * How the attention to a step is counted:
 * - code: mass ÷ step tokens, as the released code does; the longer of question and solution weighs more
 * - paper: mass ÷ (heads · step tokens · condition tokens), the mean weight; eq. 2
 * - lift: mass ÷ what it were if each query attended to all before it alike; 1 is chance
 */
export const NORMALISATIONS = ["code", "paper", "lift"] as const;
export type Normalisation = (typeof NORMALISATIONS)[number];

/** What importance is made of: attention ÷ NLL, one of them, or chance. */
export const IMPORTANCE_SIGNALS = ["both", "attention", "nll", "random"] as const;
export type ImportanceSignal = (typeof IMPORTANCE_SIGNALS)[number];

export interface ImportanceOptions {
  /** Weight of the solution's side; the question's is 1 − alpha. Default: 0.5, as in the released code. */
  alpha?: number | undefined;
  /** Default: `code`. */
  normalisation?: Normalisation | undefined;
  /** Default: `both`. */
  signal?: ImportanceSignal | undefined;
  /** For the signal `random`. Default: 0. */
  seed?: number | string | undefined;
}

/** As the released code has it. */
export const IMPORTANCE_DEFAULTS = { alpha: 0.5, normalisation: "code", signal: "both" } as const;

/** The importance of a chain's steps. All numbers are finite and at least 0; steps without tokens have 0. */
export interface Importance {
  /** One for each step: its mix of both sides. */
  scores: number[];
  /** The same of each side alone, as with alpha 0 and 1. */
  question: number[];
  solution: number[];
  /** The steps by importance, the highest first; of equals the earlier first. */
  order: number[];
}

/** A smaller NLL counts as this one: importance stays finite for a condition that the model is certain of. */
const LEAST_NLL = 1e-6;

/**
 * The attention that a condition pays to a step, normalised.
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

/** What one head's queries give to the step if each attends alike to all tokens up to its own. */
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

/** A weight of 0 leaves a side out whatever its value. */
function mix(question: number, solution: number, alpha: number): number {
  if (alpha === 0) return question;
  return alpha === 1 ? solution : (1 - alpha) * question + alpha * solution;
}

const leastNll = (nll: number): number => Math.max(nll, LEAST_NLL);

/**
 * The importance of a chain's steps from its signals: attention ÷ NLL, or for ablations the attention alone, 1 ÷ NLL
 * alone, or random numbers of the seed.
 *
 * @throws bad-input for an alpha outside of 0 to 1
 */
export function rankSteps(chain: ChainSignals, options: ImportanceOptions = {}): Importance {
  const { alpha = IMPORTANCE_DEFAULTS.alpha } = options;
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new ThoughtbookError("bad-input", `alpha is ${alpha}, expected a number from 0 to 1`, {
      hint: "0 takes the question alone, 1 the solution alone.",
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
