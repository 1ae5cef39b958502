import { successiveHalving } from "thoughtbook/search";
import { describe, expect, it } from "vitest";

/** Arms by name, with the share of pulls that succeed: pull n succeeds if its digit is below the share. */
const pulls = (arms: Record<string, number>) => {
  const asked: [string, number, number][] = [];
  const pull = async (arm: string, count: number, from: number) => {
    asked.push([arm, from, count]);
    return Array.from({ length: count }, (_, at) => Number(((from + at) * 7) % 10 < arms[arm]! * 10));
  };
  return { asked, pull, names: Object.keys(arms) };
};

describe("successiveHalving", () => {
  it("finds the best arm, and pulls it most", async () => {
    const { asked, pull, names } = pulls({ a: 0.1, b: 0.3, c: 0.8, d: 0.5, e: 0.2 });
    const { best, arms } = await successiveHalving(names, pull, { pulls: 150 });
    expect(best).toBe("c");
    expect(arms.map(({ arm, rounds }) => [arm, rounds])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["d", 3],
      ["e", 1],
    ]);
    expect(asked.slice(0, 5)).toEqual(["a", "b", "c", "d", "e"].map((arm) => [arm, 0, 10]));
    // The next round goes on where the first ended.
    expect(asked.slice(5)).toEqual([
      ["c", 10, 16],
      ["d", 10, 16],
      ["b", 10, 16],
      ["c", 26, 25],
      ["d", 26, 25],
    ]);
    expect(arms.reduce((sum, { rewards }) => sum + rewards.length, 0)).toBeLessThanOrEqual(150);
  });

  it("takes the earlier one of equal arms, and an only arm after one round", async () => {
    const { pull, names } = pulls({ a: 0.5, b: 0.5 });
    expect((await successiveHalving(names, pull, { pulls: 20 })).best).toBe("a");
    const { arms } = await successiveHalving(["a"], pull, { pulls: 3 });
    expect(arms[0]!.rewards).toHaveLength(3);
  });

  it("refuses too few pulls, no arms, and a pull that gives another number of rewards", async () => {
    const { pull, names } = pulls({ a: 0, b: 1, c: 0 });
    await expect(successiveHalving(names, pull, { pulls: 5 })).rejects.toThrow(
      /5 pulls are too few for 3 arms in 2 rounds/,
    );
    await expect(successiveHalving([], pull, { pulls: 5 })).rejects.toThrow(/no arms/);
    await expect(successiveHalving(names, async () => [1, 1, 1], { pulls: 6 })).rejects.toThrow(
      /gave 3 rewards, 1 were/,
    );
    await expect(successiveHalving(names, pull, { pulls: 6, signal: AbortSignal.abort() })).rejects.toThrow(
      /interrupt/i,
    );
  });
});
