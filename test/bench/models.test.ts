import { describe, expect, it } from "vitest";
import { flopsOf, productName } from "../../bench/shared/products.js";
import { countParameters, MODELS, parameterShapes } from "../../bench/train-step/models.js";
import { createProblem, readProblem, writeProblem } from "../../bench/train-step/problem.js";
import { stepProducts } from "../../bench/train-step/step-products.js";
import { temporaryFolder } from "../core/helpers.js";
import { TINY } from "./tiny-models.js";

describe("the models", () => {
  it("have 0.87 M and 10 M parameters within 3 %", () => {
    expect(countParameters(MODELS.gpt)).toBe(869_376);
    expect(Math.abs(countParameters(MODELS.llama) / 10e6 - 1)).toBeLessThan(0.03);
  });

  it.each(Object.values(MODELS))(
    "cost 6 operations a weight of a matrix and token, and attention ($family)",
    (config) => {
      const { batch, time, width, layers } = config;
      const tokens = batch * time;
      const matrices = Object.entries(parameterShapes(config)).filter(
        ([name, shape]) => shape.length === 2 && name !== "positions",
      );
      const weights = matrices.reduce((sum, [, [rows, columns]]) => sum + rows! * columns!, 0);
      // q·kᵀ and weights·v are 2·time·width each a token and layer, and twice that backward.
      const attention = 12 * layers * time * width * tokens;
      const flops = stepProducts(config).reduce((sum, product) => sum + flopsOf(product), 0);
      expect(flops).toBe(6 * weights * tokens + attention);
    },
  );

  it("name products by how their factors are stored", () => {
    const product = { batch: 1, m: 4, k: 8, n: 2, transposeA: true, transposeB: false, count: 1 };
    expect(productName(product)).toBe("(8×4)ᵀ·8×2");
    expect(productName({ ...product, batch: 3, transposeA: false, transposeB: true })).toBe("3 of 4×8·(2×8)ᵀ");
  });
});

describe("a problem", () => {
  it("is the same after writing and reading", async () => {
    const folder = await temporaryFolder();
    const problem = createProblem(TINY.llama, 3);
    await writeProblem(folder, problem);
    expect(await readProblem(folder)).toEqual(problem);
  });

  it("starts from small normal weights, gains of one and ids of the vocabulary", () => {
    const { weights, ids, targets } = createProblem(MODELS.gpt, 1);
    const values = Array.from(weights.up0!);
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    expect(deviation).toBeCloseTo(0.02, 3);
    expect(new Set(weights.norm1_0)).toEqual(new Set([1]));
    expect([ids.length, targets.length]).toEqual([2048, 2048]);
    expect([Math.min(...ids) >= 0, Math.max(...ids) < 512, new Set(ids).size > 400]).toEqual([true, true, true]);
    expect(createProblem(MODELS.gpt, 2).ids).not.toEqual(ids);
  });
});
