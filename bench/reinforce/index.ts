import { join } from "node:path";
import { readIfThere } from "thoughtbook/core";
import { loadLocalModel } from "thoughtbook/llm";
import { writeJson } from "../shared/report.js";
import { benchControl, type ControlRow } from "./control.js";
import { benchNoise, type NoiseRow } from "./noise.js";
import { benchSpeed, type SpeedRow } from "./speed.js";

export const REINFORCE = ["vectors", "noise", "lora", "speed"] as const;
export type Measured = (typeof REINFORCE)[number];
export type ReinforceRow = ControlRow | NoiseRow | SpeedRow;

export interface ReinforceOptions {
  /** What is measured. */
  only: readonly Measured[];
  seeds: readonly number[];
  /** Updates of a run. */
  steps: number;
  learningRate: number | undefined;
  vectors: number | undefined;
  /** Folder of the runs, which resume. */
  runs: string;
  /** Folder of the results: rows of other seeds and measures there are kept. */
  out: string;
}

/** The rate of the full optimisation of `mini` (data/grpo/mini-weights.json). */
const WEIGHTS_RATE = 1e-4;

/** Controls of GRPO on `mini`, and how fast it is: a row for each measure and seed, written as soon as it is known. */
export async function benchReinforce(options: ReinforceOptions, onRow: (row: ReinforceRow) => void): Promise<void> {
  const { only, seeds, steps, learningRate, vectors, runs, out } = options;
  const model = await loadLocalModel("mini");
  for (const what of only) {
    for (const seed of seeds) {
      const folder = join(runs, `${what}-${seed}`);
      const row = await measure(what, seed, folder);
      await addRow(join(out, "reinforce.json"), row);
      onRow(row);
      if (what === "speed") break;
    }
  }

  function measure(what: Measured, seed: number, folder: string): Promise<ReinforceRow> {
    const common = { seed, steps, folder };
    if (what === "speed") return benchSpeed(model, { folder });
    if (what === "noise") return benchNoise(model, { ...common, learningRate: learningRate ?? WEIGHTS_RATE });
    return benchControl(model, { ...common, train: what, learningRate, vectors });
  }
}

async function addRow(file: string, row: ReinforceRow): Promise<void> {
  const text = await readIfThere(file);
  const { rows = [] } = text === undefined ? {} : (JSON.parse(text) as { rows?: ReinforceRow[] });
  const kept = rows.filter(({ what, seed }) => what !== row.what || seed !== row.seed);
  const order = (each: ReinforceRow) => REINFORCE.indexOf(each.what) * 1000 + each.seed;
  await writeJson(file, { rows: [...kept, row].sort((a, b) => order(a) - order(b)) });
}
