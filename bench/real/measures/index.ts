import type { Contest } from "../contest.js";
import type { Setting } from "../setting.js";
import { decode, prompts, read } from "./generation.js";
import { memory } from "./memory.js";
import { opening } from "./opening.js";
import { lora, score } from "./score-and-train.js";
import { sharing } from "./sharing.js";

/** What can be compared, in the order in which it is done. */
export const CONTESTS: Readonly<Record<string, (setting: Setting) => Promise<Contest[]>>> = {
  open: opening,
  decode,
  prompts,
  read,
  score,
  lora,
  sharing,
  memory,
};

export const MEASURES: readonly string[] = [...Object.keys(CONTESTS), "serve"];
