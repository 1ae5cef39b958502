import { initializeParameters, type ModelConfig, parseConfig } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { parameterShapes } from "../../../lib/dist/model/weights/shapes.js";
import { failure } from "../../core/helpers.js";

const LLAMA = parseConfig({
  model_type: "llama",
  vocab_size: 300,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  pad_token_id: 2,
  attention_bias: true,
});
const GPT2 = parseConfig({ model_type: "gpt2", vocab_size: 300, n_embd: 64, n_layer: 8, n_head: 4, n_positions: 50 });

function deviation(data: Float32Array): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
}

describe("initializeParameters", () => {
  it.each([LLAMA, GPT2])("gives every weight of $family", (config: ModelConfig) => {
    const parameters = initializeParameters(config, { seed: 1 });
    const shapes = Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual(parameterShapes(config));
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      expect(data.length, name).toBe(shape.reduce((product, size) => product * size, 1));
    }
  });

  it("draws matrices, and sets biases to 0 and gains to 1", () => {
    const parameters = initializeParameters(LLAMA, { seed: 1 });
    const { data } = parameters["model.layers.0.mlp.up_proj.weight"]!;
    expect(deviation(data)).toBeCloseTo(0.02, 3);
    expect(Math.abs(data.reduce((sum, value) => sum + value, 0) / data.length)).toBeLessThan(1e-3);
    expect(new Set(parameters["model.layers.1.self_attn.q_proj.bias"]!.data)).toEqual(new Set([0]));
    expect(new Set(parameters["model.norm.weight"]!.data)).toEqual(new Set([1]));
    expect(deviation(initializeParameters(LLAMA, { seed: 1, deviation: 0.1 })["lm_head.weight"]!.data)).toBeCloseTo(
      0.1,
      2,
    );
  });

  it("leaves the embedding of padding at 0", () => {
    const { data } = initializeParameters(LLAMA, { seed: 1 })["model.embed_tokens.weight"]!;
    expect(new Set(data.subarray(2 * 64, 3 * 64))).toEqual(new Set([0]));
    expect(data[2 * 64 - 1]).not.toBe(0);
  });

  it("makes what GPT-2 writes to its residual stream smaller", () => {
    const parameters = initializeParameters(GPT2, { seed: 1 });
    expect(deviation(parameters["transformer.h.3.mlp.c_proj.weight"]!.data)).toBeCloseTo(0.02 / 4, 4);
    expect(deviation(parameters["transformer.h.3.mlp.c_fc.weight"]!.data)).toBeCloseTo(0.02, 3);
    expect(new Set(parameters["transformer.h.3.ln_1.bias"]!.data)).toEqual(new Set([0]));
  });

  it("repeats with the seed, each weight for itself", () => {
    const first = initializeParameters(LLAMA, { seed: 1 });
    expect(initializeParameters(LLAMA, { seed: 1 })).toEqual(first);
    expect(initializeParameters(LLAMA, { seed: 2 })["lm_head.weight"]).not.toEqual(first["lm_head.weight"]);
    const deeper = { ...LLAMA, layers: 3 };
    expect(initializeParameters(deeper, { seed: 1 })["lm_head.weight"]).toEqual(first["lm_head.weight"]);
  });

  it("refuses a deviation below 0", async () => {
    expect((await failure(() => initializeParameters(LLAMA, { seed: 1, deviation: -1 }))).message).toBe(
      "deviation is -1, expected a finite number, 0 or more",
    );
  });
});
