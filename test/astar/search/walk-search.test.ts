import { readFileSync } from "node:fs";
import { faithfulSearch, paperSearch, type SearchResult, type WalkOptions } from "thoughtbook/astar";
import { createRandom } from "thoughtbook/core";
import { describe, expect, it } from "vitest";
import { chosenPath, includesAll } from "../helpers.js";

/** A run of the original code with stub costs. */
interface Trace {
  name: string;
  n: number;
  queue: number[];
  cost: string;
  valid: string;
  W: number;
  kmin: number;
  kmax: number;
  boxedSolution: boolean;
  kept: number[];
  searchSteps: number;
  costCalls: number[][];
  validateCalls: number[][];
}

const TRACES = JSON.parse(
  readFileSync(new URL("../../fixtures/astar-search-traces.json", import.meta.url), "utf8"),
) as Trace[];

const COSTS: Record<string, (set: number[]) => number> = {
  "0": () => 0,
  "|C|": (set) => set.length,
  "-sum(C)": (set) => -set.reduce((sum, step) => sum + step, 0),
  "0.01*|C| + |{2,5,9} minus C|": (set) => 0.01 * set.length + [2, 5, 9].filter((step) => !set.includes(step)).length,
};
const VALID: Record<string, (set: number[]) => boolean> = {
  always: () => true,
  never: () => false,
  "|C|>=7": (set) => set.length >= 7,
  "{2,5,9} subset of C": (set) => includesAll(set, [2, 5, 9]),
};

type Stub = Omit<WalkOptions, "cost" | "valid"> & { f(set: number[]): number; accepts(set: number[]): boolean };

/** Run a search and write its calls down. */
async function record(search: (options: WalkOptions) => Promise<SearchResult>, { f, accepts, ...options }: Stub) {
  const costCalls: number[][][] = [];
  const validateCalls: number[][] = [];
  const result = await search({
    ...options,
    async cost(sets) {
      costCalls.push(sets);
      return sets.map(f);
    },
    async valid(set) {
      validateCalls.push(set);
      return accepts(set);
    },
  });
  return { result, costCalls, validateCalls };
}

const stub = (options: Partial<Stub>): Stub => ({
  n: 6,
  queue: [0, 1, 2, 3, 4, 5],
  expandSize: 2,
  minSteps: 1,
  maxSteps: 20,
  boxedSolution: true,
  f: () => 0,
  accepts: () => false,
  ...options,
});

/** A search over a random chain, for what holds of every one. */
function randomStub(index: number): Stub {
  const random = createRandom("walks").stream(String(index));
  const n = 1 + random.integer(14);
  const weights = Array.from({ length: n }, () => random.integer(4));
  const needed = random.sample(
    Array.from({ length: n }, (_, step) => step),
    Math.min(n, random.integer(4)),
  );
  return {
    n,
    queue: random.shuffle(Array.from({ length: n }, (_, step) => step)),
    expandSize: 1 + random.integer(3),
    minSteps: random.integer(6),
    maxSteps: 1 + random.integer(20),
    boxedSolution: random.integer(4) > 0,
    f: (set) => set.reduce((sum, step) => sum + weights[step]!, 0),
    accepts: (set) => random.integer(3) > 0 && includesAll(set, needed),
  };
}

