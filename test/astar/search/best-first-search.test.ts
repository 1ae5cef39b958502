import { type BestFirstOptions, bestFirstSearch } from "thoughtbook/astar";
import { createRandom } from "thoughtbook/core";
import { describe, expect, it } from "vitest";
import { includesAll, subsets, total } from "../helpers.js";

interface Instance {
  n: number;
  costs: number[];
  queue: number[];
  /** What is accepted: whatever contains one of these. */
  ways: number[][];
  accepts(set: readonly number[]): boolean;
}

const steps = (n: number) => Array.from({ length: n }, (_, step) => step);

/** Up to 3 necessary steps; in every second chain up to 4 ways from these to the answer. Costs are sometimes equal or 0. */
function monotoneInstance(index: number, most = 10): Instance {
  const random = createRandom("monotone").stream(String(index));
  const n = 1 + random.integer(most);
  const some = (count: number) => random.sample(steps(n), Math.min(count, n));
  const necessary = some(random.integer(4));
  const ways =
    index % 2 === 0
      ? [necessary]
      : Array.from({ length: 1 + random.integer(4) }, () => [...new Set([...necessary, ...some(random.integer(4))])]);
  return {
    n,
    costs: steps(n).map(() => (index % 3 === 0 ? random.integer(4) : random.uniform())),
    queue: random.shuffle(steps(n)),
    ways,
    accepts: (set) => ways.some((way) => includesAll(set, way)),
  };
}

/** The cheapest cost of an accepted set, by trying all. */
function bruteForce({ n, costs, accepts }: Instance, minSteps = 0): number {
  const accepted = subsets(n).filter((set) => set.length >= minSteps && accepts(set));
  return Math.min(...accepted.map((set) => total(set, costs)));
}

/** Run the search and write down which sets were verified. */
async function record({ accepts, ways: _, ...instance }: Instance, options: Partial<BestFirstOptions> = {}) {
  const calls: number[][][] = [];
  const result = await bestFirstSearch({
    ...instance,
    boxedSolution: true,
    maxValidations: 5000,
    async valid(sets) {
      calls.push(sets);
      return sets.map(accepts);
    },
    ...options,
  });
  return { result, calls };
}

describe("500 chains with monotone acceptance and up to 3 necessary steps", () => {
  it.each([{ batchSize: 1 }, { batchSize: 4 }])(
    "give the cheapest accepted set, for less than a tenth of the states ($batchSize at a time)",
    async (options) => {
      let [scored, verified, all, largest] = [0, 0, 0, 0];
      for (let index = 0; index < 500; index++) {
        const instance = monotoneInstance(index);
        const { result, calls } = await record(instance, { ...options, monotone: true });
        expect(result).toMatchObject({ status: "accepted", proven: true });
        expect(instance.accepts(result.kept)).toBe(true);
        expect(total(result.kept, instance.costs)).toBeCloseTo(bruteForce(instance), 9);
        expect(result.validations).toBe(calls.flat().length);
        scored += result.statesScored;
        verified += result.validations;
        all += 2 ** instance.n;
        if (instance.n === 10) largest = Math.max(largest, result.statesScored);
      }
      console.log(`${scored} of ${all} states scored (1 of ${(all / scored).toFixed(1)}), ${verified} verified`);
      expect(10 * scored).toBeLessThan(all);
      // Also in each single chain of 10 steps, whose sets are 1,024.
      expect(largest).toBeLessThanOrEqual(102);
    },
  );

  it("are searched alike twice, and no set is verified or scored twice", async () => {
    for (let index = 0; index < 100; index++) {
      const instance = monotoneInstance(index);
      const [first, second] = [
        await record(instance, { monotone: index % 2 === 0 }),
        await record(instance, { monotone: index % 2 === 0 }),
      ];
      expect(second).toEqual(first);
      const asked = first.calls.flat().map(String);
      expect(new Set(asked).size).toBe(asked.length);
      const nodes = first.result.tree.nodes.map(({ state }) => String(state));
      expect(new Set(nodes).size).toBe(first.result.statesScored);
      expect(asked.every((set) => nodes.includes(set))).toBe(true);
    }
  });

  it("need few verifications on longer chains too", async () => {
    const counts: number[] = [];
    for (let index = 0; index < 40; index++) {
      const instance = monotoneInstance(index, 20);
      const { result } = await record(instance, { monotone: true });
      const cheapest = Math.min(...instance.ways.map((way) => total(way, instance.costs)));
      expect(total(result.kept, instance.costs)).toBeCloseTo(cheapest, 9);
      counts.push(result.validations);
    }
    expect(Math.max(...counts)).toBeLessThan(120);
  });
});

