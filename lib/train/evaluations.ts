import { badInput, checkWhole } from "../core/index.js";
import type { ModelParameters } from "../model/index.js";
import { checkExamples, type Example } from "./examples/examples.js";
import { createHeldOut } from "./held-out.js";
import type { Settings } from "./options.js";
import type { Snapshot } from "./sources/source.js";
import type { TrainableModel } from "./trainable.js";

/** Numbers by name. */
export type Scores = Record<string, number>;

export interface EvaluationOptions {
  /** Examples that are not trained on; their mean loss is the score {@link HELD_OUT_LOSS}. */
  heldOut?: readonly Example[] | undefined;
  /** Any other evaluation, such as the accuracy of answers. */
  evaluate?: ((snapshot: Snapshot) => Promise<Scores>) | undefined;
  /** Updates between two evaluations; the last update is always followed by one. Default: 100. */
  evaluateEvery?: number | undefined;
  /**
   * Score that selects the best weights, or "last" for the last weights. Default: the lowest held-out loss, else the
   * last weights.
   */
  best?: { score: string; direction: "lowest" | "highest" } | "last" | undefined;
}

const HELD_OUT_LOSS = "heldOutLoss";

export interface Evaluations {
  /** Scores after an update, or undefined if no evaluation is due. */
  after(step: number, isLast: boolean, params: ModelParameters): Promise<Scores | undefined>;
  /** The score that selects; undefined if none does. Throws bad-input if it is missing. */
  valueOf(scores: Scores): number | undefined;
  isBetter(value: number, than: number | undefined): boolean;
  dispose(): Promise<void>;
}

export interface EvaluationSetup {
  trained: TrainableModel;
  settings: Settings;
  threads: number | undefined;
}

/** @throws bad-input for held-out examples that do not fit the model, or a rule for the best with nothing to evaluate */
export function createEvaluations(
  { heldOut, evaluate, evaluateEvery = 100, best }: EvaluationOptions,
  { trained, settings, threads }: EvaluationSetup,
): Evaluations {
  if (heldOut) checkExamples("heldOut", heldOut, trained.config);
  checkWhole("evaluateEvery", evaluateEvery, 1);
  const rule = ruleOf(best, heldOut !== undefined, evaluate !== undefined);
  const { batching, batchSize } = settings;
  const losses = heldOut && createHeldOut(trained, heldOut, { batching, batchSize, threads });
  return {
    async after(step, isLast, params) {
      if ((!losses && !evaluate) || (!isLast && step % evaluateEvery !== 0)) return undefined;
      const scores: Scores = {};
      if (losses) scores[HELD_OUT_LOSS] = await losses.loss(params, trained.frozen);
      return evaluate ? { ...scores, ...(await evaluate(trained.snapshot(step, params))) } : scores;
    },
    valueOf(scores) {
      if (rule === undefined) return undefined;
      const value = scores[rule.score];
      if (value !== undefined && Number.isFinite(value)) return value;
      throw badInput(
        `the evaluation gave ${JSON.stringify(scores)}, without a finite ${rule.score}, by which the best is kept`,
        "Return that score, or name another one in `best`.",
      );
    },
    isBetter: (value, than) => than === undefined || (rule?.direction === "highest" ? value > than : value < than),
    dispose: async () => losses?.dispose(),
  };
}

function ruleOf(best: EvaluationOptions["best"], hasHeldOut: boolean, hasEvaluation: boolean) {
  if (best === "last") return undefined;
  if (best === undefined) return hasHeldOut ? ({ score: HELD_OUT_LOSS, direction: "lowest" } as const) : undefined;
  if (hasEvaluation || (hasHeldOut && best.score === HELD_OUT_LOSS)) return best;
  throw badInput(
    `the best is to be kept by ${best.score}, but nothing gives that score`,
    "Give `evaluate` or `heldOut`.",
  );
}