describe("faithfulSearch", () => {
  it("has 17 traces of the original", () => expect(TRACES).toHaveLength(17));

  it.each(TRACES)("makes the calls of the original: trace $name", async (trace) => {
    const { n, queue, W, kmin, kmax, boxedSolution } = trace;
    const { result, costCalls, validateCalls } = await record(faithfulSearch, {
      ...{ n, queue, boxedSolution, expandSize: W, minSteps: kmin, maxSteps: kmax },
      f: COSTS[trace.cost]!,
      accepts: VALID[trace.valid]!,
    });
    expect({ kept: result.kept, searchSteps: result.searchSteps }).toEqual({
      kept: trace.kept,
      searchSteps: trace.searchSteps,
    });
    expect(costCalls.flat()).toEqual(trace.costCalls);
    expect(validateCalls).toEqual(trace.validateCalls);
    // One call for the children of a node.
    expect(costCalls.every(({ length }) => length >= 1 && length <= W)).toBe(true);
    expect(result).toMatchObject({ statesScored: trace.costCalls.length, validations: trace.validateCalls.length });
  });

  it("says how it ended", async () => {
    const status = async (options: Partial<Stub>) => (await record(faithfulSearch, stub(options))).result.status;
    expect(await status({ accepts: () => true })).toBe("accepted");
    expect(await status({ boxedSolution: false })).toBe("unverified");
    expect(await status({ maxSteps: 3 })).toBe("step limit");
    expect(await status({})).toBe("exhausted");
    expect(await status({ n: 1, queue: [0], accepts: () => true })).toBe("exhausted");
  });

  it("keeps nothing of an empty chain", async () => {
    const { result, costCalls, validateCalls } = await record(faithfulSearch, stub({ n: 0, queue: [] }));
    expect(result).toMatchObject({ kept: [], status: "exhausted", searchSteps: 20, statesScored: 0 });
    expect([...costCalls, ...validateCalls]).toEqual([]);
  });

  it("takes the earlier step of the queue among equal costs", async () => {
    const options = { n: 9, accepts: (set: number[]) => set.length > 3 };
    const first = await record(faithfulSearch, stub({ ...options, queue: [4, 0, 8, 1, 2, 3, 5, 6, 7] }));
    const second = await record(faithfulSearch, stub({ ...options, queue: [4, 8, 0, 1, 2, 3, 5, 6, 7] }));
    expect([first.result.kept, second.result.kept]).toEqual([
      [0, 1, 3, 4, 5],
      [3, 4, 5, 7, 8],
    ]);
  });

  it("records the tree", async () => {
    // Trace H: two expansions of three children each.
    const trace = TRACES.find(({ name }) => name === "H")!;
    const { result } = await record(
      faithfulSearch,
      stub({ n: 10, queue: trace.queue, expandSize: 3, f: COSTS["-sum(C)"]!, accepts: VALID["|C|>=7"]! }),
    );
    expect(result.tree.nodes).toEqual([
      { state: [3, 4, 5], parent: null, chosen: true, expanded: 0, verdict: "rejected" },
      { state: [3, 4, 5, 7, 8, 9], parent: 0, f: -36, chosen: true, expanded: 1, verdict: "rejected" },
      { state: [0, 1, 3, 4, 5], parent: 0, f: -13, chosen: false },
      { state: [1, 2, 3, 4, 5], parent: 0, f: -15, chosen: false },
      { state: [0, 1, 3, 4, 5, 7, 8, 9], parent: 1, f: -37, chosen: false },
      { state: [1, 2, 3, 4, 5, 7, 8, 9], parent: 1, f: -39, chosen: false },
      { state: [3, 4, 5, 6, 7, 8, 9], parent: 1, f: -42, chosen: true, verdict: "accepted" },
    ]);
    expect(JSON.parse(JSON.stringify(result.tree))).toEqual(result.tree);
  });

  it("keeps what a set is, whatever the caller does to it", async () => {
    const spoil = async (sets: number[][]) => sets.map((set) => set.splice(0).length);
    const result = await faithfulSearch({
      ...stub({ minSteps: 3 }),
      cost: spoil,
      valid: async (set) => set.splice(0).length > 4,
    });
    expect(result.kept).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("paperSearch", () => {
  it("begins with the bare first step, k = 1", async () => {
    const { result, costCalls, validateCalls } = await record(
      paperSearch,
      stub({ n: 7, queue: [3, 0, 6, 1, 2, 4, 5], f: (set) => -set.length, accepts: (set) => set.includes(6) }),
    );
    // {3}; of {0,1,3} and {3,5,6} the first is chosen, as they cost the same; then {0,1,3,5,6} against {0,1,2,3}.
    expect(validateCalls).toEqual([[3], [0, 1, 3], [0, 1, 3, 5, 6]]);
    expect(costCalls).toEqual([
      [
        [0, 1, 3],
        [3, 5, 6],
      ],
      [
        [0, 1, 3, 5, 6],
        [0, 1, 2, 3],
      ],
    ]);
    expect(result).toMatchObject({ kept: [0, 1, 3, 5, 6], searchSteps: 3, status: "accepted" });
  });

  it("takes a single step where that is enough", async () => {
    const { result } = await record(paperSearch, stub({ queue: [4, 0, 1, 2, 3, 5], accepts: () => true }));
    expect(result).toMatchObject({ kept: [4], searchSteps: 1, status: "accepted", statesScored: 0 });
  });

  it("prunes nothing", async () => {
    // After {1,2,3} and {2,3,4} step 3 is covered; the released code prunes it, the paper proposes it.
    const options = stub({ n: 6, queue: [2, 4, 3, 0, 1, 5], expandSize: 1, minSteps: 99, maxSteps: 99 });
    const [paper, released] = [await record(paperSearch, options), await record(faithfulSearch, options)];
    expect(paper.costCalls.map(([set]) => set)).toEqual([
      [2, 3, 4, 5],
      [2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
    ]);
    expect(released.costCalls.length).toBeLessThan(5);
  });

  it("leaves the last path when the queue is empty, and says so", async () => {
    const { result, validateCalls } = await record(paperSearch, stub({ n: 3, queue: [1, 0, 2], expandSize: 1 }));
    // k = 1: {1}, 2: {0,1}, 3: {0,1,2}, which is not verified any more.
    expect(result).toMatchObject({ kept: [0, 1, 2], searchSteps: 3, status: "exhausted", validations: 2 });
    expect(validateCalls).toEqual([[1], [0, 1]]);
    const alone = await record(paperSearch, stub({ n: 5, queue: [3] }));
    expect(alone.result).toMatchObject({ kept: [3], searchSteps: 1, status: "exhausted" });
  });

  it("keeps all steps at the step limit", async () => {
    const { result } = await record(paperSearch, stub({ maxSteps: 3 }));
    expect(result).toMatchObject({ kept: [0, 1, 2, 3, 4, 5], searchSteps: 3, status: "step limit", validations: 2 });
  });
});

describe.each([
  ["faithfulSearch", faithfulSearch],
  ["paperSearch", paperSearch],
])("every walk of %s", (name, search) => {
  it("grows by at most three steps, ends by k = kmax, and keeps its queue in order (300 chains)", async () => {
    const seen = new Set<string>();
    for (let index = 0; index < 300; index++) {
      const options = randomStub(index);
      const { result, costCalls, validateCalls } = await record(search, options);
      const path = chosenPath(result.tree.nodes);
      for (const [at, next] of path.slice(1).entries()) {
        expect(includesAll(next, path[at]!)).toBe(true);
        expect(next.length - path[at]!.length).toBeLessThanOrEqual(3);
      }
      expect(result.kept).toEqual([...new Set(result.kept)].sort((a, b) => a - b));
      expect(result.kept.every((step) => step >= 0 && step < options.n)).toBe(true);
      if (name === "faithfulSearch") expect(result.searchSteps).toBeLessThanOrEqual(options.maxSteps);
      expect(result).toMatchObject({ statesScored: costCalls.flat().length, validations: validateCalls.length });
      if (result.status === "accepted") expect(validateCalls.at(-1)).toEqual(result.kept);
      if (result.status === "unverified") expect(options.boxedSolution).toBe(false);
      if (result.status === "step limit") expect(result.kept).toHaveLength(options.n);
      seen.add(result.status);
    }
    expect([...seen].sort()).toEqual(["accepted", "exhausted", "step limit", "unverified"]);
  });

  it("ends in an error when told to stop", async () => {
    const stop = new AbortController();
    let calls = 0;
    const options = stub({ n: 12, queue: Array.from({ length: 12 }, (_, step) => step), signal: stop.signal });
    const running = record(search, {
      ...options,
      f() {
        if (++calls === 5) stop.abort();
        return 0;
      },
    });
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(calls).toBeLessThanOrEqual(6);
  });

  it("takes steps alone where no neighbours come with them", async () => {
    const options = stub({ n: 6, queue: [2, 5, 3, 0, 1, 4], expandSize: 1, neighbours: 0, minSteps: 1, maxSteps: 9 });
    const { result, validateCalls } = await record(search, { ...options, accepts: (set) => includesAll(set, [3, 5]) });
    expect(result).toMatchObject({ kept: [2, 3, 5], status: "accepted" });
    expect(validateCalls).toEqual([[2], [2, 5], [2, 3, 5]]);
  });

  it.each<[string, Partial<WalkOptions>, string]>([
    ["a step twice", { queue: [0, 1, 1] }, "step 1 stands in it twice"],
    ["a step that is not there", { queue: [0, 6] }, "6 is no step"],
    ["half a step", { queue: [0.5] }, "0.5 is no step"],
    ["no children", { expandSize: 0 }, "expandSize is 0"],
    ["a step limit that is no number", { maxSteps: Number.NaN }, "maxSteps is NaN"],
    ["less than no steps", { minSteps: -1 }, "minSteps is -1"],
    ["half a neighbour", { neighbours: 0.5 }, "neighbours is 0.5"],
  ])("refuses %s", async (_, wrong, message) => {
    await expect(record(search, { ...stub({}), ...wrong })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ["NaN", async (sets: number[][]) => sets.map(() => Number.NaN)],
    ["too few costs", async () => [0]],
  ])("refuses %s", async (_, cost) => {
    await expect(search({ ...stub({}), cost, valid: async () => false })).rejects.toMatchObject({ code: "execution" });
  });
});

describe("pruning", () => {
  it("takes only steps out of the queue whose neighbours are kept (300 chains)", async () => {
    let prunings = 0;
    for (let index = 0; index < 300; index++) {
      const options = { ...randomStub(index), minSteps: 99, maxSteps: 99 };
      const { result, costCalls } = await record(faithfulSearch, options);
      // The queue is what the proposals tell: rebuild it from the chosen paths.
      const path = chosenPath(result.tree.nodes);
      const gone = new Set([options.queue[0]!]);
      for (const [at, sets] of costCalls.entries()) {
        const parent = path[at]!;
        const queue = options.queue.filter((step) => !gone.has(step));
        const spans = queue
          .slice(0, options.expandSize)
          .map((step) => [...new Set([...parent, step - 1, step, step + 1])].filter((i) => i >= 0 && i < options.n));
        expect(sets).toEqual(spans.map((set) => set.sort((a, b) => a - b)));
        const costs = sets.map((set) => options.f(set));
        const step = queue[costs.indexOf(Math.min(...costs))]!;
        gone.add(step);
        const kept = new Set(path[at + 1]!);
        for (const side of [-1, 1]) {
          const [near, far] = [step + side, step + 2 * side];
          if (far < 0 || far >= options.n || gone.has(near) || !kept.has(near) || !kept.has(far)) continue;
          for (const covered of [near - 1, near, near + 1]) expect(kept.has(covered)).toBe(true);
          gone.add(near);
          prunings++;
        }
      }
      // Expanded, pruned and queued steps are all steps, none twice.
      expect([...gone].sort((a, b) => a - b)).toEqual(Array.from({ length: options.n }, (_, step) => step));
    }
    expect(prunings).toBeGreaterThan(100);
  });
});
