import { emptyTensor, type TensorData, tensorData } from "../../tensor/index.js";
import type { QuantisedEngine } from "../quantised/engine.js";
import { createCache } from "./cache.js";
import type { NextScores } from "./programs.js";
import type { PromptTensor, Runner } from "./runner.js";

/** Runs a model with quantised products; see `openEngine`. */
export function createQuantisedRunner(engine: QuantisedEngine): Runner {
  const { config } = engine;
  return {
    async step({ ids, lengths, cache, spare }) {
      const rows = ids.shape[0]!;
      const last = tensorData(Int32Array.from({ length: rows }, (_, row) => row), [rows], "int32");
      const hidden = await engine.hidden({
        prompt: ids as TensorData<"int32">,
        lengths: lengths.data as Int32Array,
        keys: cache.keys as TensorData<"float32">[],
        values: cache.values as TensorData<"float32">[],
        last,
      });
      return engine.scores(hidden, spare as TensorData<"float32">);
    },
    async prefill({ prompt: padded, last: places }) {
      const [rows, time] = padded.shape as [number, number];
      const longest = places.data.reduce((most, place, row) => Math.max(most, place - row * time + 1), 1);
      const prompt = cut(padded, longest);
      const last = tensorData(places.data.map((place, row) => Math.max(0, place - row * time) + row * longest), [rows], "int32");
      const cache = createCache(config, rows, longest);
      const lengths = new Int32Array(rows).fill(longest);
      const hidden = await engine.hidden({ prompt, lengths, ...cache, last });
      return { cache, scores: await engine.scores(hidden) };
    },
    async piece({ prompt: padded, count, from, cache: { keys, values } }): Promise<NextScores> {
      const last = tensorData(Int32Array.of(count - 1), [1], "int32");
      const prompt = cut(padded, count);
      const hidden = await engine.hidden({ prompt, lengths: Int32Array.of(from + count), keys, values, last });
      return engine.scores(hidden);
    },
    async release() {},
  };
}

/** The first columns of a prompt: what follows is padding in all rows. */
function cut(prompt: PromptTensor, longest: number): PromptTensor {
  const [rows, time, width = 1] = prompt.shape as [number, number, number?];
  if (longest === time) return prompt;
  const part = emptyTensor([rows, longest, ...prompt.shape.slice(2)], prompt.dtype);
  for (let row = 0; row < rows; row++) {
    const start = row * time * width;
    part.data.set(prompt.data.subarray(start, start + longest * width), row * longest * width);
  }
  return part as PromptTensor;
}
