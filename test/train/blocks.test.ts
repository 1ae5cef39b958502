import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exampleOf, trainLanguageModel } from "thoughtbook/train";
import { afterAll, describe, expect, it } from "vitest";
import { llama, quantisedModel } from "../model/quantised/models.js";

const scratch = mkdtempSync(join(tmpdir(), "thoughtbook-blocks-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const examples = [5, 9, 14, 20].map((length) => exampleOf(Array.from({ length }, (_, i) => (11 * i + length) % 300)));
const settings = { seed: 1, maxSteps: 3, batchSize: 2, learningRate: 1e-3 };

describe("training beside weights in blocks", () => {
  const { exact, low } = quantisedModel(llama(), (name) => (name.includes("mlp") ? "Q4_1" : "Q8_0"));
  const { config } = exact;

  it("makes the adapter that training beside the same weights in float32 makes", async () => {
    const lora = { rank: 2 };
    const options = { ...settings, examples, lora };
    const wanted = await trainLanguageModel({
      ...options,
      model: { config, parameters: { ...exact.weights } },
      folder: join(scratch, "exact"),
    });
    const trained = await trainLanguageModel({
      ...options,
      model: { config, parameters: { ...low.weights }, blocks: low.blocks },
      folder: join(scratch, "low"),
    });
    for (const [name, { data }] of Object.entries(wanted.adapter!.parameters)) {
      const found = trained.adapter!.parameters[name]!.data;
      for (const [i, number] of data.entries()) expect(Math.abs(found[i]! - number)).toBeLessThan(1e-5);
    }
  });

  it("does not train the blocks themselves", async () => {
    const model = { config, parameters: { ...low.weights }, blocks: low.blocks };
    await expect(trainLanguageModel({ ...settings, examples, model, folder: join(scratch, "all") })).rejects.toThrow(
      "weights in blocks cannot be trained",
    );
  });
});
