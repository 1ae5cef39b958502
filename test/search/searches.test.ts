import { createRandom } from "thoughtbook/core";
import { beamSearch, pathTo, type SearchLimits, type SearchProblem, treeSearch } from "thoughtbook/search";
import { describe, expect, it } from "vitest";

/** Words of `letters` letters a and b; the value of a word is the share of places where it agrees with the target. */
function wordProblem(target: string, calls: { values: number[]; expanded: string[] } = { values: [], expanded: [] }) {
  const agreement = (word: string) => [...word].filter((letter, at) => letter === target[at]).length / target.length;
  return {
    calls,
    agreement,
    problem: {
      root: "",
      key: (word) => word,
      isEnd: (word) => word.length === target.length,
      expand: async (word) => {
        calls.expanded.push(word);
        return ["a", "b"].map((letter) => ({
          state: word + letter,
          prior: letter === target[word.length] ? 0.7 : 0.3,
        }));
      },
      value: async (words) => {
        calls.values.push(words.length);
        return words.map(agreement);
      },
    } satisfies SearchProblem<string>,
  };
}

const target = (seed: number, length: number) => {
  const random = createRandom(seed);
  return Array.from({ length }, () => random.choice(["a", "b"])).join("");
};

const SEARCHES = {
  beam: (problem: SearchProblem<string>, limits: SearchLimits, width = 2) => beamSearch(problem, { width }, limits),
  tree: (problem: SearchProblem<string>, limits: SearchLimits, width = 1) => treeSearch(problem, { width }, limits),
};

describe.each(Object.entries(SEARCHES))("%s search", (_, search) => {
  it("finds the best complete state, and its tree tells the way", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const word = target(seed, 7);
      const { problem, agreement } = wordProblem(word);
      const { best, tree } = await search(problem, { expansions: 200 });
      expect(best).toBe(word);
      const at = tree.nodes.findIndex(({ state }) => state === word);
      expect(pathTo(tree, at)).toEqual(Array.from({ length: 8 }, (_, length) => word.slice(0, length)));
      expect(tree.nodes[at]).toMatchObject({ chosen: true, value: agreement(word) });
      for (const [index, node] of tree.nodes.entries()) expect(node.parent ?? -1).toBeLessThan(index);
      expect(JSON.parse(JSON.stringify(tree))).toEqual(tree);
    }
  });

  it("expands no state twice and no more than allowed", async () => {
    const { problem, calls } = wordProblem(target(3, 9));
    for (const width of [1, 3, 8]) {
      calls.expanded.length = 0;
      const { tree } = await search(problem, { expansions: 13 }, width);
      expect(calls.expanded.length).toBeLessThanOrEqual(13);
      expect(new Set(calls.expanded).size).toBe(calls.expanded.length);
      const order = tree.nodes.flatMap(({ expanded }) => expanded ?? []).sort((a, b) => a - b);
      expect(order).toEqual(Array.from({ length: calls.expanded.length }, (_, at) => at));
    }
  });

  it("repeats exactly", async () => {
    const run = async () => search(wordProblem(target(5, 8)).problem, { expansions: 30 }, 3);
    expect(await run()).toEqual(await run());
  });

  it("stops when the budget is spent, at the signal, and at wrong answers", async () => {
    const { problem, calls } = wordProblem(target(1, 9));
    const spent = await search(problem, { expansions: 500, isSpent: () => calls.expanded.length >= 4 }, 1);
    expect(calls.expanded.length).toBe(4);
    expect(spent.best).toBeUndefined();
    const signal = AbortSignal.abort();
    await expect(search(problem, { expansions: 5, signal })).rejects.toMatchObject({ code: "interrupted" });
    const broken = { ...problem, value: async () => [Number.NaN] };
    await expect(search(broken, { expansions: 5 })).rejects.toMatchObject({ code: "execution" });
    await expect(search(problem, { expansions: 0 })).rejects.toThrow(/expansions is 0/);
    await expect(search(problem, { expansions: 5 }, 0)).rejects.toThrow(/width is 0/);
  });

  it("refuses values and priors that are not finite", async () => {
    const { problem } = wordProblem(target(1, 4));
    for (const wrong of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
      const value = async (words: readonly string[]) => words.map((word) => (word === "" ? 0 : wrong));
      await expect(search({ ...problem, value }, { expansions: 9 })).rejects.toThrow(/value gave -?Infinity/);
    }
    for (const prior of [Number.NaN, Number.POSITIVE_INFINITY, -0.5]) {
      const expand = async (word: string) => ["a", "b"].map((letter) => ({ state: word + letter, prior }));
      await expect(search({ ...problem, expand }, { expansions: 9 })).rejects.toThrow(`the prior ${prior}`);
    }
  });

  it("takes a root that is complete, and one that leads nowhere", async () => {
    const { problem } = wordProblem("ab");
    expect((await search({ ...problem, root: "ab" }, { expansions: 5 })).best).toBe("ab");
    const dead = await search({ ...problem, expand: async () => [] }, { expansions: 5 });
    expect(dead.best).toBeUndefined();
    expect(dead.tree.nodes).toHaveLength(1);
  });
});

