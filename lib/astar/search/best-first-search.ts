import TinyQueue from "tinyqueue";
import { badInput, checkInterrupt, checkWhole, interruptible } from "../../core/index.js";
import { createAcceptance, growRejected, shortestPrefix } from "../paths/acceptance.js";
import { type Bits, bit, stepsOf, withSteps } from "../paths/bit-set.js";
import { allSteps, checkQueue } from "../paths/step-set.js";
import { leastAddition } from "./best-first-bound.js";
import { type CostedNode, createStates } from "./best-first-states.js";
import type { SearchResult } from "./search-result.js";

export interface BestFirstOptions {
  /** Number of steps of the chain. */
  n: number;
  /** Steps by importance, the most important first; missing steps come last. Breaks ties only. */
  queue: readonly number[];
  /** Cost of keeping each step, such as its tokens, by index; finite, 0 or more. The cost of a set is the sum. */
  costs: readonly number[];
  /** Whether the solution has an answer to verify by. Without one, no step is dropped. */
  boxedSolution: boolean;
  /** For each set whether the question with these steps leads to the answer. No set is passed twice. */
  valid(sets: number[][]): Promise<boolean[]>;
  /** Declares that whatever contains an accepted set is accepted. Default: false. */
  monotone?: boolean | undefined;
  /** Sets smaller than this are not accepted. Default: 0, so that even the empty set may be. */
  minSteps?: number | undefined;
  /** Maximum number of sets to examine. Default: 10,000. */
  maxStates?: number | undefined;
  /** Maximum number of sets to verify: each is a call of the model. Default: 200. */
  maxValidations?: number | undefined;
  /** Beam width: number of best open states to keep. Default: all. */
  beamWidth?: number | undefined;
  /**
   * Number of open states verified in one call of `valid`; those after the first may turn out unnecessary. Default: 1.
   */
  batchSize?: number | undefined;
  /** Aborts the search with an error. */
  signal?: AbortSignal | undefined;
}

export interface BestFirstResult extends SearchResult {
  /** Whether no cheaper set is accepted, or no set at all; false if a limit or the beam ended the search. */
  proven: boolean;
}

/** An open state: all sets that contain `kept` and nothing of `excluded`. */
interface OpenState {
  kept: Bits;
  excluded: Bits;
  g: number;
  h: number;
}

/**
 * A* over sets of kept steps: f = g + h, where g is what the kept steps cost and h a lower bound on what must be added. The
 * state of least f is verified and, if rejected, expanded by one step; a state's children exclude the steps of the siblings
 * before them, so every set is reached in one way only, and none is verified twice. The search ends when no open state has
 * an f below the cheapest accepted set found: that one is then the cheapest of all, provided that neither a limit nor the
 * beam has taken part (`proven`).
 *
 * With `monotone`, a rejected set shows that every accepted set has a step outside of it. First all steps are verified
 * together: if they are rejected, everything is. Then bisection finds the fewest most important steps that are
 * accepted; then all steps but each of these are verified: a step whose absence alone leads to rejection is in every
 * accepted set, and the search starts from such steps. Each rejected state is grown as far as it stays rejected; the
 * needed sets that this gives are the bound and the only branches. On 10 steps, of 1,024 states, this takes about 8
 * verifications where there is one way to the answer, and 21 with up to 4. If acceptance is not monotone after all, an
 * accepted path is still verified, but `proven` means nothing.
 *
 * Without `monotone` a rejection implies nothing: all sets cheaper than the result are verified.
 *
 * `kept` is a verified path if the status is `accepted`. In every other case nothing shorter than the whole chain was
 * verified, and `kept` is all of it: `step limit` if a limit ended the search, else `exhausted`.
 *
 * @throws bad-input; interrupted; execution if `valid` gives another number of values
 */
