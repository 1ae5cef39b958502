import { badInput, checkInterrupt, checkWhole, createRandom, type Random } from "../core/index.js";
import type { Allocate } from "./allocate.js";
import { prunedRounds, uniformPulls } from "./pruned-rounds.js";
import { successiveHalving } from "./successive-halving.js";
import { topTwo } from "./top-two.js";

/** An arm of a simulated question: the actions of one of 12 trajectories, by the index of each. */
type SimulatedArm = readonly [analysis: number, solution: number, verification: number];

/** The 12 trajectories of three layers, the shorter ones first, so that they win ties. */
const ARMS: readonly SimulatedArm[] = [0, 1, 2]
  .flatMap((analysis) => [0, 1].flatMap((solution) => [0, 1].map((check): SimulatedArm => [analysis, solution, check])))
  .sort((a, b) => Number(a[0] > 0) + a[2] - Number(b[0] > 0) - b[2]);

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Where the true success rates of a question's trajectories come from. */
export const RATE_PRIORS = {
  /** Each rate uniform on [0, 1], independent of the others. */
  uniform: (random) => ARMS.map(() => random.uniform()),
  /** Most rates low, few high, independent: u³ for uniform u. */
  hard: (random) => ARMS.map(() => random.uniform() ** 3),
  /**
   * As actions would make them: the logistic function of how easy the question is, N(0, 1.5²), plus what each of its actions brings,
   * N(0, 1) each, plus N(0, 0.5²) for the trajectory.
   */
  actions(random) {
    const easy = 1.5 * random.normal();
    const effects = [3, 2, 2].map((count) => Array.from({ length: count }, () => random.normal()));
    return ARMS.map((arm) =>
      logistic(easy + arm.reduce((sum, at, layer) => sum + effects[layer]![at]!, 0) + 0.5 * random.normal()),
    );
  },
} as const satisfies Record<string, (random: Random) => number[]>;
export type RatePrior = keyof typeof RATE_PRIORS;

/** A way to spend pulls that is simulated. */
export interface SimulatedAllocation {
  name: string;
  /** Pulls of a question at most. */
  pulls: number;
  /** Makes the allocation of a question; the seed is its own. */
  allocate(seed: string): Allocate;
}

/** What came of an allocation over all questions of a prior. */
export interface SimulatedResult {
  prior: RatePrior;
  name: string;
  questions: number;
  /** Questions whose chosen trajectory is within 0.05 of the best one's true rate. */
  near: number;
  /** Questions where the best itself is chosen. */
  best: number;
  /** Mean of the best rate minus the chosen one's. */
  regret: number;
  /** Mean pulls of a question. */
  pulls: number;
}

const WITHIN = 0.05;

/** The searches that are compared: Algorithm 1's 80 pulls, the same number otherwise, and 70 % of it. */
export const SIMULATED_ALLOCATIONS: readonly SimulatedAllocation[] = [
  { name: "Algorithm 1", pulls: 80, allocate: () => prunedRounds() },
  { name: "uniform", pulls: 80, allocate: () => uniformPulls },
  { name: "successive halving", pulls: 80, allocate: () => successiveHalving },
  { name: "top-two Thompson", pulls: 80, allocate: (seed) => topTwo({ seed }) },
  { name: "top-two Thompson, 70 %", pulls: 56, allocate: (seed) => topTwo({ seed }) },
];

/**
 * Simulate allocations on questions whose trajectories have random true success rates: each pull is right with its trajectory's rate. All
 * allocations see the same questions, and the n-th pull of a trajectory is the same for all of them, so that differences between
 * allocations are paired.
 *
 * @throws bad-input for no allocations or a count of questions that is none; interrupted
 */
export async function simulateAllocations(
  allocations: readonly SimulatedAllocation[],
  {
    prior,
    questions,
    seed = 0,
    signal,
  }: { prior: RatePrior; questions: number; seed?: number | string; signal?: AbortSignal | undefined },
): Promise<SimulatedResult[]> {
  checkWhole("questions", questions, 1);
  if (allocations.length === 0) throw badInput("there are no allocations to simulate", "Give one or more.");
  const results = allocations.map(({ name }) => ({ prior, name, questions, near: 0, best: 0, regret: 0, pulls: 0 }));
  const most = Math.max(...allocations.map(({ pulls }) => pulls));
  for (let question = 0; question < questions; question++) {
    if (question % 100 === 0) checkInterrupt(signal, "the simulation");
    const random = createRandom(`${seed}/${prior}/${question}`);
    const rates = RATE_PRIORS[prior](random);
    const outcomes = rates.map((rate) => Array.from({ length: most }, () => Number(random.uniform() < rate)));
    const highest = Math.max(...rates);
    const arms = [...rates.keys()];
    for (const [at, { pulls, allocate }] of allocations.entries()) {
      const pull = async (arm: number, count: number, from: number) => outcomes[arm]!.slice(from, from + count);
      const { best, arms: pulled } = await allocate(`${seed}/${prior}/${question}/choices`)(arms, pull, { pulls });
      const result = results[at]!;
      const gap = highest - rates[best]!;
      result.near += Number(gap <= WITHIN);
      result.best += Number(gap === 0);
      result.regret += gap / questions;
      result.pulls += pulled.reduce((sum, { rewards }) => sum + rewards.length, 0) / questions;
    }
  }
  return results;
}
