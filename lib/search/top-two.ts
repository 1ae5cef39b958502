import { badInput, checkInterrupt, checkWhole, createRandom, type Random } from "../core/index.js";
import { type Allocate, type ArmState, pullArm, ranked, statesOf } from "./allocate.js";

export interface TopTwoOptions {
  /** Seed of the draws. Default: 0. */
  seed?: number | string | undefined;
  /** Pulls of each arm before the first choice. Default: 2. */
  first?: number | undefined;
  /** Pulls that are chosen together, so that they can be made at the same time. Default: 4. */
  together?: number | undefined;
  /** Parameters of the beta distribution that success rates are believed to come from. Default: [1, 1], uniform. */
  prior?: readonly [number, number] | undefined;
}

/** Draws for a second arm before any other one is taken. */
const MOST_DRAWS = 50;

/**
 * Top-two Thompson sampling (Russo 2016, arXiv 1602.08448), a bandit for the best arm: rates are drawn from their posteriors, and the arm
 * with the highest one is pulled, or with chance one half the best other one. Arms that may be best get the pulls. The highest
 * posterior mean wins, so that few lucky pulls do not.
 *
 * @throws bad-input for options out of range, no arms, or fewer pulls than the first ones need; execution if `pull` gives another number of
 *   rewards; interrupted
 *
 * @example
 * ```ts
 * import { topTwo } from "thoughtbook/search";
 *
 * const chances = [0.2, 0.9, 0.4];
 * const { best } = await topTwo({ seed: 1 })(chances, async (chance, count) => Array(count).fill(chance), { pulls: 24 });
 * console.log(best); // 0.9
 * ```
 */
export function topTwo(options: TopTwoOptions = {}): Allocate {
  const { seed = 0, first = 2, together = 4, prior = [1, 1] } = options;
  checkWhole("first", first, 1);
  checkWhole("together", together, 1);
  if (!prior.every((each) => Number.isFinite(each) && each > 0)) {
    throw badInput(`the prior is [${prior.join(", ")}]`, "Give two finite numbers above 0.");
  }
  return async (arms, pull, { pulls, signal, isSettled }) => {
    if (arms.length === 0) throw badInput("there are no arms to choose from", "Give one or more.");
    if (pulls < arms.length * first) {
      throw badInput(
        `${pulls} pulls are too few for ${arms.length} arms, ${first} each at first`,
        `Give ${arms.length * first} or more.`,
      );
    }
    const random = createRandom(seed);
    const states = statesOf(arms);
    checkInterrupt(signal, "the search");
    await Promise.all(states.map((state) => pullArm(state, first, pull)));
    let used = arms.length * first;
    while (used < pulls && arms.length > 1 && !isSettled?.(states)) {
      checkInterrupt(signal, "the search");
      const counts = new Map<ArmState<(typeof arms)[number]>, number>();
      const turn = Math.min(together, pulls - used);
      for (let at = 0; at < turn; at++) {
        const chosen = states[chooseArm(states, random, prior)]!;
        counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
      }
      await Promise.all([...counts].map(([state, count]) => pullArm(state, count, pull)));
      used += turn;
    }
    return { best: ranked(states, (state) => meanOf(posterior(state, prior)))[0]!.arm, arms: states };
  };
}

type Beta = readonly [a: number, b: number];

const posterior = ({ rewards }: { rewards: readonly number[] }, [a, b]: Beta): Beta => {
  const sum = rewards.reduce((total, value) => total + value, 0);
  return [a + sum, b + rewards.length - sum];
};

const meanOf = ([a, b]: Beta): number => a / (a + b);

const drawAll = (states: readonly { rewards: readonly number[] }[], random: Random, prior: Beta): number[] =>
  states.map((state) => drawBeta(random, posterior(state, prior)));

function chooseArm(states: readonly { rewards: readonly number[] }[], random: Random, prior: Beta): number {
  const leader = indexOfMost(drawAll(states, random, prior));
  if (random.uniform() < 0.5) return leader;
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const other = indexOfMost(drawAll(states, random, prior));
    if (other !== leader) return other;
  }
  const rates = drawAll(states, random, prior);
  rates[leader] = Number.NEGATIVE_INFINITY;
  return indexOfMost(rates);
}

const indexOfMost = (values: readonly number[]): number =>
  values.reduce((most, value, at) => (value > values[most]! ? at : most), 0);

function drawBeta(random: Random, [a, b]: Beta): number {
  const [x, y] = [drawGamma(random, a), drawGamma(random, b)];
  return x + y === 0 ? 0.5 : x / (x + y);
}

/** A draw from the gamma distribution of scale 1 (Marsaglia and Tsang 2000). */
function drawGamma(random: Random, shape: number): number {
  if (shape < 1) return drawGamma(random, shape + 1) * Math.max(random.uniform(), Number.MIN_VALUE) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(Math.max(random.uniform(), Number.MIN_VALUE)) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return d * v;
  }
}
