import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeError } from "thoughtbook/core";
import { flopsOf, LARGE_PRODUCTS, type MatrixProduct } from "../shared/products.js";
import { waitUntilQuiet } from "../shared/quiet.js";
import { describeMachine, type Machine } from "../shared/report.js";
import { runRounds, type Turns } from "../shared/rounds.js";
import { ratioByRound, type Spread, spreadOf } from "../shared/statistics.js";
import { type Pace, type RunningPeer, startGenerating, type Turn, takeTurn, type WarmUp, warmUp } from "./measure.js";
import { countParameters, flopsOfText, type GenerateProblem, PROBLEM, randomPrompts, writeModel } from "./model.js";
import { ENGINE, type GeneratePeer, planPeer, type SkippedPeer } from "./peer-list.js";

export interface GenerateBenchOptions extends Pace {
  peers: readonly GeneratePeer[];
  batches: readonly number[];
  rounds: number;
  threads: number;
  seed: number;
  /** Python with torch and transformers. */
  python?: string | undefined;
  /** How long to wait before a turn for other programs to finish. */
  patienceSeconds: number;
  /** Another model; for tests. */
  problem?: GenerateProblem;
  /** Products that show the peak. Default: of 1024 and 2048 rows and columns. */
  largeProducts?: readonly MatrixProduct[];
  /** A line about what is going on. */
  onProgress?(line: string): void;
}

export interface PeerResult {
  name: GeneratePeer;
  title: string;
  tokensPerSecond: Spread;
  /** This engine's tokens per second divided by this peer's, by round. */
  engineIsFasterBy: Spread | null;
  /** The inverse ratio. */
  speedOfEngine: Spread | null;
  firstSeconds: number;
  megabytes: number;
  othersBusy: Spread;
  /** Share of the first new tokens that agree with this engine's; null for this engine itself. */
  sameTokens: number | null;
  rounds: (Turn | null)[];
}

export interface BatchResult {
  batch: number;
  peers: PeerResult[];
  failed: { name: GeneratePeer; title: string; reason: string }[];
  /** GFLOP/s of this engine's best large product; null without this engine. */
  peakGigaflopsPerSecond: number | null;
  /** Share of that peak that this engine reaches, counting only the operations that the texts need. */
  shareOfPeak: number | null;
}

export interface GenerateBenchResult {
  benchmark: "generate";
  started: string;
  machine: Machine;
  settings: { rounds: number; threads: number; turnSeconds: number; seed: number };
  problem: GenerateProblem;
  parameters: number;
  versions: Readonly<Record<string, string>>;
  batches: BatchResult[];
  skipped: SkippedPeer[];
}

/** Number of tokens compared: rounding makes the texts of two systems diverge sooner or later. */
const COMPARED_TOKENS = 16;

/** Speed of greedy generation of this engine and its peers, with one model and the same prompts, in rounds. */
export async function benchGenerate(options: GenerateBenchOptions): Promise<GenerateBenchResult> {
  const { rounds, turnSeconds, threads, seed, python, problem = PROBLEM } = options;
  const started = new Date().toISOString();
  const machine = describeMachine();
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-bench-"));
  // Also where the benchmark is interrupted.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const running: RunningPeer[] = [];
  const skipped: SkippedPeer[] = [];
  const broken: BatchResult["failed"] = [];
  try {
    await writeModel(folder, problem, seed);
    for (const name of options.peers) {
      const plan = planPeer(name, { folder, threads }, python);
      if ("skipped" in plan) {
        skipped.push(plan);
        continue;
      }
      try {
        running.push(await startGenerating(plan));
      } catch (error) {
        broken.push({ name, title: plan.title, reason: describeError(error) });
      }
    }
    const batches: BatchResult[] = [];
    for (const batch of options.batches) {
      const { failed, ...result } = await benchBatch(batch, problem, running, options);
      batches.push({ ...result, failed: [...broken, ...failed] });
    }
    return {
      benchmark: "generate",
      started,
      machine,
      settings: { rounds, threads, turnSeconds, seed },
      problem,
      parameters: countParameters(problem),
      versions: Object.assign({}, ...running.map(({ versions }) => versions)) as Record<string, string>,
      batches,
      skipped,
    };
  } finally {
    await Promise.all(running.map(({ process }) => process.close()));
    remove();
    process.off("exit", remove);
  }
}

