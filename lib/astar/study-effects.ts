import { canonicalJson, ThoughtbookError } from "../core/index.js";
import type { Estimate } from "../eval/index.js";
import { SEARCH_DEFAULTS } from "./compress-row.js";
import { IMPORTANCE_DEFAULTS } from "./importance-formulas.js";
import type { StudyResults } from "./study.js";
import type { StudySet } from "./study-config.js";

/** The settings that an ablation varies. */
export const STUDY_SETTINGS = ["alpha", "beta", "minSteps", "maxSteps", "expandSize"] as const;
export type StudySetting = (typeof STUDY_SETTINGS)[number];

/** What students of a set reach under a budget, and how much of the chains' tokens the set keeps, from 0 to 1. */
export interface SetPoint {
  set: string;
  method: string;
  accuracy: Estimate;
  keptTokens: number;
}

/** The sets of a study that have students, each as a point. @throws bad-input for a budget that was not measured */
export function setPoints({ study, sets, students }: StudyResults, budget: number): SetPoint[] {
  return students.map(({ name, method, budgets }) => {
    const own = budgets.find((each) => each.budget === budget);
    const { keptTokens } = sets.find((set) => set.name === name)!;
    if (own) return { set: name, method, accuracy: own.accuracy, keptTokens };
    throw new ThoughtbookError("bad-input", `the study ${study.name} has no budget of ${budget} tokens`, {
      hint: `Its budgets: ${study.evaluation?.budgets.join(", ")}.`,
    });
  });
}

/**
 * What a setting does: the sets of a study that are like its first one but for this setting, with their value of it, in
 * ascending order.
 *
 * @throws bad-input as `setPoints`
 */
export function settingEffect(
  results: StudyResults,
  { setting, budget }: { setting: StudySetting; budget: number },
): (SetPoint & { value: number })[] {
  const [reference] = results.study.sets;
  const others = (set: StudySet) => canonicalJson({ ...settingsOf(set), [setting]: null });
  const points = setPoints(results, budget).flatMap((point) => {
    const set = results.study.sets.find(({ name }) => name === point.set)!;
    return others(set) === others(reference!) ? { ...point, value: settingsOf(set)[setting] } : [];
  });
  return points.sort((a, b) => a.value - b.value);
}

function settingsOf({ mode, like = "", of = "", by = "", importance, search }: StudySet) {
  const {
    alpha = IMPORTANCE_DEFAULTS.alpha,
    normalisation = IMPORTANCE_DEFAULTS.normalisation,
    signal = IMPORTANCE_DEFAULTS.signal,
  } = importance;
  return { mode, like, of, by, alpha, normalisation, signal, ...SEARCH_DEFAULTS, ...search };
}
