import { join } from "node:path";
import { type Adapter, initializeAdapter, type ModelConfig } from "thoughtbook/model";

export const ADAPTERS = join(import.meta.dirname, "..", "fixtures", "adapters");
export const BASE_MODEL = "thoughtbook/fixture";

/** Which layers are adapted, of which model: all layers of a name, or only those of one block. */
export const ADAPTED: readonly { folder: string; model: string; targets: readonly string[] }[] = [
  { folder: "llama-all", model: "llama-gqa-tied", targets: ["all-linear"] },
  { folder: "llama-mixed", model: "llama-gqa-tied", targets: ["q_proj", "v_proj", "layers.1.mlp.*"] },
  { folder: "gpt2-attention", model: "gpt2", targets: ["attn.*"] },
];

/** An adapter that changes what its model writes: B is not 0. */
export function fixtureAdapter(config: ModelConfig, targets: readonly string[]): Adapter {
  const adapter = initializeAdapter(config, { rank: 3, alpha: 6, targets, seed: 1 });
  for (const [key, { data }] of Object.entries(adapter.parameters)) {
    if (key.endsWith("lora_B.weight")) data.set(Array.from(data, (_, i) => ((i % 7) - 3) / 10));
  }
  return adapter;
}
