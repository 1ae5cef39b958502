import { loadAstarPaper } from "thoughtbook/data";
import { beforeAll, describe, expect, it } from "vitest";
import type { AstarPaperResult } from "../../../lib/dist/data/papers/astar-paper.js";

let results: AstarPaperResult[] = [];
beforeAll(async () => {
  ({ results } = await loadAstarPaper());
});

const nameOf = ({ table, model, budget, row }: AstarPaperResult) => `table ${table}, ${model}, ${row} @ ${budget}`;
/** The printed averages, each with the benchmarks it is the average of. */
const averaged = () =>
  results.flatMap((printed) =>
    printed.benchmark === "average"
      ? [{ printed, of: results.filter((r) => nameOf(r) === nameOf(printed) && r !== printed) }]
      : [],
  );
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
/** Whether `value` can be rounded to `printed` with so many decimals; numbers like 0.05 are not exact. */
const isRounded = (value: number, printed: number, decimals: number) =>
  Math.abs(value - printed) <= 0.5 * 10 ** -decimals + 1e-9;

describe("the A*-Thought paper's tables", () => {
  it("have as many rows as the paper", () => {
    const counts: Record<string, number> = {};
    for (const { printed } of averaged()) counts[printed.table] = (counts[printed.table] ?? 0) + 1;
    expect(counts).toEqual({ 1: 28, 2: 8, 3: 1, 6: 16, 7: 24, 8: 24, 9: 3 });
    expect(averaged().filter(({ of }) => of.length !== 4).length).toBe(8 + 3);
    expect(new Set(results.map((r) => `${nameOf(r)}, ${r.benchmark}`)).size).toBe(results.length);
  });

  it("have an ACU of 100 · accuracy / length in every row", () => {
    for (const { printed, of } of averaged()) {
      // Of the benchmarks' accuracies: the printed average is off by up to 0.05, which is 0.01 of ACU at 512 tokens.
      const acu = (100 * mean(of.map(({ accuracy }) => accuracy))) / printed.length;
      expect(Math.abs(acu - printed.acu!), nameOf(printed)).toBeLessThan(0.01);
    }
    expect(results.filter(({ benchmark, acu }) => (benchmark === "average") !== (acu !== null))).toEqual([]);
  });

  it("have the mean of the benchmarks as average accuracy", () => {
    const wrong = averaged().filter(({ printed, of }) => {
      return !isRounded(mean(of.map(({ accuracy }) => accuracy)), printed.accuracy, 1);
    });
    expect(wrong.map(({ printed }) => nameOf(printed))).toEqual([]);
  });

  it("have the mean of the benchmarks as average length, in all rows but one", () => {
    const wrong = averaged().filter(({ printed, of }) => {
      return !isRounded(mean(of.map(({ length }) => length)), printed.length, 2);
    });
    expect(wrong.map(({ printed }) => nameOf(printed))).toEqual([
      "table 6, Qwen2.5-7B-Instruct, TokenSkip-7B @ 512", // prints 511.00, the mean is 510.95
    ]);
    expect(mean(wrong[0]!.of.map(({ length }) => length))).toBeCloseTo(510.9525, 10);
  });

  it.each([
    ["MATH500", 500],
    ["AMC23", 40],
  ])("have accuracies on %s that its %i problems allow", (benchmark, problems) => {
    const known = results.filter((result) => result.benchmark === benchmark);
    expect(known).toHaveLength(93);
    for (const result of known) {
      const right = (result.accuracy / 100) * problems;
      expect(Math.abs(right - Math.round(right)), nameOf(result)).toBeLessThan(1e-9);
    }
  });

  it("have no answer longer than its budget", () => {
    expect(results.filter(({ length, budget }) => length > budget)).toEqual([]);
  });

  it("call a method by one name, and have every base model's baseline", () => {
    const atLeast = (table: string) => new Set(results.filter((r) => r.table === table).map((r) => r.method));
    for (const table of ["1", "7", "8"]) {
      expect([...atLeast(table)]).toEqual(
        expect.arrayContaining(["full chain", "Chain of Draft", "BtC skip steps", "TokenSkip", "A*-Thought"]),
      );
    }
    expect(atLeast("6")).toEqual(new Set(["TokenSkip", "A*-Thought"]));
  });

  it("say what the abstract says", () => {
    const at = (method: string, budget: number) =>
      results.find((r) => r.table === "1" && r.benchmark === "average" && r.method === method && r.budget === budget)!;
    const [full, own] = [at("full chain", 512), at("A*-Thought", 512)];
    expect((own.accuracy / full.accuracy).toFixed(2)).toBe("2.39");
    expect((own.acu! / full.acu!).toFixed(2)).toBe("2.49");
    const saved = 1 - at("A*-Thought", 4096).length / at("full chain", 4096).length;
    expect((100 * saved).toFixed(2)).toBe("33.59");
  });

  it("have the same pass@1 as accuracy, but for LiveCodeBench where the paper contradicts itself", async () => {
    const { passAtK } = await loadAstarPaper();
    const first = passAtK.filter(({ k }) => k === 1);
    const differ = first.filter(({ budget, method, benchmark, pass }) => {
      const printed = results.find(
        (r) => r.budget === budget && r.method === method && r.benchmark === benchmark && "12".includes(r.table),
      )!;
      return printed.accuracy !== pass;
    });
    expect(differ.map(({ method, benchmark, budget }) => `${method}, ${benchmark}, ${budget}`)).toEqual([
      "base model, LiveCodeBench, 2048",
      "base model, LiveCodeBench, 4096",
    ]);
    for (const [at, { k, pass }] of passAtK.entries()) {
      if (k > 1) expect(pass).toBeGreaterThanOrEqual(passAtK[at - 1]!.pass);
    }
  });

  it("have the shares and savings of the training table", async () => {
    const { training } = await loadAstarPaper();
    const seconds = (method: string) => training.filter((r) => r.method === method).map((r) => r.seconds);
    const saved = (method: string) =>
      seconds(method).map((each, at) => (100 * (1 - each / seconds("full chain")[at]!)).toFixed(2));
    expect(saved("A*-Thought")).toEqual(["24.25", "21.58", "22.64"]);
    expect(saved("TokenSkip")).toEqual(["7.04", "7.86", "7.03"]);
    expect(new Set(training.map((r) => r.kept_share))).toEqual(new Set([100, 85.41, 31.31]));
  });
});
