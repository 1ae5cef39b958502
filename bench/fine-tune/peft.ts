import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { badInput, createRandom } from "thoughtbook/core";
import { openCheckpoint, readParameters } from "thoughtbook/model";
import { adamW, compileTrainingStep } from "thoughtbook/tensor";
import { createBatches, type Example, encodeRow, encoderOf, sft, trainableModel } from "thoughtbook/train";
import { z } from "zod";
import { startPeer } from "../shared/peers.js";
import { describeMachine, formatNumber, formatSpread, formatTable, type Machine } from "../shared/report.js";
import { runRounds } from "../shared/rounds.js";
import { ratioByRound, type Spread, spreadOf } from "../shared/statistics.js";
import { behindPrompt, softPrompt } from "./soft-prompt.js";

export interface PeftBenchOptions {
  /** Folder of a Hugging Face checkpoint that both open. */
  model: string;
  /** A Python with torch, transformers and peft. */
  python: string;
  /** JSONL of rows with `question` and `answer`, such as GSM8K. */
  data: string;
  /** What is trained: an adapter of this rank on all linear layers, or a soft prompt of this many tokens. */
  trainable: { lora: number } | { prompt: number };
  /** Whether the loss counts the answer only, or all tokens. */
  counted: "answer" | "all";
  /** Rows an update, on average; those of an update are the same on both sides. */
  rows: number;
  /** Updates that are measured, after one on each side that is not. */
  steps: number;
  threads: number;
  seed: number;
  /** Called before each turn. */
  beforeTurn?: () => Promise<unknown>;
  onProgress?: (line: string) => void;
}

/** One side of the comparison. */
export interface FineTuneSide {
  name: string;
  /** Tokens of the rows a second, without padding and soft prompts. */
  tokensPerSecond: Spread;
  /** Loss of each update, from the one that is not measured. */
  losses: number[];
  peakMegabytes: number;
  failure: string | null;
}

export interface PeftBenchResult {
  benchmark: "peft";
  started: string;
  machine: Machine;
  settings: Omit<PeftBenchOptions, "python" | "beforeTurn" | "onProgress">;
  versions: Record<string, string>;
  /** Tokens an update that take part in training, on average. */
  tokensPerUpdate: number;
  sides: FineTuneSide[];
  /** This engine's tokens a second over PEFT's, update by update. */
  ratio: Spread | null;
  /** Difference of the losses before the first update, at which the models are the same; of an adapter only. */
  firstLossDifference: number | null;
}

interface Turn {
  seconds: number;
  loss: number;
  peakMegabytes: number;
}

interface Side {
  name: string;
  step(update: number): Promise<Turn>;
  close(): Promise<void>;
}

const LEARNING_RATE = 2e-4;
/** Rows from which the batches are made, if there are so many: packing is for an epoch, not for a few updates. */
const EPOCH_ROWS = 512;
const START_SECONDS = 600;
const PREPARED = z.object({ versions: z.record(z.string(), z.string()), trained: z.number() });
const STEPPED = z.object({ seconds: z.number(), loss: z.number(), peakMegabytes: z.number() });
const ROW = z.object({ question: z.string(), answer: z.string() });

/**
 * Fine-tune one model on the same rows with this engine and with PEFT, update by update in turns. This engine packs rows, PEFT
 * pads them to the longest of the update; tokens are those of the rows on both sides.
 *
 * @throws bad-input for too few rows; as the model, and when a side cannot start
 */
