import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkModel, loadLocalModel, loadModel, loadOnBackend } from "thoughtbook/llm";
import { exportGguf, openCheckpoint, resolveModel } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const scratch = mkdtempSync(join(tmpdir(), "thoughtbook-numerics-"));
const file = join(scratch, "mini-q8_0.gguf");
beforeAll(async () => {
  await exportGguf(await openCheckpoint(await resolveModel("mini")), file, { type: "q8_0" });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const QUESTION = { prompt: "Ana picks 3 apples. Ben picks 4", continuation: " more apples than Ana." };

describe("the numerical path of a model", () => {
  it("is exact, unless fast is asked for, or chosen for quantised weights", async () => {
    const paths = await Promise.all(
      [{}, { numerics: "fast" }, { numerics: "auto" }, { lowMemory: true }].map(async (options) => {
        const { numerics, engine } = await loadLocalModel(file, options as { numerics?: "fast" | "auto" });
        return [numerics, engine];
      }),
    );
    expect(paths).toEqual([
      ["exact", "thoughtbook on ONNX Runtime, cpu"],
      ["fast", "thoughtbook on ONNX Runtime, cpu, fast"],
      ["fast", "thoughtbook on ONNX Runtime, cpu, fast"],
      ["exact", "thoughtbook on ONNX Runtime, cpu, low memory"],
    ]);
    expect((await loadLocalModel("mini", { numerics: "auto" })).numerics).toBe("exact");
  });

  it("is refused where there are no blocks", async () => {
    await expect(loadModel("mini", { numerics: "fast" })).rejects.toThrow("mini has no weights in blocks");
    await expect(loadModel("mini", { lowMemory: true })).rejects.toThrow("mini has no weights in blocks");
    await expect(loadModel("http://127.0.0.1:9/v1#m", { numerics: "fast" })).rejects.toThrow("no weights in blocks");
  });

  it("gives nearly the same scores when fast, the same in low memory, and attention from float32", async () => {
    const [exact, fast, low] = await Promise.all([
      loadModel(file),
      loadModel(file, { numerics: "fast" }),
      loadModel(file, { lowMemory: true }),
    ]);
    const scoresOf = async (model: typeof exact) => (await model.score!([QUESTION]))[0]!.logProbs;
    const wanted = await scoresOf(exact);
    const near = (found: Float32Array) =>
      found.reduce((sum, logProb, i) => sum + Math.abs(logProb - wanted[i]!), 0) / wanted.length;
    expect(near(await scoresOf(low))).toBeLessThan(1e-4);
    const difference = near(await scoresOf(fast));
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.05);
    const [attended] = await fast.score!([QUESTION], { attention: true });
    const [plain] = await exact.score!([QUESTION], { attention: true });
    expect([...attended!.attention!.mass]).toEqual([...plain!.attention!.mass]);
    for (const model of [exact, fast, low]) await model.dispose();
  });

  it("is given back only when the calls in progress have ended", async () => {
    for (const options of [{ lowMemory: true }, { numerics: "fast" }] as const) {
      const model = await loadLocalModel(file, options);
      const texts = model.generate([{ prompt: "Ana picks", maxNewTokens: 60 }], { stopIds: [] });
      const scores = model.score([QUESTION]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await model.dispose();
      expect((await texts)[0]![0]!.completionTokens).toBe(60);
      expect((await scores)[0]!.logProbs.length).toBeGreaterThan(0);
    }
  });

  it("lets a check look into weights in blocks", async () => {
    const model = await loadLocalModel(file, { lowMemory: true });
    const { capabilities } = await checkModel(model, { seconds: 0.1 });
    expect(Object.values(capabilities).filter(({ status }) => status === "fails")).toEqual([]);
    await model.dispose();
  });

  it("is named in what records say of the backend, and in the report of a check", async () => {
    const { model, args } = await loadOnBackend(file, { numerics: "fast" });
    expect(args).toEqual({ numerics: "fast" });
    const { engine, capabilities } = await checkModel(model, { seconds: 0.1 });
    expect(engine).toContain("fast");
    expect(Object.values(capabilities).filter(({ status }) => status === "fails")).toEqual([]);
    await model.dispose();
  });
});
