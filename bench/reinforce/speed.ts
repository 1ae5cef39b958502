import { rm } from "node:fs/promises";
import { mean } from "thoughtbook/core";
import { optimizeSoftPrompt } from "thoughtbook/grpo";
import type { LocalModel } from "thoughtbook/llm";
import { answerReward } from "thoughtbook/rollouts";
import { cot } from "thoughtbook/strategies";
import { loadTask } from "thoughtbook/tasks";
import { SIZES } from "./control.js";
import { stopwatch } from "./stopwatch.js";

export interface SpeedRow {
  what: "speed";
  seed: number;
  /** New tokens of a text. */
  tokens: number;
  secondsPerStep: number;
  processorSecondsPerStep: number;
}

const STEPS = 10;

/** Seconds of a step of prompt GRPO with 8 × 8 samples of at most 128 tokens, on problems whose solutions are nearly that long. */
export async function benchSpeed(model: LocalModel, { folder }: { folder: string }): Promise<SpeedRow> {
  await rm(folder, { recursive: true, force: true });
  const watch = stopwatch();
  const tokens: number[] = [];
  await optimizeSoftPrompt({
    ...{ ...SIZES, model, strategy: cot(), reward: answerReward, seed: 1, collections: STEPS, folder },
    task: await loadTask("word-problems:8", { limit: 8 * STEPS }),
    onRecord: ({ metrics }) => {
      tokens.push(metrics!.completionTokens!);
      watch.lap();
    },
  });
  const { secondsPerStep, processorSecondsPerStep } = watch.perLap();
  return {
    ...{ what: "speed", seed: 1, tokens: mean(tokens) },
    ...{ secondsPerStep: secondsPerStep!, processorSecondsPerStep: processorSecondsPerStep! },
  };
}
