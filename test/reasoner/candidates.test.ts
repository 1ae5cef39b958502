import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import { type Candidate, chooseCandidate, selectionMeasures } from "thoughtbook/reasoner";
import { describe, expect, it } from "vitest";

const MATH = { kind: "gsm8k" } as const;
const candidate = (
  answer: string | undefined,
  score: number,
  tokens = 10,
  text = `${answer} ${score} ${tokens}`,
): Candidate => ({
  ...{ text, score, tokens, source: "sample" },
  ...(answer === undefined ? {} : { solution: `#### ${answer}` }),
});

describe("the choice among candidates", () => {
  it("takes the best, the majority, or the answer of most weight", () => {
    const all = [
      candidate("1", 0.9),
      candidate("2", 0.5),
      candidate("2.0", 0.3),
      candidate("3", 0.6, 5),
      candidate(undefined, 1),
    ];
    expect(chooseCandidate(MATH, all, "best")).toBe(0);
    expect(chooseCandidate(MATH, all, "majority")).toBe(1);
    expect(chooseCandidate(MATH, all, "weighted")).toBe(0);
    expect(chooseCandidate(MATH, [...all, candidate("2", 0.2)], "weighted")).toBe(1);
    expect(chooseCandidate(MATH, [candidate(undefined, 0)], "majority")).toBe(0);
    expect(chooseCandidate(MATH, [], "best")).toBeUndefined();
    // Among equals the shorter one.
    expect(chooseCandidate(MATH, [candidate("1", 0.5, 9), candidate("2", 0.5, 8)], "best")).toBe(1);
  });

  it("does not depend on the order of the candidates, ties included", () => {
    const random = createRandom(4);
    for (let trial = 0; trial < 50; trial++) {
      const all = Array.from({ length: 9 }, () =>
        candidate(
          random.choice(["1", "2", "3", undefined]),
          random.integer(3) / 2,
          5 + random.integer(3),
          String(random.integer(20)),
        ),
      );
      for (const selection of ["best", "majority", "weighted"] as const) {
        const chosen = all[chooseCandidate(MATH, all, selection)!]!;
        const shuffled = random.shuffle(all);
        const again = shuffled[chooseCandidate(MATH, shuffled, selection)!]!;
        expect([again.text, again.solution, again.score]).toEqual([chosen.text, chosen.solution, chosen.score]);
      }
    }
  });

  it("with the reward as score succeeds as often as n samples do: 1 − (1 − p)ⁿ", () => {
    const success = (p: number, n: number) => {
      let sum = 0;
      for (let outcome = 0; outcome < 2 ** n; outcome++) {
        const right = Array.from({ length: n }, (_, at) => ((outcome >> at) & 1) === 1);
        const probability = right.reduce((product, each) => product * (each ? p : 1 - p), 1);
        const all = right.map((each, at) => candidate(each ? "7" : String(at), Number(each)));
        const measures = selectionMeasures(MATH, all, right);
        expect(measures.coverage).toBe(measures.best);
        sum += probability * measures.best;
      }
      return sum;
    };
    expect(success(0.3, 5)).toBeCloseTo(0.83193, 10);
    expect([1, 2, 4, 8].map((n) => success(0.5, n))).toEqual([0.5, 0.75, 0.9375, 0.99609375]);
  });
});

describe("on 16 recorded samples of each of 160 problems", () => {
  const folder = process.env.THOUGHTBOOK_DATA;

  it("best-of-n, majority and weighted votes are those of a plain computation", () => {
    if (!folder) return console.log("skipped: set THOUGHTBOOK_DATA to choose among recorded samples");
    const file = join(folder, "sampled_solutions", "qwen25_05b_instruct_16.jsonl");
    const rows = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(160);
    const right = { best: [0, 0], majority: [0, 0], weighted: [0, 0] };
    for (const { gold, trajectories } of rows) {
      expect(trajectories).toHaveLength(16);
      type Sample = { answer: string | null; text: string; n_tokens: number; logprob: number };
      const numberOf = ({ answer }: Sample) =>
        answer === null || answer === "" ? Number.NaN : Number(answer.replaceAll(",", ""));
      const samples = (trajectories as Sample[]).filter((each) => Number.isFinite(numberOf(each)));
      const worth = ({ logprob }: Sample) => Math.exp(logprob);
      const all = samples.map((each): Candidate => {
        const { text, n_tokens: tokens } = each;
        return { text, tokens, source: "sample", score: worth(each), solution: `#### ${numberOf(each)}` };
      });
      // Plainly: sort by length and text, then count.
      const sorted = [...samples].sort((a, b) => a.n_tokens - b.n_tokens || (a.text < b.text ? -1 : 1));
      const tally = (weight: (each: Sample) => number) => {
        const counts = new Map<number, number>();
        for (const each of sorted) counts.set(numberOf(each), (counts.get(numberOf(each)) ?? 0) + weight(each));
        let best: [number, number] = [Number.NaN, -1];
        for (const [answer, count] of counts) if (count > best[1] + 1e-12) best = [answer, count];
        return best[0];
      };
      const best = sorted.reduce(
        (found: Sample | undefined, each) => (!found || worth(each) > worth(found) ? each : found),
        undefined,
      );
      const plain = {
        best: best ? numberOf(best) : Number.NaN,
        majority: tally(() => 1),
        weighted: tally(worth),
      };
      for (const selection of ["best", "majority", "weighted"] as const) {
        const index = chooseCandidate(MATH, all, selection);
        const chosen = index === undefined ? Number.NaN : numberOf(samples[index]!);
        expect(chosen).toBe(plain[selection]);
        right[selection][0]! += Number(chosen === Number(gold));
        right[selection][1]!++;
      }
    }
    console.log("right of 160:", Object.fromEntries(Object.entries(right).map(([name, [count]]) => [name, count])));
  });
});
