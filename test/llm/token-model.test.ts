import { type LanguageModel, loadModel, tokenizerOf } from "thoughtbook/llm";
import { describe, expect, it } from "vitest";

describe("tokenizerOf", () => {
  it("is the model's, or an error that says who needs it", async () => {
    const model = await loadModel("mini");
    try {
      expect(tokenizerOf(model, "a test").encode("x").length).toBeGreaterThan(0);
      const refused = {
        code: "bad-input",
        message: `the tokenizer of ${model.name}, which a test needs, is out of reach`,
      };
      const without = { ...model, tokenizer: undefined } as LanguageModel;
      expect(() => tokenizerOf(without, "a test")).toThrow(expect.objectContaining(refused));
      const { encode: _, ...elsewhere } = model as LanguageModel & { encode: unknown };
      expect(() => tokenizerOf(elsewhere, "a test")).toThrow(expect.objectContaining(refused));
    } finally {
      await model.dispose();
    }
  });
});
