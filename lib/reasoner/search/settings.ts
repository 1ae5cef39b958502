import { badInput, checkWhole } from "../../core/index.js";
import type { Reward } from "../../rollouts/index.js";
import type { Problem } from "../../tasks/index.js";
import type { Selection } from "./candidates.js";

/** Ways to search; the last three sample like best-of-n and vote. */
export const SEARCHES = ["best-of-n", "revision", "beam", "mcts", "majority", "weighted", "verifier"] as const;
export type SearchName = (typeof SEARCHES)[number];

/**
 * How a complete solution is scored. `probability`: the geometric mean of its tokens' probabilities. `checks`: the share of its
 * equations that hold, or of the shown calls that a program passes. `verifier`: the model checks it, which costs tokens. `reward`: the
 * labelled reward, for collecting what is learned from and as an upper bound.
 */
export const SCORES = ["probability", "checks", "verifier", "reward"] as const;
export type ScoreName = (typeof SCORES)[number];

/**
 * How a beginning is valued. `rollout`: by the score of one completion of it. `probability`: of its tokens. `steps`: the share of
 * its equations that hold or, with the score `reward`, of the reference's steps that it has. `head`: by a value head.
 */
export const VALUES = ["rollout", "probability", "steps", "head"] as const;
export type ValueName = (typeof VALUES)[number];

export interface SearchSettings {
  search: SearchName;
  /** New tokens that one problem may cost, all calls together. */
  budget: number;
  /** Temperature of samples and steps. Default: 0.8. */
  temperature?: number | undefined;
  /** Default: `verifier` for the search of that name, else `probability`. */
  score?: ScoreName | undefined;
  /** Default: `majority`, `weighted` for the searches of these names and `verifier`, else `best`. */
  select?: Selection | undefined;
  /** Maximum number of solutions of best-of-n and revision. Default: as many as the budget allows. */
  samples?: number | undefined;
  /** Revisions of one solution before the next one is begun. Default: 3. */
  revisions?: number | undefined;
  /** Beginnings that a beam keeps. Default: 3. */
  width?: number | undefined;
  /** Next steps that beam and tree sample at a beginning. Default: 3. */
  branches?: number | undefined;
  /** Weight of the prior against the value in the tree. Default: 1.25. */
  exploration?: number | undefined;
  /** Default: `rollout` in the tree; in a beam `steps` with the score `reward`, else `probability`. */
  value?: ValueName | undefined;
}

/** What cannot be written down in settings. */
export interface SearchParts {
  /** For the score `reward`. */
  reward?: Reward | undefined;
  /** Values, from 0 to 1, of beginnings of solutions, for the value `head`. */
  head?: ((problem: Problem, beginnings: readonly string[]) => Promise<readonly number[]>) | undefined;
}

export type CompleteSettings = { [Key in keyof SearchSettings]-?: Exclude<SearchSettings[Key], undefined> };

const MOST_SAMPLES = 10_000;

/** @throws bad-input naming what is out of range or missing */
export function completeSearch(settings: SearchSettings, parts: SearchParts): CompleteSettings {
  const { search, budget, temperature = 0.8 } = settings;
  if (!SEARCHES.includes(search)) throw badInput(`there is no search "${search}"`, `Choose ${SEARCHES.join(", ")}.`);
  checkWhole("budget", budget, 1);
  for (const name of ["samples", "revisions", "width", "branches"] as const) checkWhole(name, settings[name], 1);
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw badInput(`the temperature is ${temperature}`, "Give a number above 0: all samples would be the same.");
  }
  const score = settings.score ?? (search === "verifier" ? "verifier" : "probability");
  const votes =
    search === "majority" ? "majority" : search === "weighted" || search === "verifier" ? "weighted" : "best";
  const inBeam = score === "reward" ? "steps" : "probability";
  const value = settings.value ?? (search === "mcts" ? "rollout" : inBeam);
  if (score === "reward" && !parts.reward) throw badInput("the score reward has no reward", "Give one.");
  if (value === "head" && !parts.head)
    throw badInput("the value head has no head", "Train one, or choose another value.");
  return {
    ...{ search, budget, temperature, score, value },
    select: settings.select ?? votes,
    samples: settings.samples ?? MOST_SAMPLES,
    revisions: settings.revisions ?? 3,
    width: settings.width ?? 3,
    branches: settings.branches ?? 3,
    exploration: settings.exploration ?? 1.25,
  };
}
