import { z } from "zod";
import { type Peer, startPeer } from "../shared/peers.js";
import type { MatrixProduct } from "../shared/products.js";
import { startBusyClock } from "../shared/quiet.js";
import type { PlannedPeer } from "./peer-list.js";

const PREPARED = z.object({
  versions: z.record(z.string(), z.string()),
  threads: z.number().nullable(),
  compileMs: z.number().nullable(),
  firstStepMs: z.number(),
  loss: z.number(),
});
const STEPS = z.object({
  stepMs: z.array(z.number()),
  losses: z.array(z.number()),
  processorSeconds: z.number(),
  residentMegabytes: z.number(),
});
const PRODUCT = z.object({ seconds: z.number() });

/** A peer that is ready for its turns. */
export interface RunningPeer {
  plan: PlannedPeer;
  process: Peer;
  prepared: z.infer<typeof PREPARED>;
  /** Of every step so far, in order: the loss curve. */
  losses: number[];
  /** Of the fastest step so far. */
  stepSeconds: number;
  /** The peer takes part in one of every this many rounds. */
  everyRounds: number;
}

/** What one peer did in one round. */
export interface Turn {
  tokensPerSecond: number;
  stepMs: number[];
  residentMegabytes: number;
  /** Processors that were busy with other work than this peer's, on average over its steps. */
  othersBusy: number;
  /** Seconds for one of each of the products that it was given. */
  productSeconds: number[];
}

export interface Pace {
  /** The most from the start of a peer to its first loss, compilation included. Default: ten minutes. */
  startSeconds?: number;
  /** What a turn should take. */
  turnSeconds: number;
  /** The most steps in a turn. */
  maximumSteps: number;
}

const WARM_UP_SECONDS = 2;
const WARM_UP_STEPS = 10;
/** A peer whose single step takes longer than this many turns skips some rounds. */
const PATIENCE_TURNS = 10;
const PRODUCT_MILLISECONDS = 50;

/** Start a peer, let it compile, and warm it up until steps take what they will take. */
export async function startTraining(
  plan: PlannedPeer,
  { turnSeconds, startSeconds = 600 }: Pace,
): Promise<RunningPeer> {
  const process = startPeer(plan.command);
  try {
    const prepared = await process.request("prepare", {}, PREPARED, startSeconds);
    const losses = [prepared.loss];
    let stepSeconds = Number.POSITIVE_INFINITY;
    for (let spent = 0, step = 0; spent < WARM_UP_SECONDS && step < WARM_UP_STEPS; step++) {
      const { stepMs, losses: more } = await process.request("steps", { count: 1 }, STEPS);
      spent += stepMs[0]! / 1000;
      stepSeconds = Math.min(stepSeconds, stepMs[0]! / 1000);
      losses.push(...more);
    }
    const everyRounds = Math.max(1, Math.ceil(stepSeconds / (PATIENCE_TURNS * turnSeconds)));
    return { plan, process, prepared, losses, stepSeconds, everyRounds };
  } catch (error) {
    await process.close();
    throw error;
  }
}

/** Turns with longer steps are not repeated: on a busy machine they would take most of the time. */
const PATIENCE_SECONDS = 5;
/** A turn during which other programs kept more processors busy than this is repeated. */
const UNDISTURBED = 0.3;

/**
 * One peer's turn: its steps, then the products. Where other programs disturbed it, it is repeated, and the attempt with the
 * least disturbance counts, whatever its speed. Null in the rounds the peer sits out.
 *
 * @param attempts the most attempts, 1 or more
 */
export async function takeTurn(
  peer: RunningPeer,
  round: number,
  tokensAStep: number,
  products: readonly MatrixProduct[],
  pace: Pace,
  attempts: number,
): Promise<Turn | null> {
  if (round % peer.everyRounds !== 0) return null;
  let best: Omit<Turn, "productSeconds"> | null = null;
  const most = peer.stepSeconds > PATIENCE_SECONDS ? 1 : attempts;
  for (let attempt = 0; attempt < most && (best === null || best.othersBusy > UNDISTURBED); attempt++) {
    const steps = await takeSteps(peer, tokensAStep, pace);
    if (best === null || steps.othersBusy < best.othersBusy) best = steps;
  }
  const productSeconds: number[] = [];
  for (const product of peer.plan.measuresProducts ? products : []) {
    const request = { product, milliseconds: PRODUCT_MILLISECONDS };
    productSeconds.push((await peer.process.request("product", request, PRODUCT)).seconds);
  }
  return { ...best!, productSeconds };
}

async function takeSteps(peer: RunningPeer, tokensAStep: number, pace: Pace): Promise<Omit<Turn, "productSeconds">> {
  const count = stepsOf(peer, pace);
  // One that does not count, where it is cheap: after the other peers' turns nothing is in the caches.
  if (count > 2) await countSteps(peer, 1);
  const clock = startBusyClock();
  const { stepMs, processorSeconds, residentMegabytes } = await countSteps(peer, count);
  const othersBusy = Math.max(0, clock.busyProcessors(processorSeconds));
  const seconds = stepMs.reduce((a, b) => a + b, 0) / 1000;
  return { tokensPerSecond: (tokensAStep * stepMs.length) / seconds, stepMs, residentMegabytes, othersBusy };
}

/** As many steps as a turn should take, by the fastest one so far: a disturbed one must not make turns short for good. */
function stepsOf({ stepSeconds }: RunningPeer, { turnSeconds, maximumSteps }: Pace): number {
  return Math.max(1, Math.min(maximumSteps, Math.round(turnSeconds / stepSeconds)));
}

async function countSteps(peer: RunningPeer, count: number): Promise<z.infer<typeof STEPS>> {
  const reply = await peer.process.request("steps", { count }, STEPS);
  peer.losses.push(...reply.losses);
  peer.stepSeconds = Math.min(peer.stepSeconds, ...reply.stepMs.map((ms) => ms / 1000));
  return reply;
}