describe("bestFirstSearch", () => {
  it("finds the cheapest accepted set where acceptance is not monotone (200 chains)", async () => {
    for (let index = 0; index < 200; index++) {
      const random = createRandom("any").stream(String(index));
      const n = 1 + random.integer(7);
      const accepted = new Set(
        subsets(n)
          .map(String)
          .filter(() => random.integer(8) === 0),
      );
      const instance: Instance = {
        n,
        queue: random.shuffle(steps(n)),
        costs: steps(n).map(() => random.integer(6)),
        ways: [],
        accepts: (set) => accepted.has(String(set)),
      };
      const minSteps = random.integer(3);
      const { result, calls } = await record(instance, { minSteps, batchSize: 1 + random.integer(3) });
      const least = bruteForce(instance, Math.min(minSteps, n));
      expect(result.status).toBe(Number.isFinite(least) ? "accepted" : "exhausted");
      expect(result.proven).toBe(true);
      if (Number.isFinite(least)) expect(total(result.kept, instance.costs)).toBe(least);
      else expect(result.kept).toEqual(steps(n));
      expect(calls.flat().every(({ length }) => length >= Math.min(minSteps, n))).toBe(true);
    }
  });

  it("obeys minSteps with monotone acceptance (100 chains)", async () => {
    for (let index = 0; index < 100; index++) {
      const instance = monotoneInstance(index, 8);
      const minSteps = 1 + (index % 9);
      const { result, calls } = await record(instance, { monotone: true, minSteps });
      const least = Math.min(minSteps, instance.n);
      expect(result.kept.length).toBeGreaterThanOrEqual(least);
      expect(total(result.kept, instance.costs)).toBeCloseTo(bruteForce(instance, least), 9);
      expect(calls.flat().every(({ length }) => length >= least)).toBe(true);
    }
  });

  it("has f = g + h at every state it scored, and no f below the cost of the result left", async () => {
    for (let index = 0; index < 100; index++) {
      const instance = monotoneInstance(index, 7);
      const { result } = await record(instance, { monotone: index % 2 === 0, minSteps: 2 });
      const { nodes } = result.tree;
      for (const { state, parent, f, g, h } of nodes) {
        expect(g).toBeCloseTo(total(state, instance.costs), 12);
        if (f !== undefined) expect(f).toBe(g! + h!);
        if (parent !== null) expect(parent).toBeLessThan(nodes.length);
      }
      const cost = total(result.kept, instance.costs);
      const chosen = nodes.filter((node) => node.chosen);
      expect(chosen.every(({ f }) => f! <= cost + 1e-12)).toBe(true);
      const order = nodes.flatMap(({ expanded }) => expanded ?? []).sort((a, b) => a - b);
      expect(order).toEqual(steps(result.searchSteps));
    }
  });

  it("does not verify without all steps being accepted", async () => {
    const { result, calls } = await record({ ...monotoneInstance(3), accepts: () => false }, { monotone: true });
    expect(calls).toHaveLength(1);
    expect(result).toMatchObject({ status: "exhausted", proven: true, validations: 1 });
  });

  it("ends with a verified path where acceptance is not as monotone as declared (200 chains)", async () => {
    let short = 0;
    for (let index = 0; index < 200; index++) {
      const random = createRandom("not monotone").stream(String(index));
      const n = 1 + random.integer(9);
      const verdicts = new Map<string, boolean>([[String(steps(n)), true]]);
      const instance: Instance = {
        n,
        queue: random.shuffle(steps(n)),
        costs: steps(n).map(() => 1 + random.integer(6)),
        ways: [],
        accepts(set) {
          const key = String(set);
          if (!verdicts.has(key)) verdicts.set(key, random.integer(2) === 0);
          return verdicts.get(key)!;
        },
      };
      const { result, calls } = await record(instance, { monotone: true });
      expect(result.status).toBe("accepted");
      expect(instance.accepts(result.kept)).toBe(true);
      const accepted = calls.flat().filter((set) => instance.accepts(set));
      expect(total(result.kept, instance.costs)).toBe(Math.min(...accepted.map((set) => total(set, instance.costs))));
      if (result.kept.length < n) short++;
    }
    expect(short).toBeGreaterThan(150);
  });

  it("keeps all steps where there is nothing to verify by", async () => {
    const { result, calls } = await record(monotoneInstance(4), { boxedSolution: false });
    expect(result).toMatchObject({ status: "unverified", proven: false, kept: steps(result.kept.length) });
    expect(calls).toEqual([]);
  });

  it("takes an empty chain, and a question that needs no thought", async () => {
    const costs = [1, 2];
    const none = { n: 0, queue: [], costs: [], ways: [[]], accepts: () => true };
    expect((await record(none)).result).toMatchObject({ status: "accepted", kept: [] });
    expect((await record(none, { monotone: true })).result).toMatchObject({ status: "accepted", kept: [] });
    const easy = { n: 2, queue: [0, 1], costs, ways: [[]], accepts: () => true };
    for (const monotone of [true, false]) {
      expect((await record(easy, { monotone })).result).toMatchObject({ status: "accepted", kept: [] });
      expect((await record(easy, { monotone, minSteps: 1 })).result).toMatchObject({ kept: [0] });
      expect((await record(easy, { monotone, minSteps: 5 })).result).toMatchObject({ kept: [0, 1] });
    }
  });

  describe("under a limit", () => {
    const instance = {
      ...monotoneInstance(1),
      n: 12,
      ways: [[1, 6, 10]],
      costs: steps(12).map((step) => 1 + (step % 3)),
    };
    const twelve: Instance = {
      ...instance,
      queue: [6, 1, 3, 10, 0, 2, 4, 5, 7, 8, 9, 11],
      accepts: (set) => includesAll(set, [1, 6, 10]),
    };

    it("gives the best path it verified, and says that it is not proven", async () => {
      const { result } = await record(twelve, { monotone: true, maxValidations: 5 });
      expect(result).toMatchObject({ status: "accepted", proven: false, validations: 5 });
      expect(twelve.accepts(result.kept)).toBe(true);
      expect(result.kept).toEqual([1, 3, 6, 10]);
      const whole = await record(twelve, { monotone: true });
      expect(whole.result).toMatchObject({ proven: true, kept: [1, 6, 10] });
    });

    it("never passes the whole chain off as found", async () => {
      const one = await record(twelve, { monotone: true, maxValidations: 1 });
      expect(one.result).toMatchObject({ status: "step limit", proven: false, kept: steps(12), validations: 1 });
      const few = await record(twelve, { maxValidations: 10 });
      expect(few.result).toMatchObject({ status: "step limit", proven: false, kept: steps(12), validations: 10 });
      const states = await record(twelve, { maxStates: 30 });
      expect(states.result).toMatchObject({ status: "step limit", proven: false, kept: steps(12) });
      expect(states.result.statesScored).toBeLessThan(30 + 12);
    });

    it("tells the whole chain from a limit where nothing less is accepted", async () => {
      const every = { ...twelve, accepts: (set: readonly number[]) => set.length === 12 };
      const { result } = await record(every, { monotone: true });
      expect(result).toMatchObject({ status: "accepted", proven: true, kept: steps(12) });
    });

    it("keeps the best of a beam, which proves nothing", async () => {
      const { result } = await record(twelve, { beamWidth: 3 });
      expect(result).toMatchObject({ proven: false, status: "exhausted", kept: steps(12) });
      const wide = await record(twelve, { beamWidth: 5000 });
      expect(wide.result).toMatchObject({ proven: true, kept: [1, 6, 10] });
      expect(result.statesScored).toBeLessThan(wide.result.statesScored);
    });
  });

  it("verifies several states in one call", async () => {
    const instance = { ...monotoneInstance(5), accepts: (set: readonly number[]) => set.length > 2, n: 8 };
    const eight = { ...instance, queue: steps(8), costs: steps(8).map((step) => 1 + step / 10) };
    const [one, four] = [await record(eight), await record(eight, { batchSize: 4 })];
    expect(four.result.kept).toEqual(one.result.kept);
    expect(four.calls.length).toBeLessThan(one.calls.length / 2);
    expect(Math.max(...four.calls.map(({ length }) => length))).toBe(4);
  });

  it("ends in an error when told to stop", async () => {
    const stop = new AbortController();
    let calls = 0;
    const running = record(monotoneInstance(6), {
      monotone: true,
      signal: stop.signal,
      async valid(sets) {
        calls++;
        stop.abort();
        return sets.map(() => true);
      },
    });
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(calls).toBe(1);
  });

  it.each<[string, Partial<BestFirstOptions>, string, string]>([
    ["costs of another chain", { costs: [1] }, "bad-input", "1 costs for"],
    ["a cost below 0", { n: 2, queue: [], costs: [1, -1] }, "bad-input", "cost of step 1 is -1"],
    ["an infinite cost", { n: 1, queue: [], costs: [Number.POSITIVE_INFINITY] }, "bad-input", "Infinity"],
    ["a step twice", { n: 2, queue: [1, 1], costs: [0, 0] }, "bad-input", "twice"],
    ["an empty beam", { beamWidth: 0 }, "bad-input", "beamWidth is 0"],
    ["half a batch", { batchSize: 0.5 }, "bad-input", "batchSize is 0.5"],
    ["no states", { maxStates: 0 }, "bad-input", "maxStates is 0"],
    ["verdicts for other sets", { valid: async () => [] }, "execution", "valid gave"],
  ])("refuses %s", async (_, wrong, code, message) => {
    await expect(record(monotoneInstance(7), wrong)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
