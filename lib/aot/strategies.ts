import type { Strategy } from "../rollouts/index.js";
import { type AnswerStrategyOptions, cot, unframed } from "../strategies/index.js";
import { aot, aotPlugin } from "./aot.js";

/**
 * The modes of Atom of Thoughts and its ablations by the names that `thoughtbook evaluate --strategy` takes; the plug-in is
 * before cot.
 */
export const AOT_STRATEGIES = {
  aot: unframed(aot),
  "aot-single": unframed(() => aot({ mode: "single" })),
  "aot-best-of-k": unframed(() => aot({ mode: "best-of-k" })),
  "aot-plugin": unframed(() => aotPlugin(cot())),
  "aot-released": unframed(() => aot({ mode: "single", graph: "label" })),
  "aot-no-graph": unframed(() => aot({ without: ["graph"] })),
  "aot-no-contraction": unframed(() => aot({ without: ["contraction"] })),
  "aot-no-dependent": unframed(() => aot({ without: ["dependent"] })),
  "aot-no-judge": unframed(() => aot({ without: ["judge"] })),
  "aot-majority": unframed(() => aot({ judge: "majority" })),
  "aot-verifier": unframed(() => aot({ judge: "verifier" })),
} as const satisfies Record<string, (options?: AnswerStrategyOptions) => Strategy>;
