import { expect, it } from "vitest";
import { benchFineTune, summariseFineTune } from "../../bench/fine-tune/index.js";

it("bench fine-tune compares training with its compiled step, update by update", async () => {
  const changes = {
    vocab_size: 60,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 1,
    num_attention_heads: 2,
  };
  const result = await benchFineTune({ steps: 4, threads: 1, seed: 1, texts: 60, changes });
  expect(result.ratio.count).toBe(4);
  expect(result.trainingTokensPerSecond.min).toBeGreaterThan(0);
  expect(result.ratio.median).toBeGreaterThan(0);
  expect(summariseFineTune(result)).toContain("training reaches");
}, 60_000);
