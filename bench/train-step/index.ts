import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeError } from "thoughtbook/core";
import { flopsOf, LARGE_PRODUCTS, type MatrixProduct } from "../shared/products.js";
import { waitUntilQuiet } from "../shared/quiet.js";
import { describeMachine, type Machine } from "../shared/report.js";
import { runRounds, type Turns } from "../shared/rounds.js";
import { type Pace, type RunningPeer, startTraining, type Turn, takeTurn } from "./measure.js";
import { countParameters, MODELS, type ModelConfig, type ModelName } from "./models.js";
import { type PeerName, type PeerPlaces, planPeer, type SkippedPeer } from "./peer-list.js";
import { createProblem, writeProblem } from "./problem.js";
import { isBaseline, type ModelResult, matrixResult, peerResult } from "./results.js";
import { type MeasuredProducts, stepProducts } from "./step-products.js";

export interface TrainStepOptions extends Pace {
  models: readonly ModelName[];
  peers: readonly PeerName[];
  places: PeerPlaces;
  rounds: number;
  seed: number;
  /** How long to wait before a turn for other programs to finish. Default: not at all. */
  patienceSeconds?: number;
  /** How often a turn that other programs disturbed is tried, at most. Default: once. */
  attempts?: number;
  /** Other sizes under a model's name; for tests. */
  configs?: Readonly<Partial<Record<ModelName, ModelConfig>>>;
  /** Products that show the peak. Default: of 1024 and 2048 rows and columns. */
  largeProducts?: readonly MatrixProduct[];
  /** A line about what is going on. */
  onProgress?(line: string): void;
}

export interface TrainStepResult {
  benchmark: "train-step";
  started: string;
  machine: Machine;
  settings: { rounds: number; threads: number; turnSeconds: number; maximumSteps: number; seed: number };
  models: ModelResult[];
}

/**
 * Speed of training steps (forward, backward, AdamW) of this engine and its peers: for each model, all peers start from
 * the same weights on the same batch, warm up, and take turns in rounds.
 */
export async function benchTrainStep(options: TrainStepOptions): Promise<TrainStepResult> {
  const { rounds, turnSeconds, maximumSteps, seed, places } = options;
  const started = new Date().toISOString();
  const machine = describeMachine();
  const models: ModelResult[] = [];
  for (const model of options.models) models.push(await benchModel(model, options));
  const settings = { rounds, threads: places.threads, turnSeconds, maximumSteps, seed };
  return { benchmark: "train-step", started, machine, settings, models };
}

async function benchModel(model: ModelName, options: TrainStepOptions): Promise<ModelResult> {
  const { onProgress = () => {}, seed, places } = options;
  const config = options.configs?.[model] ?? MODELS[model];
  const products: MeasuredProducts = { large: options.largeProducts ?? LARGE_PRODUCTS, step: stepProducts(config) };
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-bench-"));
  // Also where the benchmark is interrupted.
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const running: RunningPeer[] = [];
  const skipped: SkippedPeer[] = [];
  const failed: ModelResult["failed"] = [];
  try {
    await writeProblem(folder, createProblem(config, seed));
    for (const name of options.peers) {
      const plan = planPeer(name, places, model, folder);
      if ("skipped" in plan) {
        skipped.push(plan);
        onProgress(`${model}: ${plan.title} skipped: ${plan.skipped}`);
        continue;
      }
      try {
        const peer = await startTraining(plan, options);
        running.push(peer);
        const { compileMs, firstStepMs } = peer.prepared;
        const compiled = compileMs === null ? "" : `compiled in ${Math.round(compileMs)} ms, `;
        const warm = `a warm one ${Math.round(peer.stepSeconds * 1000)} ms`;
        onProgress(`${model}: ${plan.title}: ${compiled}first step ${Math.round(firstStepMs)} ms, ${warm}`);
      } catch (error) {
        failed.push({ name, title: plan.title, reason: describeError(error) });
        onProgress(`${model}: ${plan.title} failed: ${describeError(error)}`);
      }
    }
    const turns = await takeTurns(model, config, products, running, options);
    for (const [i, { failure }] of turns.entries()) {
      const { name, title } = running[i]!.plan;
      if (failure !== null) failed.push({ name, title, reason: failure });
    }
    const baseline = running.find(isBaseline) ?? null;
    const baselineTurns = baseline ? turns[running.indexOf(baseline)]!.turns : [];
    return {
      model,
      config,
      parameters: countParameters(config),
      tokensAStep: config.batch * config.time,
      gigaflopsAStep: products.step.reduce((sum, product) => sum + flopsOf(product), 0) / 1e9,
      peers: running.map((peer, i) => peerResult(peer, turns[i]!, baseline, baselineTurns)),
      skipped,
      failed,
      matrix: running.flatMap((peer, i) => matrixResult(peer, turns[i]!.turns, products) ?? []),
    };
  } finally {
    await Promise.all(running.map(({ process }) => process.close()));
    remove();
    process.off("exit", remove);
  }
}

async function takeTurns(
  model: ModelName,
  config: ModelConfig,
  { large, step }: MeasuredProducts,
  peers: readonly RunningPeer[],
  { rounds, turnSeconds, maximumSteps, patienceSeconds = 0, attempts = 1, onProgress = () => {} }: TrainStepOptions,
): Promise<Turns<Turn>[]> {
  const products = [...large, ...step];
  const tokens = config.batch * config.time;
  return runRounds({
    peers,
    rounds,
    beforeTurn: () => waitUntilQuiet({ patienceSeconds }),
    turn: (peer, round) => takeTurn(peer, round, tokens, products, { turnSeconds, maximumSteps }, attempts),
    onTurn: ({ plan }, round, { tokensPerSecond, othersBusy }) => {
      const speed = `${Math.round(tokensPerSecond)} tokens/s`;
      onProgress(`${model}: round ${round + 1}: ${plan.title}: ${speed}, other programs: ${othersBusy.toFixed(1)}`);
    },
  });
}
