import { flopsOf, productName } from "../shared/products.js";
import type { Turns } from "../shared/rounds.js";
import { curveDifference, ratioByRound, type Spread, spreadOf } from "../shared/statistics.js";
import type { RunningPeer, Turn } from "./measure.js";
import type { ModelConfig, ModelName } from "./models.js";
import { BASELINE, type PeerName, type SkippedPeer } from "./peer-list.js";
import type { MeasuredProducts } from "./step-products.js";

export interface PeerResult {
  name: PeerName;
  title: string;
  versions: Readonly<Record<string, string>>;
  threads: number | null;
  /** Null where the first step compiles or nothing does. */
  compileMs: number | null;
  firstStepMs: number;
  tokensPerSecond: Spread | null;
  /** Milliseconds of single steps over all rounds. */
  stepMs: Spread | null;
  /** This engine's tokens a second over this peer's, by round. */
  engineIsFasterBy: Spread | null;
  /** The other way round. */
  speedOfEngine: Spread | null;
  residentMegabytes: number | null;
  /** Processors busy with other work during its turns. */
  othersBusy: Spread | null;
  losses: number[];
  /** Relative difference of the first losses from this engine's; null for itself. */
  lossDifference: { steps: number; difference: number } | null;
  /** What is wrong with the peer's training, if anything. */
  problems: string[];
  rounds: (Turn | null)[];
}

export interface ProductResult {
  product: string;
  /** Occurrences in a step; 0 for the products that only show the peak. */
  count: number;
  gigaflopsPerSecond: Spread;
}

export interface MatrixResult {
  peer: PeerName;
  title: string;
  /** The best of the large products, median of the rounds. */
  peakGigaflopsPerSecond: number;
  products: ProductResult[];
  /** What the step's products take one by one, at the speeds measured. */
  productsMsAStep: number;
  stepGigaflopsPerSecond: number;
  /** Of the step's arithmetic speed in the peak. */
  shareOfPeak: number;
  /** Of the products' time in the step's. */
  productsShareOfStep: number;
}

export interface ModelResult {
  model: ModelName;
  config: ModelConfig;
  parameters: number;
  tokensAStep: number;
  /** Of the step's matrix products. */
  gigaflopsAStep: number;
  peers: PeerResult[];
  skipped: SkippedPeer[];
  failed: { name: PeerName; title: string; reason: string }[];
  matrix: MatrixResult[];
}

const COMPARED_STEPS = 10;
/** All peers start from the same weights, so that only rounding makes their first losses differ. */
const LOSS_TOLERANCE = 5e-3;

export function peerResult(
  peer: RunningPeer,
  { turns }: Turns<Turn>,
  baseline: RunningPeer | null,
  baselineTurns: readonly (Turn | null)[],
): PeerResult {
  const { plan, prepared, losses } = peer;
  const speeds = turns.map((turn) => turn?.tokensPerSecond ?? null);
  const baselineSpeeds = baselineTurns.map((turn) => turn?.tokensPerSecond ?? null);
  const present = turns.filter((turn) => turn !== null);
  const lossDifference =
    peer === baseline || baseline === null ? null : curveDifference(losses, baseline.losses, COMPARED_STEPS);
  return {
    name: plan.name,
    title: plan.title,
    versions: prepared.versions,
    threads: prepared.threads,
    compileMs: prepared.compileMs,
    firstStepMs: prepared.firstStepMs,
    tokensPerSecond: spreadOrNull(present.map(({ tokensPerSecond }) => tokensPerSecond)),
    stepMs: spreadOrNull(present.flatMap(({ stepMs }) => stepMs)),
    engineIsFasterBy: ratioByRound(baselineSpeeds, speeds),
    speedOfEngine: ratioByRound(speeds, baselineSpeeds),
    residentMegabytes: present.at(-1)?.residentMegabytes ?? null,
    othersBusy: spreadOrNull(present.map(({ othersBusy }) => othersBusy)),
    losses,
    lossDifference,
    problems: trainingProblems(losses, lossDifference),
    rounds: turns,
  };
}

/** A peer whose loss does not fall, or not as the others' does, is fast at something else. */
export function trainingProblems(
  losses: readonly number[],
  lossDifference: { steps: number; difference: number } | null,
): string[] {
  const problems: string[] = [];
  if (!losses.every(Number.isFinite)) problems.push("a loss is not finite");
  else if (losses.length < 2 || losses.at(-1)! >= losses[0]!) {
    problems.push(`the loss does not fall: ${losses[0]} to ${losses.at(-1)} in ${losses.length} steps`);
  }
  if (lossDifference && !(lossDifference.difference <= LOSS_TOLERANCE)) {
    problems.push(
      `the first ${lossDifference.steps} losses differ from this engine's by ${lossDifference.difference.toExponential(1)}`,
    );
  }
  return problems;
}

/** How close a peer's step comes to what its matrix products alone would take. Null for a peer that measured none. */
export function matrixResult(
  peer: RunningPeer,
  turns: readonly (Turn | null)[],
  { large, step }: MeasuredProducts,
): MatrixResult | null {
  const measured = turns.filter((turn) => turn !== null && turn.productSeconds.length > 0) as Turn[];
  const stepMs = spreadOrNull(measured.flatMap((turn) => turn.stepMs));
  if (stepMs === null) return null;
  const all = [...large, ...step];
  const seconds = all.map((_, i) => spreadOf(measured.map(({ productSeconds }) => productSeconds[i]!)));
  const products = all.map((product, i): ProductResult => {
    const rates = measured.map(({ productSeconds }) => flopsOf({ ...product, count: 1 }) / productSeconds[i]! / 1e9);
    const count = i < large.length ? 0 : product.count;
    return { product: productName(product), count, gigaflopsPerSecond: spreadOf(rates) };
  });
  const productsMs = all.reduce((sum, _, i) => sum + products[i]!.count * seconds[i]!.median * 1000, 0);
  const peak = Math.max(...products.slice(0, large.length).map((one) => one.gigaflopsPerSecond.median));
  const gigaflops = step.reduce((sum, product) => sum + flopsOf(product), 0) / 1e9;
  const stepRate = gigaflops / (stepMs.median / 1000);
  return {
    peer: peer.plan.name,
    title: peer.plan.title,
    peakGigaflopsPerSecond: peak,
    products,
    productsMsAStep: productsMs,
    stepGigaflopsPerSecond: stepRate,
    shareOfPeak: stepRate / peak,
    productsShareOfStep: productsMs / stepMs.median,
  };
}

export const isBaseline = (peer: RunningPeer): boolean => peer.plan.name === BASELINE;

function spreadOrNull(values: readonly number[]): Spread | null {
  return values.length === 0 ? null : spreadOf(values);
}
