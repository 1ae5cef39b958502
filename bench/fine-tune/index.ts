import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createRandom } from "thoughtbook/core";
import { initializeParameters, parameterCount, parseConfig } from "thoughtbook/model";
import { adamW, compileTrainingStep } from "thoughtbook/tensor";
import {
  BATCH_SPEC,
  createBatches,
  exampleOf,
  languageModelLoss,
  trainableModel,
  trainLanguageModel,
} from "thoughtbook/train";
import { describeMachine, formatSpread, formatTable, type Machine } from "../shared/report.js";
import { ratioByRound, type Spread, spreadOf } from "../shared/statistics.js";

export interface FineTuneBenchOptions {
  /** Updates that are measured. */
  steps: number;
  threads: number;
  seed: number;
  /** Texts, of 20 to 100 tokens. */
  texts: number;
  /** Keys of a Llama's config.json that differ; for tests. */
  changes?: object;
}

export interface FineTuneBenchResult {
  benchmark: "fine-tune";
  started: string;
  machine: Machine;
  settings: Omit<FineTuneBenchOptions, "changes">;
  parameters: number;
  /** Of the compiled step alone, on one batch that is ready. */
  stepTokensPerSecond: Spread;
  /** Of training: batches, metrics, saved states. */
  trainingTokensPerSecond: Spread;
  /** The latter over the former, update by update. */
  ratio: Spread;
}

const CONFIG = {
  model_type: "llama",
  vocab_size: 1024,
  hidden_size: 128,
  intermediate_size: 352,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  tie_word_embeddings: true,
  max_position_embeddings: 512,
};
const BATCH_SIZE = 32;
const LEARNING_RATE = 5e-4;
const [SHORTEST, LONGEST] = [20, 100];
const WARM_UP = 5;
const SAVE_EVERY = 20;

/**
 * What training costs beside its compiled steps: a model is trained on short texts, and after each update the bare step
 * runs on a batch of the same kind.
 */
export async function benchFineTune(options: FineTuneBenchOptions): Promise<FineTuneBenchResult> {
  const { changes = {}, ...settings } = options;
  const { steps, threads, seed, texts } = settings;
  const [started, machine] = [new Date().toISOString(), describeMachine()];
  const config = parseConfig({ ...CONFIG, ...changes });
  const model = { config, parameters: initializeParameters(config, { seed }) };
  const random = createRandom(seed);
  const examples = Array.from({ length: texts }, () => {
    const length = SHORTEST + random.integer(LONGEST - SHORTEST + 1);
    return exampleOf(Array.from({ length }, () => random.integer(config.vocabularySize)));
  });

  const parts = trainableModel(model, "all");
  const step = compileTrainingStep({
    loss: ({ params, frozen, batch }) =>
      languageModelLoss(parts.assemble(params, frozen).policy, batch, { packed: true }),
    params: parts.paramSpecs,
    frozen: parts.frozenSpecs,
    batch: BATCH_SPEC,
    optimizer: adamW({ decays: (_, shape) => shape.length > 1 }),
    learningRate: LEARNING_RATE,
    clipNorm: 1,
    threads,
  });
  const source = createBatches(examples, { batching: "pack", batchSize: BATCH_SIZE, hiddenSize: config.hiddenSize });
  const batch = source.tensorsOf(source.epoch(random)[0]!);
  let state = step.init(parts.params, {});
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-bench-"));
  const speeds = { step: [] as number[], training: [] as number[] };
  let before: { time: number; tokens: number } | undefined;
  try {
    await trainLanguageModel({
      model,
      examples,
      folder: join(folder, "run"),
      seed,
      threads,
      batchSize: BATCH_SIZE,
      maxSteps: steps + WARM_UP,
      saveEvery: SAVE_EVERY,
      async onRecord({ tokens, step: update }) {
        const seconds = before && (performance.now() - before.time) / 1000;
        const start = performance.now();
        ({ state } = await step.step(state, batch.tensors));
        if (before && update > WARM_UP) {
          speeds.step.push(batch.tokens / ((performance.now() - start) / 1000));
          speeds.training.push((tokens - before.tokens) / seconds!);
        }
        before = { time: performance.now(), tokens };
      },
    });
  } finally {
    await step.dispose();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    benchmark: "fine-tune",
    started,
    machine,
    settings,
    parameters: parameterCount(config),
    stepTokensPerSecond: spreadOf(speeds.step),
    trainingTokensPerSecond: spreadOf(speeds.training),
    ratio: ratioByRound(speeds.training, speeds.step)!,
  };
}

/** The results as text for the terminal. */
export function summariseFineTune(result: FineTuneBenchResult): string {
  const { machine, settings, parameters, stepTokensPerSecond, trainingTokensPerSecond, ratio } = result;
  return [
    `${machine.processor}, ${settings.threads} threads, Node ${machine.node}; load before: ${machine.loadBefore}`,
    `${(parameters / 1e6).toFixed(2)} M parameters, ${settings.texts} texts, ${settings.steps} updates`,
    formatTable(
      ["", "tokens/s"],
      [
        ["the compiled step", formatSpread(stepTokensPerSecond)],
        ["training", formatSpread(trainingTokensPerSecond)],
      ],
    ),
    `training reaches ${formatSpread(ratio)} of the step`,
  ].join("\n");
}