describe("beam search", () => {
  it("asks for the values of a round in one call", async () => {
    const { problem, calls } = wordProblem(target(2, 5));
    await beamSearch(problem, { width: 4 }, { expansions: 100 });
    expect(calls.values).toEqual([1, 2, 4, 8, 8, 8]);
  });

  it("misses what a wider beam finds", async () => {
    // The way to the best end looks worse at first.
    const values: Record<string, number> = { "": 0, a: 0.5, b: 0.4, aa: 0.6, ab: 0.6, ba: 0.2, bb: 1 };
    const problem: SearchProblem<string> = {
      ...wordProblem("bb").problem,
      value: async (words) => words.map((word) => values[word]!),
    };
    expect((await beamSearch(problem, { width: 1 }, { expansions: 10 })).best).toBe("aa");
    expect((await beamSearch(problem, { width: 2 }, { expansions: 10 })).best).toBe("bb");
  });
});

describe("tree search", () => {
  it("counts visits as values that came back, and means over them", async () => {
    const { problem, agreement } = wordProblem(target(4, 6));
    const { tree } = await treeSearch(problem, {}, { expansions: 25 });
    const below = (at: number): number[] => [
      at,
      ...tree.nodes.flatMap(({ parent }, child) => (parent === at ? below(child) : [])),
    ];
    for (const [at, { visits, value }] of tree.nodes.entries()) {
      const values = below(at).map((index) => agreement(tree.nodes[index]!.state));
      expect(visits).toBe(values.length);
      expect(value).toBeCloseTo(values.reduce((sum, each) => sum + each, 0) / values.length, 10);
    }
  });

  it("selects by PUCT: Q + c · P · √N / (1 + n)", async () => {
    // Two arms of value 0.5 and priors 0.9 and 0.1: the first score is 0.5 + 1.25 · 0.9 · √3 / 2 against 0.1's.
    const order: string[] = [];
    const problem: SearchProblem<string> = {
      root: "",
      key: (state) => state,
      isEnd: () => false,
      expand: async (state) => {
        order.push(state);
        return state === ""
          ? [
              { state: "likely", prior: 0.9 },
              { state: "unlikely", prior: 0.1 },
            ]
          : [{ state: `${state}.`, prior: 1 }];
      },
      value: async (states) => states.map((state) => (state.startsWith("unlikely") ? 0.6 : 0.5)),
    };
    await treeSearch(problem, { exploration: 1.25 }, { expansions: 60 });
    // By hand: "likely" leads until its n has grown to where 0.5 + 1.125 √N / (1 + n) < 0.6 + 0.125 √N / 2.
    const first = order.findIndex((state) => state.startsWith("unlikely"));
    let [n, total] = [1, 3];
    while (0.5 + (1.25 * 0.9 * Math.sqrt(total)) / (1 + n) > 0.6 + (1.25 * 0.1 * Math.sqrt(total)) / 2) {
      n++;
      total++;
    }
    expect(first).toBe(n);
  });

  it("with a width gives each round different leaves", async () => {
    const { problem, calls } = wordProblem(target(6, 8));
    await treeSearch(problem, { width: 4 }, { expansions: 41 });
    expect(calls.values.slice(0, 4)).toEqual([1, 2, 4, 8]);
  });
});
