import { canonicalJson, ThoughtbookError } from "../../core/index.js";
import type { Estimate } from "../../eval/index.js";
import { SEARCH_DEFAULTS, WALK_MIN_STEPS } from "../compress/compress-row.js";
import { IMPORTANCE_DEFAULTS } from "../importance/formulas.js";
import type { AstarStudyResults } from "./study.js";
import type { AstarStudy, StudySet } from "./study-config.js";

/** The settings that an ablation varies. */
const STUDY_SETTINGS = ["alpha", "beta", "minSteps", "maxSteps", "expandSize", "neighbours"] as const;
export type StudySetting = (typeof STUDY_SETTINGS)[number];

/** Results of a set's students under a budget, and the share of the chains' tokens that the set keeps, from 0 to 1. */
export interface SetPoint {
  set: string;
  method: string;
  accuracy: Estimate;
  keptTokens: number;
}

/** The sets of a study that have students, each as a point. @throws bad-input for a budget that was not measured */
export function setPoints({ study, sets, students }: AstarStudyResults, budget: number): SetPoint[] {
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
 * Effect of a setting: the sets of a study that are like the first one with students except for this setting, with
 * their values of it, in ascending order. The settings of a set in the mode `accepted` are those of the set whose rows
 * it takes.
 *
 * @throws bad-input as `setPoints`
 */
export function settingEffect(
  results: AstarStudyResults,
  { setting, budget }: { setting: StudySetting; budget: number },
): (SetPoint & { value: number })[] {
  const settings = new Map(results.study.sets.map((set) => [set.name, settingsOf(results.study, set)]));
  const others = (set: string) => canonicalJson({ ...settings.get(set), [setting]: null });
  const all = setPoints(results, budget);
  const points = all.flatMap((point) =>
    others(point.set) === others(all[0]!.set) ? { ...point, value: settings.get(point.set)![setting] } : [],
  );
  return points.sort((a, b) => a.value - b.value);
}

function settingsOf(study: AstarStudy, set: StudySet): ReturnType<typeof ownSettings> {
  if (set.mode !== "accepted") return ownSettings(set);
  const { by, of } = set;
  const source = settingsOf(study, study.sets.find(({ name }) => name === of)!);
  return { ...source, accepted: by === of ? "its own" : by! };
}

function ownSettings({ mode, like = "", importance, search }: StudySet) {
  const {
    alpha = IMPORTANCE_DEFAULTS.alpha,
    normalisation = IMPORTANCE_DEFAULTS.normalisation,
    signal = IMPORTANCE_DEFAULTS.signal,
  } = importance;
  return {
    mode,
    like,
    accepted: "",
    alpha,
    normalisation,
    signal,
    ...SEARCH_DEFAULTS,
    minSteps: WALK_MIN_STEPS,
    ...search,
  };
}
