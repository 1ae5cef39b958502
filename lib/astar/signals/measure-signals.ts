import { z } from "zod";
import {
  badInput,
  checkInterrupt,
  interruptible,
  openRun,
  type ProgressDisplay,
  readSettingsFile,
  sha256File,
  startProgress,
} from "../../core/index.js";
import { type Estimate, mean } from "../../eval/index.js";
import type { LanguageModel } from "../../llm/index.js";
import { dropImportance } from "../importance/drop.js";
import { type ChainSignals, IMPORTANCE_SIGNALS, NORMALISATIONS, rankSteps } from "../importance/formulas.js";
import { importanceSignals } from "../importance/importance.js";
import { type AnchorChain, GOLD_MEASURES, type GoldMeasure, inGroups, readAnchors } from "./anchors.js";
import { precisionAt, rankCorrelation } from "./rank-correlation.js";

export interface MeasureSignalsOptions {
  scorer: LanguageModel;
  /** Chains with measured importance, as `readAnchors` reads them. */
  data: string;
  /** Of what is measured, chain by chain; the same call goes on from there. */
  folder: string;
  /** Only the first chains. Default: all. */
  limit?: number | undefined;
  /** Numbers of sentences that make one step. Default: 1 and 5, about a paragraph. */
  groups?: readonly number[] | undefined;
  /** Also the drop of the answer's log-probability, which takes as many texts as a chain has steps. Default: true. */
  drop?: boolean | undefined;
  /** Chains of more characters have no drop measured. Default: all have. */
  longestDrop?: number | undefined;
  /** Put the token that begins texts before each step. Default: false. */
  sink?: boolean | undefined;
  seed?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/** Agreement of a signal with a measure of importance, over chains, with 95 % intervals. */
export interface SignalRow {
  /** `both`, `attention`, `nll`, `drop`, `position`, `length`, `random`. */
  signal: string;
  /** Weight of the solution's side, and normalisation; null for signals without. */
  alpha: number | null;
  normalisation: string | null;
  /** Sentences of a step. */
  group: number;
  gold: GoldMeasure;
  /** Chains that count: those where neither list is constant. */
  chains: number;
  /** Spearman's rank correlation. */
  correlation: Estimate;
  /** Share of the tenth of the steps with the highest signal that are in the tenth with the highest importance. */
  precision: Estimate;
}

export interface SignalResults {
  /** SHA-256 of the scorer. */
  scorer: string | null;
  chains: number;
  sink: boolean;
  seed: number;
  rows: SignalRow[];
}

interface ChainRecord {
  id: string;
  /** For each size of a step. */
  groups: { size: number; signals: ChainSignals; drop?: number[]; lengths: number[] }[];
}

/**
 * Compare signals of importance with a gold standard: chains whose sentences carry importance measured by resampling. The
 * condition of the solution is the chain's final answer.
 *
 * @throws bad-input for a scorer without `score` and `attention`, a folder of other settings, or data without chains;
 *   interrupted; as `readAnchors` and the model
 */
export async function measureSignals(options: MeasureSignalsOptions): Promise<SignalResults> {
  const { scorer, data, folder, limit = Infinity, groups = [1, 5], drop = true, longestDrop = Infinity } = options;
  const { sink = false, seed = 0, display } = options;
  const signal = interruptible(options.signal);
  const chains: AnchorChain[] = [];
  for await (const chain of readAnchors(data, signal)) if (chains.length < limit) chains.push(chain);
  if (chains.length === 0) throw badInput(`${data} has no chains`, "Give a file of the data set Thought Anchors.");
  const hash = await scorer.hash();
  const config = { data: await sha256File(data), scorer: hash, groups, drop, sink, longestDrop: String(longestDrop) };
  const run = await openRun<ChainRecord>({ folder, config, seed, idOf: ({ id }) => id });
  const progress = startProgress("weighing", { unit: "chains", total: chains.length, initial: run.done.size, display });
  try {
    for (const chain of chains) {
      checkInterrupt(signal, "measuring signals");
      if (run.done.has(chain.id)) continue;
      await run.append(
        await measured(chain, { scorer, groups, sink, signal, drop: drop && sizeOf(chain) <= longestDrop }),
      );
      progress.update(run.done.size);
    }
    const records = new Map<string, ChainRecord>();
    for await (const record of run.records()) records.set(record.id, record);
    progress.succeed(`${chains.length} chains`);
    const rows = groups.flatMap((size) =>
      agreements(
        chains.map((chain) => ({ chain: inGroups(chain, size), record: records.get(chain.id)! })),
        size,
        seed,
      ),
    );
    return { scorer: hash ?? null, chains: chains.length, sink, seed, rows };
  } catch (error) {
    progress.fail();
    throw error;
  } finally {
    await run.close();
  }
}

const sizeOf = ({ steps }: AnchorChain): number => steps.reduce((total, step) => total + step.length, 0);

async function measured(
  chain: AnchorChain,
  {
    scorer,
    groups,
    sink,
    drop,
    signal,
  }: {
    scorer: LanguageModel;
    groups: readonly number[];
    sink: boolean;
    drop: boolean;
    signal: AbortSignal | undefined;
  },
): Promise<ChainRecord> {
  const record: ChainRecord = { id: chain.id, groups: [] };
  for (const size of groups) {
    const { question, steps, answer } = inGroups(chain, size);
    const own = { question, steps, solution: `The answer is \\boxed{${answer}}.` };
    for await (const { signals } of importanceSignals(scorer, [own], { sink, signal })) {
      const { heads, sinkTokens, steps: weighed } = signals;
      const lengths = weighed.map((step) => step?.tokens ?? 0);
      const drops = drop
        ? (await dropImportance(scorer, own, signal)).scores.map((value) => Number(value.toPrecision(7)))
        : undefined;
      record.groups.push({
        size,
        signals: { heads, sinkTokens, steps: weighed },
        ...(drops ? { drop: drops } : {}),
        lengths,
      });
    }
  }
  return record;
}

interface Variant {
  signal: string;
  alpha: number | null;
  normalisation: string | null;
  /** Undefined where it was not measured for a chain. */
  scores(record: ChainRecord["groups"][number], chain: string): readonly number[] | undefined;
}

const ALPHAS = [0, 0.5, 1];
const WEIGHED = IMPORTANCE_SIGNALS.filter((each) => each !== "random" && each !== "drop");

/** All signals: those of attention and NLL for each alpha and normalisation, and those without. */
function variants(seed: number): Variant[] {
  const plain = { alpha: null, normalisation: null };
  return [
    ...WEIGHED.flatMap((signal) =>
      ALPHAS.flatMap((alpha) =>
        // NLL alone has no attention to normalise.
        (signal === "nll" ? [null] : NORMALISATIONS).map(
          (normalisation): Variant => ({
            ...{ signal, alpha, normalisation },
            scores: ({ signals }) =>
              rankSteps(signals, { signal, alpha, normalisation: normalisation ?? "code" }).scores,
          }),
        ),
      ),
    ),
    { signal: "drop", ...plain, scores: ({ drop }) => drop },
    { signal: "position", ...plain, scores: ({ lengths }) => lengths.map((_, at) => at) },
    { signal: "length", ...plain, scores: ({ lengths }) => lengths },
    {
      signal: "random",
      ...plain,
      scores: ({ signals }, chain) => rankSteps(signals, { signal: "random", seed: `${seed}/${chain}` }).scores,
    },
  ];
}

function agreements(
  chains: readonly { chain: AnchorChain; record: ChainRecord }[],
  size: number,
  seed: number,
): SignalRow[] {
  return variants(seed).flatMap(({ signal, alpha, normalisation, scores }) =>
    GOLD_MEASURES.flatMap((gold) => {
      const found = chains.flatMap(({ chain, record }) => {
        const own = scores(record.groups.find((each) => each.size === size)!, chain.id);
        const correlation = own && rankCorrelation(own, chain.gold[gold]);
        if (!own || correlation === undefined) return [];
        const k = Math.max(1, Math.round(own.length / 10));
        return { correlation, precision: precisionAt(k, own, chain.gold[gold]) };
      });
      if (found.length === 0) return [];
      return {
        ...{ signal, alpha, normalisation, group: size, gold, chains: found.length },
        correlation: mean(found.map((each) => each.correlation)),
        precision: mean(found.map((each) => each.precision)),
      };
    }),
  );
}

const estimate = z.looseObject({ value: z.number() });
const resultsSchema = z.looseObject({
  chains: z.int().positive(),
  rows: z.array(
    z.looseObject({ signal: z.string(), gold: z.enum(GOLD_MEASURES), correlation: estimate, precision: estimate }),
  ),
});

/**
 * Read what `thoughtbook signals --results` wrote.
 *
 * @throws not-found, file-system, bad-input (with the place in the file)
 */
export async function readSignalResults(file: string): Promise<SignalResults> {
  const kind = { what: "comparison of signals", example: "data/results/astar-signals.json" };
  return (await readSettingsFile(file, resultsSchema, kind)) as unknown as SignalResults;
}
