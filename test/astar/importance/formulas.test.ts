import { type ChainSignals, NORMALISATIONS, rankSteps } from "thoughtbook/astar";
import { createRandom } from "thoughtbook/core";
import { describe, expect, it } from "vitest";
import {
  bidirectionalImportance,
  conditionAttention,
  IMPORTANCE_SIGNALS,
  type StepSignals,
} from "../../../lib/dist/astar/importance/formulas.js";

describe("the toy of the specification", () => {
  // Two heads, two step tokens, two condition tokens: the attention rows of the condition over the step.
  const rows = [0.5, 0.2, 0.4, 0.1, 0.7, 0.1, 0.2, 0.3];
  const mass = rows.reduce((sum, each) => sum + each, 0);
  const losses = [1, 2, 4];
  const question = { tokens: 2, nll: (losses[1]! + losses[2]!) / 2, mass };
  const place = { stepTokens: 2, heads: 2, sinkTokens: 0 };

  it("has attention and NLL as computed by the released code and by the paper", () => {
    expect(mass).toBeCloseTo(2.5, 12);
    expect(conditionAttention(question, place, "code")).toBeCloseTo(1.25, 12);
    expect(conditionAttention(question, place, "paper")).toBeCloseTo(0.3125, 12);
    expect(question.nll).toBe(3);
  });

  it("has a lift over uniform attention: queries see 3 and 4 tokens, 2 of them of the step", () => {
    const expected = 2 * (2 / 3 + 2 / 4);
    expect(conditionAttention(question, place, "lift")).toBeCloseTo(2.5 / expected, 12);
    // With a token before the step there is one more to attend to.
    const withSink = 2 * (2 / 4 + 2 / 5);
    expect(conditionAttention(question, { ...place, sinkTokens: 1 }, "lift")).toBeCloseTo(2.5 / withSink, 12);
  });

  it.each([
    [0, 0.416667],
    [0.25, 0.442857],
    [0.5, 0.477778],
    [1, 0.6],
  ])("has the importance of alpha %d", (alpha, expected) => {
    const found = bidirectionalImportance({ attention: 1.25, nll: 3 }, { attention: 0.9, nll: 1.5 }, alpha);
    expect(found).toBeCloseTo(expected, 6);
    // As a step of a chain: the solution's mass is 0.9 a step token.
    const step: StepSignals = { tokens: 2, question, solution: { tokens: 5, nll: 1.5, mass: 1.8 } };
    expect(rankSteps({ heads: 2, sinkTokens: 0, steps: [step] }, { alpha }).scores[0]).toBeCloseTo(expected, 6);
  });
});

/** A chain with signals that a model could give: mass at most heads · condition tokens. */
function randomChain(seed: number, count = 12): ChainSignals {
  const random = createRandom(seed);
  const heads = 1 + random.integer(8);
  const [questionTokens, solutionTokens] = [1 + random.integer(60), 1 + random.integer(60)];
  const side = (tokens: number) => ({ tokens, nll: 5 * random.uniform(), mass: heads * tokens * random.uniform() });
  const steps = Array.from({ length: count }, (): StepSignals | null => {
    if (random.uniform() < 0.1) return null;
    return { tokens: 1 + random.integer(30), question: side(questionTokens), solution: side(solutionTokens) };
  });
  return { heads, sinkTokens: random.integer(2), steps };
}