export async function benchPeft(options: PeftBenchOptions): Promise<PeftBenchResult> {
  const { python, beforeTurn, onProgress = () => {}, ...settings } = options;
  const [started, machine] = [new Date().toISOString(), describeMachine()];
  const examples = await readExamples(options);
  const engine = await startEngine(options, examples);
  const sides: Side[] = [engine.side];
  try {
    const peft = startPeer({
      name: "PEFT",
      command: python,
      arguments: [
        join(import.meta.dirname, "peft_peer.py"),
        JSON.stringify({
          model: options.model,
          trainable: options.trainable,
          threads: options.threads,
          learningRate: LEARNING_RATE,
        }),
      ],
    });
    sides.push({
      name: peft.name,
      step: (update) => {
        const rows = engine.rowsOf(update).map((index) => {
          const { ids, labels } = examples[index]!;
          return { ids: [...ids], labels: [...labels] };
        });
        return peft.request("step", { rows }, STEPPED);
      },
      close: () => peft.close(),
    });
    const { versions } = await peft.request("prepare", {}, PREPARED, START_SECONDS);
    const results = await runRounds<Side, Turn>({
      peers: sides,
      rounds: options.steps + 1,
      turn: (side, update) => side.step(update),
      ...(beforeTurn ? { beforeTurn } : {}),
      onTurn: ({ name }, update, { seconds, loss }) => {
        const speed = formatNumber(engine.tokensOf(update) / seconds);
        onProgress(`update ${update} of ${options.steps}, ${name}: ${speed} tokens/s, loss ${loss.toFixed(4)}`);
      },
    });
    const speeds = results.map(({ turns }) =>
      turns.slice(1).map((turn, at) => turn && engine.tokensOf(at + 1) / turn.seconds),
    );
    const failed = results.find(({ turns }) => !turns.some((turn, at) => turn !== null && at > 0));
    if (failed) throw new Error(failed.failure ?? "a side made no update");
    const [first, second] = results.map(({ turns }) => turns[0]?.loss ?? Number.NaN) as [number, number];
    const updates = Array.from({ length: options.steps }, (_, at) => engine.tokensOf(at + 1));
    return {
      benchmark: "peft",
      started,
      machine,
      settings,
      versions,
      tokensPerUpdate: updates.reduce((a, b) => a + b, 0) / updates.length,
      sides: results.map(({ turns, failure }, at) => ({
        name: sides[at]!.name,
        tokensPerSecond: spreadOf(speeds[at]!.filter((speed) => speed !== null)),
        losses: turns.flatMap((turn) => (turn ? [turn.loss] : [])),
        peakMegabytes: Math.max(...turns.map((turn) => turn?.peakMegabytes ?? 0)),
        failure,
      })),
      ratio: ratioByRound(speeds[0]!, speeds[1]!),
      firstLossDifference: "lora" in options.trainable ? Math.abs(first - second) : null,
    };
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
}

async function readExamples({ data, model, counted, rows, steps }: PeftBenchOptions): Promise<Example[]> {
  const lines = (await readFile(data, "utf8")).split("\n").filter((line) => line.trim() !== "");
  const needed = rows * (steps + 1);
  if (lines.length < needed) {
    throw badInput(
      `${data} has ${lines.length} rows, expected ${needed}`,
      "Give more rows, or fewer --steps or --rows.",
    );
  }
  const encoder = encoderOf(model);
  const examples: Example[] = [];
  for (const line of lines.slice(0, Math.max(needed, EPOCH_ROWS))) {
    const { question, answer } = ROW.parse(JSON.parse(line));
    const row =
      counted === "all" ? { text: `${question}\n${answer}` } : { prompt: `${question}\n`, completion: answer };
    examples.push(...(await encodeRow(row, encoder)));
  }
  return examples;
}

/** This engine, as training runs it: packed rows, one compiled step. */
async function startEngine(
  { model, trainable, rows, steps, threads, seed }: PeftBenchOptions,
  examples: readonly Example[],
) {
  const checkpoint = await openCheckpoint(model);
  const { config } = checkpoint;
  const prompt = "prompt" in trainable ? trainable.prompt : 0;
  const objective = "prompt" in trainable ? softPrompt(trainable.prompt) : sft({ packed: true });
  const parts = trainableModel(
    { config, parameters: await readParameters(checkpoint) },
    "prompt" in trainable ? "extra" : { lora: { rank: trainable.lora } },
    objective,
    seed,
  );
  const step = compileTrainingStep({
    loss: ({ params, frozen, batch }) => objective.loss(parts.assemble(params, frozen), batch),
    params: parts.paramSpecs,
    frozen: parts.frozenSpecs,
    batch: objective.spec,
    optimizer: adamW({ decays: (_, shape) => shape.length > 1 }),
    learningRate: LEARNING_RATE,
    clipNorm: 1,
    threads,
  });
  const given = prompt === 0 ? examples : examples.map((example) => behindPrompt(example, prompt));
  const source = createBatches(given, { batching: "pack", batchSize: rows, hiddenSize: config.hiddenSize });
  const plans = source.epoch(createRandom(seed)).slice(0, steps + 1);
  let state = step.init(parts.params, parts.frozen);
  const side: Side = {
    name: "thoughtbook",
    async step(update) {
      const start = performance.now();
      const result = await step.step(state, source.tensorsOf(plans[update]!).tensors);
      state = result.state;
      const seconds = (performance.now() - start) / 1000;
      return { seconds, loss: result.loss, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
    },
    close: () => step.dispose(),
  };
  const rowsOf = (update: number) => plans[update]!.placed.map(({ example }) => example);
  return {
    side,
    rowsOf,
    tokensOf: (update: number) => source.tokensOf(plans[update]!) - prompt * rowsOf(update).length,
  };
}

/** The results as text for the terminal. */
export function summarisePeft(result: PeftBenchResult): string {
  const { machine, settings, versions, sides, ratio, tokensPerUpdate, firstLossDifference } = result;
  const { trainable, rows, steps, threads, counted } = settings;
  const what = "lora" in trainable ? `LoRA r = ${trainable.lora}` : `a soft prompt of ${trainable.prompt} tokens`;
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.processor}, ${threads} threads, Node ${machine.node}, ${used.join(", ")}; load before: ${machine.loadBefore}`,
    `${what}, ${steps} updates of ${rows} rows (${formatNumber(tokensPerUpdate)} tokens), the loss counts ${counted === "all" ? "all tokens" : "answers"}`,
    formatTable(
      ["", "tokens/s", "peak MB"],
      sides.map(({ name, tokensPerSecond, peakMegabytes }) => [
        name,
        formatSpread(tokensPerSecond),
        formatNumber(peakMegabytes),
      ]),
    ),
    `${formatSpread(ratio)} of PEFT's speed`,
    ...(firstLossDifference === null ? [] : [`the first losses differ by ${firstLossDifference.toExponential(1)}`]),
  ].join("\n");
}
