import { badInput, type ProgressDisplay, withoutUndefined } from "../../core/index.js";
import { loadLocalModel } from "../../llm/index.js";
import { resolveModel } from "../../model/index.js";
import { encoderOf } from "../../train/index.js";
import { aggregate } from "../store/aggregate.js";
import { readSolutions } from "../store/store.js";
import { type LearnSettings, learn } from "./learn.js";
import { type PolicyPlace, savePolicy } from "./policy.js";
import { completeLoop } from "./settings.js";
import { fitValueHead } from "./value-head.js";

export interface FinetuneSolutionsOptions {
  /** Specification of a model on this library's engine. */
  model: string;
  /** File or folder of aggregated solutions; see `readSolutions`. */
  data: string;
  /** `value` fits a value head beside the frozen model. */
  learner: "bc" | "weighted" | "dpo" | "value";
  settings?: { [Name in keyof LearnSettings]?: LearnSettings[Name] | undefined } | undefined;
  seed?: number | undefined;
  /** Gets `model/`, `adapter/` or `value_head.json`, and the training, from which the same call goes on. */
  folder: string;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

export interface FinetunedSolutions {
  examples: number;
  updates: number;
  /** What the folder holds now. */
  kind: Exclude<PolicyPlace["kind"], "base"> | "value_head.json";
}

/**
 * Train a model on aggregated solutions, apart from any loop.
 *
 * @throws bad-input where there is nothing to learn from; as `learn`
 *
 * @example
 * ```ts
 * import { join } from "node:path";
 * import { dataFolder } from "thoughtbook/core";
 * import { finetuneSolutions } from "thoughtbook/reasoner";
 *
 * const data = join(dataFolder(), "reasoner", "example-run");
 * const settings = { epochs: 1, rows: 16 };
 * const { updates } = await finetuneSolutions({ model: "mini-base", data, learner: "bc", settings, folder: "tuned" });
 * console.log(updates > 0); // true
 * ```
 */
export async function finetuneSolutions(options: FinetuneSolutionsOptions): Promise<FinetunedSolutions> {
  const { model, data, learner, seed = 0, folder, threads, signal, display } = options;
  const any = { task: "math", heldOut: "math", rounds: 1, tasks: 1, samples: 1 };
  const settings = completeLoop({
    ...any,
    learner: learner === "value" ? "bc" : learner,
    ...withoutUndefined(options.settings ?? {}),
  });
  const solutions = await readSolutions(data);
  const base = await loadLocalModel(model, {
    session: threads === undefined ? undefined : { threads },
    ...(signal ? { signal } : {}),
  });
  try {
    const encoder = encoderOf(await resolveModel(model));
    const common = { base, encoder, solutions, settings, seed, threads, signal, display };
    if (learner === "value") {
      const done = await fitValueHead(aggregate(solutions, settings), { ...common, folder });
      return { ...done, kind: "value_head.json" };
    }
    const { trained, examples } = await learn({ ...common, folder: `${folder}/training` });
    if (!trained)
      throw badInput(`${data} has nothing that ${learner} learns from`, "Collect more, or choose another learner.");
    const place = await savePolicy(folder, base, trained);
    return { examples, updates: trained.steps, kind: place.kind === "adapter" ? "adapter" : "weights" };
  } finally {
    await base.dispose();
  }
}
