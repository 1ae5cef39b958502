import type { Acceptance } from "../paths/acceptance.js";
import { type Bits, stepsOf } from "../paths/bit-set.js";
import type { StepNode } from "./search-result.js";

/** A node whose cost is known. */
export type CostedNode = StepNode & { g: number };

/** States that a best-first search has met, each once, and the cheapest accepted one. */
export interface States {
  readonly nodes: readonly StepNode[];
  readonly best: { readonly kept: Bits; readonly cost: number } | undefined;
  /** Whether a question was refused because the limit was reached. */
  readonly limited: boolean;
  /** Node of a set; a new one below `parent` if the set has not been met. */
  node(set: Bits, parent?: Bits): CostedNode;
  /** For each set whether it is accepted, as {@link Acceptance}. */
  ask(sets: readonly Bits[], parent?: Bits): Promise<(boolean | undefined)[]>;
}

export function createStates(acceptance: Acceptance, costs: readonly number[]): States {
  const nodes: CostedNode[] = [];
  const places = new Map<Bits, number>();
  let best: States["best"];
  let limited = false;

  const node: States["node"] = (set, parent) => {
    const place = places.get(set);
    if (place !== undefined) return nodes[place]!;
    const kept = stepsOf(set);
    const g = kept.reduce((sum, step) => sum + costs[step]!, 0);
    const from = parent === undefined ? null : places.get(parent)!;
    places.set(set, nodes.length);
    nodes.push({ state: kept, parent: from, g, chosen: false });
    return nodes.at(-1)!;
  };
  return {
    nodes,
    get best() {
      return best;
    },
    get limited() {
      return limited;
    },
    node,
    async ask(sets, parent) {
      const asked = sets.map((set) => node(set, parent));
      const verdicts = await acceptance.ask(sets);
      for (const [at, verdict] of verdicts.entries()) {
        limited ||= verdict === undefined;
        if (verdict === undefined) continue;
        const { g, state } = asked[at]!;
        asked[at]!.verdict = verdict ? "accepted" : "rejected";
        const isBetter = !best || g < best.cost || (g === best.cost && state.length < stepsOf(best.kept).length);
        if (verdict && isBetter) best = { kept: sets[at]!, cost: g };
      }
      return verdicts;
    },
  };
}