async function benchBatch(
  batch: number,
  problem: GenerateProblem,
  running: readonly RunningPeer[],
  options: GenerateBenchOptions,
): Promise<BatchResult> {
  const { rounds, seed, patienceSeconds, largeProducts = LARGE_PRODUCTS, onProgress = () => {} } = options;
  const prompts = randomPrompts(problem, batch, seed);
  const { newTokens } = problem;
  const failed: BatchResult["failed"] = [];
  const warm = new Map<RunningPeer, WarmUp>();
  for (const peer of running) {
    const { name, title } = peer.plan;
    try {
      warm.set(peer, await warmUp(peer, prompts, newTokens));
    } catch (error) {
      failed.push({ name, title, reason: describeError(error) });
    }
  }
  const peers = [...warm.keys()];
  const turns = await runRounds({
    peers,
    rounds,
    beforeTurn: () => waitUntilQuiet({ patienceSeconds }),
    turn: (peer) => takeTurn(peer, prompts, newTokens, warm.get(peer)!, largeProducts, options),
    onTurn: ({ plan }, round, { tokensPerSecond, othersBusy }) => {
      const speed = `${Math.round(tokensPerSecond)} tokens/s`;
      onProgress(
        `batch ${batch}: round ${round + 1}: ${plan.title}: ${speed}, other programs: ${othersBusy.toFixed(1)}`,
      );
    },
  });
  for (const [i, { failure }] of turns.entries()) {
    const { name, title } = peers[i]!.plan;
    if (failure !== null) failed.push({ name, title, reason: failure });
  }
  const engineAt = peers.findIndex(({ plan }) => plan.name === ENGINE);
  const engine = engineAt < 0 ? null : { warm: warm.get(peers[engineAt]!)!, turns: turns[engineAt]! };
  const results = peers.flatMap((peer, i) => peerResult(peer, warm.get(peer)!, turns[i]!, engine) ?? []);
  return { batch, peers: results, failed, ...peakOf(problem, engine?.turns ?? null, largeProducts) };
}

function peerResult(
  { plan: { name, title } }: RunningPeer,
  { ids, firstSeconds }: WarmUp,
  { turns }: Turns<Turn>,
  engine: { warm: WarmUp; turns: Turns<Turn> } | null,
): PeerResult | null {
  const present = turns.filter((turn) => turn !== null);
  if (present.length === 0) return null;
  const speeds = turns.map((turn) => turn?.tokensPerSecond ?? null);
  const engineSpeeds = engine?.turns.turns.map((turn) => turn?.tokensPerSecond ?? null) ?? [];
  return {
    name,
    title,
    tokensPerSecond: spreadOf(present.map(({ tokensPerSecond }) => tokensPerSecond)),
    engineIsFasterBy: ratioByRound(engineSpeeds, speeds),
    speedOfEngine: ratioByRound(speeds, engineSpeeds),
    firstSeconds,
    megabytes: present.at(-1)!.megabytes,
    othersBusy: spreadOf(present.map(({ othersBusy }) => othersBusy)),
    sameTokens: name === ENGINE || engine === null ? null : sameTokens(ids, engine.warm.ids),
    rounds: turns,
  };
}

/** The share of the first tokens that two systems have in common. */
export function sameTokens(ids: readonly (readonly number[])[], reference: readonly (readonly number[])[]): number {
  const pairs = reference.flatMap((row, i) => row.slice(0, COMPARED_TOKENS).map((id, j) => id === ids[i]?.[j]));
  return pairs.filter(Boolean).length / pairs.length;
}

function peakOf(
  problem: GenerateProblem,
  engine: Turns<Turn> | null,
  products: readonly MatrixProduct[],
): Pick<BatchResult, "peakGigaflopsPerSecond" | "shareOfPeak"> {
  const turns = engine?.turns.filter((turn) => turn !== null) ?? [];
  if (turns.length === 0 || products.length === 0) return { peakGigaflopsPerSecond: null, shareOfPeak: null };
  const peaks = products.map((product, i) =>
    spreadOf(turns.map(({ productSeconds }) => flopsOf(product) / productSeconds[i]! / 1e9)),
  );
  const peak = Math.max(...peaks.map(({ median }) => median));
  const tokens = spreadOf(turns.map(({ tokensPerSecond }) => tokensPerSecond)).median;
  const reached = (tokens / problem.newTokens) * flopsOfText(problem);
  return { peakGigaflopsPerSecond: peak, shareOfPeak: reached / 1e9 / peak };
}
