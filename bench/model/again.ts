import { existsSync } from "node:fs";
import { ThoughtbookError } from "thoughtbook/core";
import { type Estimate, proportion } from "thoughtbook/eval";
import { loadModel } from "thoughtbook/llm";
import { pretrainFolders, problemAccuracy, type Recipe } from "thoughtbook/train";
import { formatTable } from "../shared/report.js";
import { percent } from "./markdown.js";

export interface AgainOptions {
  recipe: Recipe;
  /** Folders that `thoughtbook pretrain` wrote by this recipe, with different seeds. */
  run: string;
  again: string;
  /** For each number of operations. */
  problems: number;
  seed: number;
  /** The longest chain of thought, in tokens. */
  budget: number;
  onProgress?: (line: string) => void;
}

/** What two runs of a recipe reach at the same update, step by step, greedily, on the same unseen problems. */
export interface AgainPhase {
  phase: string;
  /** Since the beginning. */
  updates: number;
  /** For each number of operations that the phase has. */
  levels: { operations: number; run: Estimate; again: Estimate }[];
  /** Accuracy of the second run less that of the first, mean of the levels. */
  difference: number;
}

/**
 * Compare two runs of a recipe after each phase that both have finished.
 *
 * @throws bad-input where they have none in common; as `loadModel`
 */
export async function compareRuns({ recipe, run, again, ...options }: AgainOptions): Promise<AgainPhase[]> {
  const phases: AgainPhase[] = [];
  let updates = 0;
  for (const { name, steps, operations } of recipe.phases) {
    updates += steps;
    const [folder, other] = [pretrainFolders(run).model({ name }), pretrainFolders(again).model({ name })];
    if (!existsSync(folder) || !existsSync(other)) continue;
    const first = await accuracies(folder, operations, options);
    const second = await accuracies(other, operations, options);
    const levels = [...first].map(([count, estimate]) => ({
      operations: count,
      run: estimate,
      again: second.get(count)!,
    }));
    const difference = levels.reduce((sum, level) => sum + level.again.value - level.run.value, 0) / levels.length;
    phases.push({ phase: name, updates, levels, difference });
  }
  if (phases.length > 0) return phases;
  throw new ThoughtbookError("bad-input", `${run} and ${again} have no finished phase of the recipe in common`, {
    hint: "Train the second with `thoughtbook pretrain --seed 2 --until PHASE --out FOLDER`.",
  });
}

async function accuracies(
  folder: string,
  [least, most]: readonly [number, number],
  { problems, seed, budget, onProgress }: Omit<AgainOptions, "recipe" | "run" | "again">,
): Promise<Map<number, Estimate>> {
  onProgress?.(folder);
  const operations = Array.from({ length: most - least + 1 }, (_, i) => least + i);
  const model = await loadModel(folder);
  try {
    const shares = await problemAccuracy(model, { operations, problems, split: "test", seed, maxNewTokens: budget });
    return new Map([...shares].map(([count, share]) => [count, proportion(Math.round(share * problems), problems)]));
  } finally {
    await model.dispose();
  }
}

/** As a table for the terminal. */
export function summariseRuns(phases: readonly AgainPhase[]): string {
  const rows = phases.flatMap(({ phase, updates, levels, difference }) => [
    ...levels.map(({ operations, run, again }) => [
      ...[phase, String(updates), String(operations)],
      ...[run.value, again.value, again.value - run.value].map(percent),
    ]),
    [phase, String(updates), "mean", "", "", percent(difference)],
  ]);
  return formatTable(["phase", "updates", "operations", "run (%)", "again (%)", "difference"], rows);
}
