import type { Contest } from "../contest.js";
import type { Setting } from "../setting.js";
import { decode, prompts, read } from "./generation.js";
import { memory } from "./memory.js";
import { opening } from "./opening.js";
import { score } from "./scoring.js";
import { sharing } from "./sharing.js";
import { tuning } from "./tuning.js";

/** What can be compared, in the order in which it is done. */
export const CONTESTS: Readonly<Record<string, (setting: Setting) => Promise<Contest[]>>> = {
  open: opening,
  decode,
  prompts,
  read,
  score,
  lora: tuning,
  sharing,
  memory,
};

export const MEASURES: readonly string[] = [...Object.keys(CONTESTS), "serve"];
