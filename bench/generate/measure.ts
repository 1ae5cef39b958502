import { z } from "zod";
import { type Peer, startPeer } from "../shared/peers.js";
import type { MatrixProduct } from "../shared/products.js";
import { startBusyClock } from "../shared/quiet.js";
import { ENGINE, type PlannedPeer } from "./peer-list.js";

const PREPARED = z.object({ versions: z.record(z.string(), z.string()), threads: z.number().nullable() });
const GENERATED = z.object({
  seconds: z.array(z.number()),
  ids: z.array(z.array(z.number())),
  processorSeconds: z.number(),
  megabytes: z.number(),
});
const PRODUCT = z.object({ seconds: z.number() });

/** A peer that is ready for its turns with one batch size. */
export interface RunningPeer {
  plan: PlannedPeer;
  process: Peer;
  versions: Readonly<Record<string, string>>;
  threads: number | null;
}

/** What one peer did with one batch size before the rounds. */
export interface WarmUp {
  /** The new ids of each prompt. */
  ids: number[][];
  /** Of the first call, in which some peers compile. */
  firstSeconds: number;
  /** Of a warm call. */
  seconds: number;
}

/** What one peer did in one round. */
export interface Turn {
  tokensPerSecond: number;
  seconds: number[];
  megabytes: number;
  /** Processors that were busy with other work than this peer's. */
  othersBusy: number;
  /** Seconds of each of the products; empty for peers that measure none. */
  productSeconds: number[];
}

export interface Pace {
  /** What a turn should take. */
  turnSeconds: number;
  /** How often a turn that other programs disturbed is tried, at most. */
  attempts: number;
}

/** A turn during which other programs kept more processors busy than this is repeated. */
const UNDISTURBED = 0.3;
const PRODUCT_MILLISECONDS = 100;

export async function startGenerating(plan: PlannedPeer): Promise<RunningPeer> {
  const process = startPeer(plan.command);
  try {
    return { plan, process, ...(await process.request("prepare", {}, PREPARED)) };
  } catch (error) {
    await process.close();
    throw error;
  }
}

/** Let a peer compile, and see what it gives. */
export async function warmUp(peer: RunningPeer, prompts: readonly number[][], newTokens: number): Promise<WarmUp> {
  const { ids, seconds } = await peer.process.request("generate", { prompts, newTokens, repeats: 3 }, GENERATED);
  return { ids, firstSeconds: seconds[0]!, seconds: Math.min(...seconds) };
}

/** One peer's turn. Where other programs disturbed it, it is repeated, and the attempt with the least disturbance counts. */
export async function takeTurn(
  { plan, process }: RunningPeer,
  prompts: readonly number[][],
  newTokens: number,
  warm: WarmUp,
  products: readonly MatrixProduct[],
  { turnSeconds, attempts }: Pace,
): Promise<Turn> {
  const repeats = Math.max(1, Math.round(turnSeconds / warm.seconds));
  let best: Omit<Turn, "productSeconds"> | undefined;
  for (let attempt = 0; attempt < attempts && !(best && best.othersBusy <= UNDISTURBED); attempt++) {
    const clock = startBusyClock();
    const done = await process.request("generate", { prompts, newTokens, repeats }, GENERATED);
    const { seconds, megabytes, processorSeconds } = done;
    const othersBusy = Math.max(0, clock.busyProcessors(processorSeconds));
    if (best && best.othersBusy <= othersBusy) continue;
    const all = seconds.reduce((a, b) => a + b, 0);
    const tokensPerSecond = (prompts.length * newTokens * seconds.length) / all;
    best = { tokensPerSecond, seconds, megabytes, othersBusy };
  }
  const productSeconds: number[] = [];
  for (const product of plan.name === ENGINE ? products : []) {
    const request = { product, milliseconds: PRODUCT_MILLISECONDS };
    productSeconds.push((await process.request("product", request, PRODUCT)).seconds);
  }
  return { ...best!, productSeconds };
}
