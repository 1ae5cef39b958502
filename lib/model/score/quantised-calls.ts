import { badInput } from "../../core/index.js";
import { emptyTensor, type TensorData, tensorData } from "../../tensor/index.js";
import { createCache } from "../generate/cache.js";
import type { QuantisedEngine } from "../quantised/engine.js";
import type { PiecePrograms } from "./piece-programs.js";
import type { ScorePrograms } from "./programs.js";

/** What scoring calls: compiled programs, or an engine with quantised weights. */
export type ScoreCalls = CallsOf<Omit<ScorePrograms, "dispose">>;
export type PieceCalls = CallsOf<Omit<PiecePrograms, "dispose">>;
type CallsOf<Programs extends Record<string, (...inputs: never[]) => unknown>> = {
  [Name in keyof Programs]: (...inputs: Parameters<Programs[Name]>) => ReturnType<Programs[Name]>;
};

/** The programs of scoring, computed with quantised weights; there is no attention to be had. */
export function quantisedCalls(engine: QuantisedEngine): ScoreCalls & PieceCalls {
  const { config } = engine;
  const scores = (hidden: TensorData) => engine.scores(hidden as TensorData<"float32">);
  return {
    body: ({ ids }) => {
      const [rows, time] = ids.shape as [number, number];
      const lengths = new Int32Array(rows).fill(time);
      return engine.hidden({
        prompt: ids as TensorData<"int32">,
        lengths,
        ...createCache(config, rows, time),
        last: range(rows * time),
      });
    },
    async piece({ ids, lengths, cache }) {
      const { keys, values } = cache as { keys: TensorData<"float32">[]; values: TensorData<"float32">[] };
      const hidden = await engine.hidden({
        prompt: ids as TensorData<"int32">,
        lengths: lengths.data as Int32Array,
        keys,
        values,
        last: range(ids.shape[1]!),
      });
      return { hidden, cache: { keys, values } };
    },
    async head({ hidden, targets }) {
      const { logProbs } = await scores(hidden);
      const losses = emptyTensor([hidden.shape[0]!], "float32");
      for (const [i, target] of (targets.data as Int32Array).entries()) {
        if (target >= 0) losses.data[i] = -logProbs.data[i * config.vocabularySize + target]!;
      }
      return losses;
    },
    logProbs: async ({ hidden }) => (await scores(hidden)).logProbs,
    sharedBody: withoutAttention,
    attendedBody: withoutAttention,
    attendedPiece: withoutAttention,
  };
}

const range = (count: number): TensorData<"int32"> =>
  tensorData(Int32Array.from({ length: count }, (_, i) => i), [count], "int32");

async function withoutAttention(): Promise<never> {
  throw badInput("attention cannot be had of quantised products", "Use --numerics exact.");
}
