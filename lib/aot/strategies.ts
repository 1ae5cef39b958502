import type { Strategy } from "../rollouts/index.js";
import { type AnswerStrategyOptions, cot, unframed } from "../strategies/index.js";
import { aot, aotPlugin } from "./aot.js";

/** The modes of Atom of Thoughts by the names that `thoughtbook evaluate --strategy` takes; the plug-in is before cot. */
export const AOT_STRATEGIES = {
  aot: unframed(aot),
  "aot-single": unframed(() => aot({ mode: "single" })),
  "aot-best-of-k": unframed(() => aot({ mode: "best-of-k" })),
  "aot-plugin": unframed(() => aotPlugin(cot())),
} as const satisfies Record<string, (options?: AnswerStrategyOptions) => Strategy>;
