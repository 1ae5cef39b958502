import { loadLocalModel } from "thoughtbook/llm";
import { checkModelFits } from "thoughtbook/model";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { randomModel } from "../generate/helpers.js";

describe("a memory budget", () => {
  it("that cannot hold the model is refused, with what the model needs", async () => {
    await expect(loadLocalModel("mini", { session: { memory: 2e8 } })).rejects.toThrow(
      /^mini does not fit into a memory of 200 MB: its weights take \d+ MB, with room to work it needs \d+ MB at least$/,
    );
    const model = await loadLocalModel("mini", { session: { memory: 1e9 } });
    const [[completion] = []] = await model.generate([{ prompt: "1", maxNewTokens: 2 }]);
    expect(completion!.text).toBeTypeOf("string");
    await model.dispose();
  });

  it("counts gradients and moments where all weights are trained", () => {
    const config = { ...randomModel().config, intermediateSize: 100_000 };
    checkModelFits("m", config, { memory: 3.5e8 });
    expect(() => checkModelFits("m", config, { memory: 3.5e8, floats: 7 })).toThrow("gradients and moments");
  });

  it("may stand in the environment", () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("THOUGHTBOOK_MEMORY", "100MB");
    expect(() => checkModelFits("m", randomModel().config)).toThrow("m does not fit into a memory of 100 MB");
  });
});
