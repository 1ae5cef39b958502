import { createRandom } from "thoughtbook/core";
import { describe, expect, it } from "vitest";

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);

describe("sequences", () => {
  it("never change", () => {
    // The uniform numbers were checked against an implementation of xoroshiro128+ in Python.
    const random = createRandom(1);
    expect(draw(3, random.uniform)).toEqual([0.9250723237908967, 0.9877144154317993, 0.1838712374204018]);
    expect(draw(5, () => random.integer(1000))).toEqual([455, 169, 769, 597, 90]);
    expect(draw(3, random.normal)).toEqual([-1.3502525766868854, -0.23708132605204962, 0.13120048686923458]);
    expect(random.shuffle([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([3, 7, 5, 8, 1, 4, 2, 6]);
    expect(random.sample("abcdefgh".split(""), 3)).toEqual(["d", "b", "f"]);
    expect(draw(8, () => random.weighted([1, 2, 1]))).toEqual([1, 1, 2, 0, 1, 1, 1, 1]);
    expect(draw(2, createRandom("aot").stream("train").uniform)).toEqual([0.36354995833528125, 0.8952881346272885]);
  });

  it("are the same for the same seed and names", () => {
    expect(draw(5, createRandom(7).stream("a").uniform)).toEqual(draw(5, createRandom(7).stream("a").uniform));
  });

  it("differ between seeds, names and paths of names", () => {
    const starts = [
      createRandom(1),
      createRandom("1"),
      createRandom(2),
      createRandom(1).stream("a"),
      createRandom(1).stream("b"),
      createRandom(1).stream("a").stream("b"),
      createRandom(1).stream("a,b"),
      createRandom(1).stream('a","b'),
    ].map(({ uniform }) => uniform());
    expect(new Set(starts).size).toBe(starts.length);
  });

  it("do not depend on draws from the parent or the order of streams", () => {
    const expected = draw(5, createRandom(3).stream("dropout").uniform);
    const parent = createRandom(3);
    draw(10, parent.uniform);
    draw(3, parent.stream("data").uniform);
    expect(draw(5, parent.stream("dropout").uniform)).toEqual(expected);
  });

  it("leave the parent alone", () => {
    const parent = createRandom(3);
    draw(5, parent.stream("x").uniform);
    expect(parent.uniform()).toBe(createRandom(3).uniform());
  });

  it("rejects seeds that are not finite", () => {
    expect(() => createRandom(Number.NaN)).toThrowError(expect.objectContaining({ code: "bad-input" }));
  });
});

describe("distributions", () => {
  it("uniform fills 100 bins evenly (chi-square)", () => {
    const { uniform } = createRandom("chi-square");
    const bins = new Array<number>(100).fill(0);
    for (let i = 0; i < 100_000; i++) bins[Math.floor(uniform() * 100)]! += 1;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: the 0.1 % and 99.9 % points.
    expect(chiSquare).toBeGreaterThan(61);
    expect(chiSquare).toBeLessThan(149);
  });

  it("uniform has 53 bits", () => {
    const { uniform } = createRandom("bits");
    const values = draw(1000, uniform);
    expect(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 53))).toBe(true);
    expect(values.some((value) => !Number.isInteger(value * 2 ** 52))).toBe(true);
  });

  it("integer is uniform for a bound that does not divide 2^32 and for one above 2^32", () => {
    const { integer } = createRandom("integers");
    const bins = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) bins[integer(7)]! += 1;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(22.5); // 6 degrees of freedom: the 99.9 % point.
    const large = draw(10_000, () => integer(2 ** 40));
    expect(Math.max(...large)).toBeLessThan(2 ** 40);
    expect(large.reduce((sum, value) => sum + value / large.length, 0) / 2 ** 40).toBeCloseTo(0.5, 1);
    expect(integer(1)).toBe(0);
  });

  it("normal has the moments 0, 1, 0, 3", () => {
    const { normal } = createRandom("moments");
    const values = draw(200_000, normal);
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.015);
    expect(Math.abs(moment(3))).toBeLessThan(0.03);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
  });

  it("shuffle gives permutations, all equally often", () => {
    const { shuffle } = createRandom("permutations");
    const items = [0, 1, 2, 3];
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = shuffle(items).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(items).toEqual([0, 1, 2, 3]);
    expect(counts.size).toBe(24);
    expect([...counts.keys()].every((key) => [...key].sort().join("") === "0123")).toBe(true);
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom: the 99.9 % point.
    expect(shuffle([])).toEqual([]);
  });

  it("sample takes different items, each equally often", () => {
    const { sample } = createRandom("samples");
    const counts = new Array<number>(5).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const taken = sample([0, 1, 2, 3, 4], 2);
      expect(new Set(taken).size).toBe(2);
      for (const item of taken) counts[item]! += 1;
    }
    for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(200);
    expect(sample([1], 0)).toEqual([]);
  });

  it("weighted follows the weights and never draws a weight of 0", () => {
    const { weighted } = createRandom("weights");
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 40_000; i++) counts[weighted(new Float32Array([0, 1, 3, 0]))]! += 1;
    expect(counts[0]).toBe(0);
    expect(counts[3]).toBe(0);
    expect(Math.abs(counts[1]! - 10_000)).toBeLessThan(400);
  });

  it("choice reaches every item", () => {
    const { choice } = createRandom("choices");
    expect(new Set(draw(200, () => choice([1, 2, 3])))).toEqual(new Set([1, 2, 3]));
  });
});

describe("wrong arguments", () => {
  const random = createRandom(1);
  it.each<[string, () => unknown]>([
    ["bound is 0", () => random.integer(0)],
    ["bound is -3", () => random.integer(-3)],
    ["bound is 2.5", () => random.integer(2.5)],
    ["bound is NaN", () => random.integer(Number.NaN)],
    ["empty list", () => random.choice([])],
    ["cannot sample 3 of 2 items", () => random.sample([1, 2], 3)],
    ["cannot sample -1 of 2 items", () => random.sample([1, 2], -1)],
    ["weight 1 is -1", () => random.weighted([1, -1])],
    ["weight 0 is NaN", () => random.weighted([Number.NaN])],
    ["sum to Infinity", () => random.weighted([Number.POSITIVE_INFINITY])],
    ["the 2 weights sum to 0", () => random.weighted([0, 0])],
    ["the 0 weights sum to 0", () => random.weighted([])],
  ])("says: %s", (message, work) => {
    expect(work).toThrowError(
      expect.objectContaining({ code: "bad-input", message: expect.stringContaining(message) }),
    );
  });
});
