import { createLocalModel } from "thoughtbook/llm";
import { initializeParameters, parseConfig } from "thoughtbook/model";
import { startServer } from "thoughtbook/serve";
import { expect, it } from "vitest";
import { clientOf } from "./helpers.js";

it("many clients at once get more tokens a second than one after another", { timeout: 120_000 }, async () => {
  // 2.5 M parameters: bench/serve measures it properly.
  const config = parseConfig({
    model_type: "llama",
    vocab_size: 1024,
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    max_position_embeddings: 512,
    tie_word_embeddings: true,
  });
  const host = { config, weights: initializeParameters(config, { seed: 1 }) };
  const server = await startServer({ small: createLocalModel({ name: "small", config, host }) }, { port: 0 });
  const client = clientOf(server);
  const tokens = 24;
  const ask = async (seed: number) => {
    const prompt = Array.from({ length: 8 + (seed % 8) }, (_, i) => (seed * 31 + i * 17) % 1024);
    await client.completions.create({ model: "small", prompt, max_tokens: tokens, seed });
  };
  const together = () => Promise.all(Array.from({ length: 64 }, (_, seed) => ask(seed)));
  const inTurn = async () => {
    for (let seed = 0; seed < 8; seed++) await ask(seed);
  };
  const speed = async (texts: number, work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    return (texts * tokens) / (performance.now() - start);
  };
  // Programs are compiled by then.
  await inTurn();
  await together();
  const ratios: number[] = [];
  for (let round = 0; round < 3; round++) ratios.push((await speed(64, together)) / (await speed(8, inTurn)));
  expect(Math.max(...ratios)).toBeGreaterThan(2.5);
  await server.close();
});
