import { readFileSync } from "node:fs";
import { join } from "node:path";
import { grade } from "thoughtbook/answer";
import {
  comparisonTable,
  contractProblem,
  countRoughly,
  generatedChainStatistics,
  loadDataset,
  longChain,
  problemSteps,
  type Trace,
  traceStatistics,
} from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { checkAnnotation } from "../../../lib/dist/data/annotated/annotated-problem.js";
import { measureTrace } from "../../../lib/dist/data/papers/trace-statistics.js";
import { chainComparisonSchema } from "../../../lib/dist/data/word-problems/chain-comparison.js";
import { LONG_CHAIN } from "../../../lib/dist/data/word-problems/long-chain-profile.js";
import { root } from "../../notebook/helpers.js";
import { problems, varied } from "./helpers.js";

const folder = join(root, "data", "word-problems");
const committed = chainComparisonSchema.parse(JSON.parse(readFileSync(join(folder, "long-chains.json"), "utf8")));
const sample = varied(200);

/** The equations of a text, such as "12*3=36". */
const equationsOf = (text: string) =>
  [...text.matchAll(/(\d[\d+\-*/]*)=(\d+)/g)].map(([, expression, stated]) => ({
    expression: expression!,
    stated: stated!,
  }));

describe("longChain", () => {
  it("has the right answer at its end, with the solution and without, and not before", () => {
    for (const problem of sample) {
      const { thought, solution } = longChain(problem);
      const reference = String(problem.answer);
      for (const completion of [thought, `<think>\n${thought}\n</think>\n\n${solution}`]) {
        expect(grade({ completion, reference, policy: "strict" })).toMatchObject({
          correct: true,
          extracted: reference,
        });
      }
      const cut = thought.split("\n\n").slice(0, -1).join("\n\n");
      expect(grade({ completion: cut, reference, policy: "strict" }).status).toBe("unparseable");
    }
  });

  it("holds each step once as a necessary paragraph, in order: those alone are a whole chain", () => {
    for (const problem of sample) {
      const { paragraphs } = longChain(problem);
      const steps = problemSteps(problem);
      const necessary = paragraphs.filter((paragraph) => paragraph.necessary);
      expect(necessary.map(({ kind, step }) => [kind, step])).toEqual(steps.map((_, at) => ["step", at]));
      for (const [at, { expression, value }] of steps.entries()) {
        expect(equationsOf(necessary[at]!.text)).toEqual([{ expression, stated: String(value) }]);
      }
    }
  });

  it("states only true equations but in false starts, which are noticed at once and made good later", () => {
    let falseStarts = 0;
    for (const problem of sample) {
      const { paragraphs } = longChain(problem);
      const steps = problemSteps(problem);
      for (const [at, { kind, text, step }] of paragraphs.entries()) {
        if (kind !== "false-start") {
          for (const equation of equationsOf(text)) expect(checkAnnotation(equation).status, text).toBe("equal");
          continue;
        }
        falseStarts += 1;
        const [wrong] = equationsOf(text);
        expect(wrong?.stated).not.toBe(String(steps[step!]!.value));
        expect(paragraphs[at + 1]).toMatchObject({ kind: "correction", step });
        expect(paragraphs.findIndex((other) => other.necessary && other.step === step)).toBeGreaterThan(at);
      }
    }
    expect(falseStarts).toBeGreaterThan(200);
  });

  it("is a thought of paragraphs between blank lines, each a sentence", () => {
    for (const problem of sample) {
      const { paragraphs, thought } = longChain(problem);
      expect(thought.split("\n\n")).toEqual(paragraphs.map(({ text }) => text));
      for (const { text } of paragraphs) expect(text).toMatch(/^[A-Z0-9].*[.?]$/);
      expect(thought).not.toMatch(/undefined|NaN|…/);
    }
  });

  it("has paragraphs of all kinds, and the same ones for the same problem and variant", () => {
    const kinds = new Set(sample.flatMap((problem) => longChain(problem).paragraphs.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual([
      "alternative",
      "check",
      "conclude",
      "correction",
      "doubt",
      "false-start",
      "plan",
      "recap",
      "restate",
      "step",
    ]);
    const [problem] = problems(1, { operations: 5 });
    expect(longChain(problem!)).toEqual(longChain(problem!));
    expect(longChain(problem!, 1).thought).not.toBe(longChain(problem!).thought);
    const contracted = contractProblem(problem!, 1)!;
    expect(longChain(contracted).paragraphs.filter(({ necessary }) => necessary).length).toBe(
      contracted.difficulty.operations,
    );
  });

  it("leaves room for question and solution in a context of 1,024", () => {
    for (const problem of problems(400, { operations: 8, distractors: 2 })) {
      const { thought, solution } = longChain(problem);
      expect(countRoughly(thought)).toBeLessThanOrEqual(LONG_CHAIN.mostTokens);
      const all = countRoughly(problem.question) + countRoughly(thought) + countRoughly(solution);
      expect(all).toBeLessThanOrEqual(LONG_CHAIN.mostTokensInAll);
    }
    const lengths = problems(400, { operations: 4 }).map((problem) => countRoughly(longChain(problem).thought));
    const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    expect(mean).toBeGreaterThan(150);
    expect(mean).toBeLessThan(450);
  });
});

describe("the redundancy of long chains", () => {
  it("is the one that is written down", () => {
    expect(generatedChainStatistics()).toEqual(committed.generated);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain(comparisonTable(committed));
  });

  it("follows the measured chains", () => {
    const { real, generated } = committed;
    for (const kind of ["number", "equation", "nothing", "prose"] as const) {
      expect(Math.abs(generated.adds[kind] - real.adds[kind]), kind).toBeLessThan(0.06);
    }
    for (const marker of Object.keys(real.markers) as (keyof typeof real.markers)[]) {
      expect(Math.abs(generated.markers[marker] - real.markers[marker]), marker).toBeLessThan(0.03);
    }
    // The context of 1,024 tokens cuts off the longest tenth: ours stay below in these three.
    expect(real.droppable.mean - generated.droppable.mean).toBeLessThan(0.08);
    expect(real.words.variation - generated.words.variation).toBeLessThan(0.2);
    expect(generated.paragraphsPerNeeded.quantiles[2]! / real.paragraphsPerNeeded.quantiles[2]!).toBeGreaterThan(0.7);
  });

  it("was measured on the 110 chains of R1 as they are", async () => {
    if (!process.env.THOUGHTBOOK_DATA) {
      console.log("skipped: set THOUGHTBOOK_DATA to measure the real chains again");
      return;
    }
    const traces: Trace[] = [];
    for await (const trace of loadDataset("r1-traces")) traces.push(trace);
    expect(traceStatistics(traces)).toEqual(committed.real);
  });
});

describe("measureTrace", () => {
  const trace = {
    question: "Ana has 12 apples. Ben has 3 times as many. How many has Ben?",
    thought: [
      "Okay, so I need the apples.",
      "Ben has 12*3=36 apples.",
      "Wait, let me check: 12 * 3 = 36.",
      "So 36/3=12.",
      "Hmm, maybe 12+3=15. No, that is wrong.",
      "Ben has 12*3=36 apples.",
    ].join("\n\n"),
    solution: "The answer is 36.",
  };

  it("counts paragraphs, words, and what each paragraph adds", () => {
    const { paragraphs, words, wordsPerParagraph, adds } = measureTrace(trace);
    expect({ paragraphs, words }).toEqual({ paragraphs: 6, words: 32 });
    expect(wordsPerParagraph).toBeCloseTo(32 / 6);
    expect(adds).toEqual({ number: 2 / 6, equation: 1 / 6, nothing: 2 / 6, prose: 1 / 6 });
  });

  it("finds what no number of the solution comes from", () => {
    const { droppable, paragraphsPerNeeded } = measureTrace(trace);
    expect(droppable).toBeCloseTo(5 / 6);
    expect(paragraphsPerNeeded).toBe(6);
    const chain = { question: "Take 2.", thought: "2+3=5\n\n2*2=4\n\n5*5=25", solution: "25" };
    expect(measureTrace(chain).droppable).toBeCloseTo(1 / 3);
    expect(measureTrace({ ...chain, solution: "nothing" }).paragraphsPerNeeded).toBeUndefined();
  });

  it("finds trigrams seen before and the words of doubt", () => {
    const { trigramOverlap, markers } = measureTrace(trace);
    // "Ben has 12*3=36 apples." again, and nothing else.
    expect(trigramOverlap).toBeCloseTo(1 / 6);
    expect(markers).toEqual({
      wait: 1 / 6,
      hmm: 1 / 6,
      check: 1 / 6,
      alternatively: 0,
      but: 0,
      so: 1 / 6,
      maybe: 1 / 6,
      mistake: 1 / 6,
    });
  });

  it("can measure a chain without paragraphs", () => {
    expect(measureTrace({ question: "", thought: " \n\n ", solution: "" })).toMatchObject({
      paragraphs: 0,
      droppable: 0,
    });
  });
});
