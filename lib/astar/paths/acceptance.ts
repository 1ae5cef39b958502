import { checkInterrupt } from "../../core/index.js";
import { checkAnswers } from "../../search/index.js";
import { type Bits, bit, contains, stepsOf, withSteps } from "./bit-set.js";

export interface AcceptanceOptions {
  n: number;
  /** Sets smaller than this are not accepted. */
  minSteps: number;
  monotone: boolean;
  maxValidations: number;
  valid(sets: number[][]): Promise<boolean[]>;
  signal: AbortSignal | undefined;
}

/**
 * Knowledge of which sets are accepted. No set is asked about twice, nor, with monotone acceptance, one whose answer
 * follows.
 */
export interface Acceptance {
  /** For each set whether it is accepted; undefined where that is unknown and the limit on questions is reached. */
  ask(sets: readonly Bits[]): Promise<(boolean | undefined)[]>;
  /** With monotone acceptance: sets of steps that every accepted set intersects; none contains another. */
  readonly needed: readonly Bits[];
  /** Number of sets given to `valid`. */
  readonly validations: number;
}

export function createAcceptance(options: AcceptanceOptions): Acceptance {
  const { n, minSteps, monotone, maxValidations, valid, signal } = options;
  const all = bit(n) - 1n;
  const verdicts = new Map<Bits, boolean>();
  let accepted: readonly Bits[] = [];
  let needed: readonly Bits[] = [];
  let validations = 0;

  const known = (set: Bits): boolean | undefined => {
    if (stepsOf(set).length < minSteps) return false;
    const verdict = verdicts.get(set);
    if (verdict !== undefined || !monotone) return verdict;
    if (accepted.some((one) => contains(set, one))) return true;
    return needed.some((some) => (set & some) === 0n) ? false : undefined;
  };
  const learn = (set: Bits, verdict: boolean) => {
    verdicts.set(set, verdict);
    if (!monotone) return;
    if (verdict) accepted = withSmallest(accepted, set);
    else needed = withSmallest(needed, all & ~set);
  };
  return {
    get needed() {
      return needed;
    },
    get validations() {
      return validations;
    },
    async ask(sets) {
      const unknown = [...new Set(sets)].filter((set) => known(set) === undefined);
      const asked = unknown.slice(0, Math.max(0, maxValidations - validations));
      if (asked.length > 0) {
        checkInterrupt(signal, "the search");
        validations += asked.length;
        const answers = checkAnswers("valid", await valid(asked.map(stepsOf)), asked.length, "sets of steps");
        for (const [at, set] of asked.entries()) learn(set, answers[at]!);
      }
      return sets.map(known);
    },
  };
}

/** Add a set, and drop those that contain another. */
function withSmallest(sets: readonly Bits[], set: Bits): readonly Bits[] {
  if (sets.some((one) => contains(set, one))) return sets;
  return [...sets.filter((one) => !contains(one, set)), set];
}

/** Decides whether a set is accepted; undefined where that is unknown and the limit on questions is reached. */
export type AskOne = (set: Bits) => Promise<boolean | undefined>;

/**
 * Under monotone acceptance, find the shortest prefix of `order` that is accepted, by bisection.
 *
 * @returns its length, at most that of `order`, which is assumed to be accepted; undefined if the limit is reached
 */
async function fewestFirst(set: Bits, order: readonly number[], ask: AskOne): Promise<number | undefined> {
  let [tooFew, enough] = [0, order.length];
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >> 1;
    const accepted = await ask(withSteps(set, order.slice(0, middle)));
    if (accepted === undefined) return undefined;
    if (accepted) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/**
 * Under monotone acceptance, find a short accepted set: the fewest of the most important steps, by bisection.
 *
 * @param order steps by importance, all together accepted
 */
export async function shortestPrefix(order: readonly number[], ask: AskOne): Promise<Bits> {
  const count = (await fewestFirst(0n, order, ask)) ?? order.length;
  return withSteps(0n, order.slice(0, count));
}

/**
 * Under monotone acceptance, grow a rejected set to one that no step can join without being accepted: the few steps
 * outside of it are a set that every accepted set intersects. Steps are added in the given order, so with the important
 * ones first the accepted sets found on the way are short.
 */
export async function growRejected(rejected: Bits, order: readonly number[], ask: AskOne): Promise<void> {
  let set = rejected;
  let rest = order.filter((step) => !contains(set, bit(step)));
  while (rest.length > 0 && (await ask(withSteps(set, rest)))) {
    const enough = await fewestFirst(set, rest, ask);
    if (enough === undefined) return;
    set = withSteps(set, rest.slice(0, enough - 1));
    rest = rest.slice(enough);
  }
}