export async function bestFirstSearch(options: BestFirstOptions): Promise<BestFirstResult> {
  checkOptions(options);
  const { n, queue, costs, boxedSolution, valid } = options;
  const signal = interruptible(options.signal);
  const { monotone = false, maxStates = 10_000, maxValidations = 200 } = options;
  const { beamWidth = Number.POSITIVE_INFINITY, batchSize = 1 } = options;
  const minSteps = Math.min(options.minSteps ?? 0, n);
  const all = bit(n) - 1n;
  const order = [...new Set([...queue, ...allSteps(n)])];
  const acceptance = createAcceptance({ n, minSteps, monotone, maxValidations, valid, signal });
  const states = createStates(acceptance, costs);
  const boundOf = (kept: Bits, excluded: Bits): number =>
    leastAddition(kept, all & ~kept & ~excluded, { costs, minSteps, needed: acceptance.needed });
  let open = openList();
  let [expansions, isFull, isNarrowed] = [0, false, false];

  /** Initial state: with monotone acceptance the steps that every accepted set has; undefined if no set is accepted. */
  const findRoot = async (): Promise<Bits | undefined> => {
    if (!monotone) return 0n;
    const [isPossible] = await states.ask([all]);
    if (!isPossible) return undefined;
    const prefix = await shortestPrefix(order, async (set) => (await states.ask([set], all))[0]);
    // Only steps of an accepted set can be in every accepted set.
    const without = stepsOf(prefix).map((step) => all & ~bit(step));
    await states.ask(without, all);
    return acceptance.needed.filter((some) => stepsOf(some).length === 1).reduce((set, some) => set | some, 0n);
  };
  /** Whether a state with this f may lead to something cheaper than the best set so far. */
  const isOpen = (f: number): boolean => f < (states.best?.cost ?? Number.POSITIVE_INFINITY);
  const add = (found: readonly Pick<OpenState, "kept" | "excluded">[], parent?: Bits) => {
    checkInterrupt(signal, "the search");
    for (const { kept, excluded } of found) {
      const node = states.node(kept, parent);
      const h = boundOf(kept, excluded);
      tell(node, h);
      if (isOpen(node.g + h)) open.push({ kept, excluded, g: node.g, h });
    }
    if (open.length > beamWidth) {
      isNarrowed = true;
      open = openList([...open.data].sort(byCost).slice(0, beamWidth));
    }
    isFull ||= states.nodes.length >= maxStates && open.length > 0;
  };
  /** Take the open states of lowest f. */
  const take = (): OpenState[] => {
    const taken: OpenState[] = [];
    while (open.length > 0 && taken.length < batchSize) {
      const state = open.pop()!;
      // What was learned since may have raised its bound.
      const h = Math.max(state.h, boundOf(state.kept, state.excluded));
      tell(states.node(state.kept), h);
      if (!isOpen(state.g + h)) continue;
      if (h > state.h) open.push({ ...state, h });
      else taken.push(state);
    }
    return taken;
  };
  const expand = async ({ kept, excluded }: OpenState) => {
    if (monotone) await growRejected(kept, order, async (set) => (await states.ask([set], kept))[0]);
    const free = all & ~kept & ~excluded;
    const [branches = stepsOf(free)] = acceptance.needed
      .filter((some) => (some & kept) === 0n)
      .map((some) => stepsOf(some & free))
      .sort((a, b) => a.length - b.length);
    const steps = order.filter((step) => branches.includes(step)).sort((a, b) => costs[a]! - costs[b]!);
    states.node(kept).expanded = expansions++;
    const children = steps.map((step, at) => ({
      kept: kept | bit(step),
      excluded: withSteps(excluded, steps.slice(0, at)),
    }));
    add(children, kept);
  };

  const root = boxedSolution ? await findRoot() : undefined;
  if (root !== undefined) add([{ kept: root, excluded: 0n }], monotone ? all : undefined);
  while (!states.limited && !isFull) {
    const taken = take();
    if (taken.length === 0) break;
    for (const { kept } of taken) states.node(kept).chosen = true;
    const verdicts = await states.ask(taken.map(({ kept }) => kept));
    for (const [at, state] of taken.entries()) if (verdicts[at] === false) await expand(state);
  }

  const { best } = states;
  const isStopped = states.limited || isFull;
  const proven = boxedSolution && !isStopped && !isNarrowed;
  const isFound = best !== undefined && (proven || best.kept !== all);
  return {
    status: !boxedSolution ? "unverified" : isFound ? "accepted" : isStopped ? "step limit" : "exhausted",
    kept: isFound ? stepsOf(best.kept) : allSteps(n),
    proven,
    searchSteps: expansions,
    statesScored: states.nodes.length,
    validations: acceptance.validations,
    tree: { nodes: [...states.nodes] },
  };
}

/** Record a node's bound, if it is finite. */
function tell(node: CostedNode, h: number): void {
  if (Number.isFinite(h)) Object.assign(node, { f: node.g + h, h });
}

const openList = (states: OpenState[] = []): TinyQueue<OpenState> => new TinyQueue(states, byCost);

/** By f; ties by larger g, then by the order of the sets. */
function byCost(a: OpenState, b: OpenState): number {
  return a.g + a.h - (b.g + b.h) || b.g - a.g || (a.kept < b.kept ? -1 : a.kept > b.kept ? 1 : 0);
}

function checkOptions(options: BestFirstOptions): void {
  const { n, queue, costs, minSteps = 0, maxStates = 1, maxValidations = 1, batchSize = 1, beamWidth } = options;
  checkQueue(queue, n);
  checkWhole("minSteps", minSteps, 0);
  checkWhole("maxStates", maxStates, 1);
  checkWhole("maxValidations", maxValidations, 1);
  checkWhole("batchSize", batchSize, 1);
  checkWhole("beamWidth", beamWidth, 1);
  if (costs.length !== n) {
    throw badInput(`there are ${costs.length} costs for ${n} steps`, "Give the cost of keeping each step.");
  }
  const wrong = costs.findIndex((cost) => !(cost >= 0 && Number.isFinite(cost)));
  if (wrong < 0) return;
  throw badInput(
    `the cost of step ${wrong} is ${costs[wrong]}, expected a finite number, 0 or more`,
    "With costs below 0 no bound on what is to come could hold.",
  );
}