describe("ranking steps", () => {
  const seeds = Array.from({ length: 30 }, (_, seed) => seed);
  const change = (chain: ChainSignals, of: (step: StepSignals) => StepSignals): ChainSignals => ({
    ...chain,
    steps: chain.steps.map((step) => step && of(step)),
  });

  it("orders all steps from the highest score to the lowest, equals as they stand", () => {
    for (const seed of seeds) {
      for (const signal of IMPORTANCE_SIGNALS.filter((each) => each !== "drop")) {
        const { scores, order } = rankSteps(randomChain(seed), { signal });
        expect([...order].sort((a, b) => a - b)).toEqual([...scores.keys()]);
        for (const [place, step] of order.entries()) {
          if (place === 0) continue;
          const before = order[place - 1]!;
          expect(scores[before]! > scores[step]! || (scores[before] === scores[step] && before < step)).toBe(true);
        }
        expect(scores.every((score) => Number.isFinite(score) && score >= 0)).toBe(true);
      }
    }
  });

  it("ignores the solution with alpha 0 and the question with alpha 1, whatever they are", () => {
    for (const seed of seeds) {
      for (const normalisation of NORMALISATIONS) {
        const chain = randomChain(seed);
        const wild = { tokens: 3, nll: 1e300, mass: 1e300 };
        const ask = (altered: ChainSignals, alpha: number) => rankSteps(altered, { alpha, normalisation }).scores;
        expect(
          ask(
            change(chain, (step) => ({ ...step, solution: wild })),
            0,
          ),
        ).toEqual(ask(chain, 0));
        expect(
          ask(
            change(chain, (step) => ({ ...step, question: wild })),
            1,
          ),
        ).toEqual(ask(chain, 1));
        const { question, solution } = rankSteps(chain, { normalisation });
        expect([question, solution]).toEqual([ask(chain, 0), ask(chain, 1)]);
      }
    }
  });

  it("keeps its order when all attentions are scaled alike", () => {
    for (const seed of seeds) {
      const chain = randomChain(seed);
      const scaled = change(chain, ({ tokens, question, solution }) => ({
        tokens,
        question: { ...question, mass: question.mass / 8 },
        solution: { ...solution, mass: solution.mass / 8 },
      }));
      for (const normalisation of NORMALISATIONS) {
        const [before, after] = [rankSteps(chain, { normalisation }), rankSteps(scaled, { normalisation })];
        expect(after.order).toEqual(before.order);
        for (const [i, score] of after.scores.entries()) expect(score).toBeCloseTo(before.scores[i]! / 8, 9);
      }
    }
  });

  it("differs between code and paper only where question and solution differ in length", () => {
    for (const seed of seeds) {
      const chain = change(randomChain(seed), (step) => ({ ...step, solution: { ...step.solution, tokens: 7 } }));
      const alike = change(chain, (step) => ({ ...step, question: { ...step.question, tokens: 7 } }));
      const [code, paper] = [rankSteps(alike), rankSteps(alike, { normalisation: "paper" })];
      expect(paper.order).toEqual(code.order);
      for (const [i, score] of paper.scores.entries()) expect(score * chain.heads * 7).toBeCloseTo(code.scores[i]!, 9);
    }
  });

  it("takes one signal alone", () => {
    const at = (mass: number, nll: number): StepSignals => {
      const side = { tokens: 4, nll, mass };
      return { tokens: 2, question: side, solution: side };
    };
    const chain: ChainSignals = { heads: 2, sinkTokens: 0, steps: [at(4, 4), at(3, 1), at(2, 0.5), null] };
    expect(rankSteps(chain, { signal: "attention" })).toMatchObject({ scores: [2, 1.5, 1, 0], order: [0, 1, 2, 3] });
    expect(rankSteps(chain, { signal: "nll" })).toMatchObject({ scores: [0.25, 1, 2, 0], order: [2, 1, 0, 3] });
    expect(rankSteps(chain)).toMatchObject({ scores: [0.5, 1.5, 2, 0], order: [2, 1, 0, 3] });
  });

  it("draws random orders by the seed", () => {
    const chain = randomChain(5, 20);
    const drawn = [1, 1, 2].map((seed) => rankSteps(chain, { signal: "random", seed }).order);
    expect(drawn[0]).toEqual(drawn[1]);
    expect(drawn[0]).not.toEqual(drawn[2]);
  });

  it("has a finite score for a condition that is certain, and refuses an alpha out of range", () => {
    const side = { tokens: 4, nll: -1e-9, mass: 2 };
    const chain: ChainSignals = { heads: 1, sinkTokens: 0, steps: [{ tokens: 1, question: side, solution: side }] };
    expect(rankSteps(chain).scores).toEqual([2e6]);
    expect(rankSteps({ heads: 0, sinkTokens: 0, steps: [] })).toMatchObject({ scores: [], order: [] });
    for (const alpha of [-0.1, 1.1, Number.NaN]) expect(() => rankSteps(chain, { alpha })).toThrow(/alpha is/);
  });
});
