import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { badInput } from "../../core/index.js";
import {
  createSession,
  emptyTensor,
  type OnnxModel,
  type Session,
  type SessionOptions,
  type TensorData,
  tensorData,
  writeOnnxFile,
} from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { ropeFrequencies } from "../config/rope.js";
import { embeddingsName } from "../onnx/weights.js";
import { dequantiseBlocks, type QuantisedMatrix } from "../weights/quantised-matrix.js";
import { BODY_INPUTS, bodyGraph, headGraph, pastNames, presentNames } from "./graph.js";
import { rowsOf } from "./requantise.js";
import type { QuantisedSource } from "./source.js";

/** New tokens of some rows, and the memory that they join. */
export interface EngineCall {
  /** Ids `[rows, time]` int32, or embeddings `[rows, time, hidden]`. */
  prompt: TensorData<"int32"> | TensorData<"float32">;
  /** Tokens of each row with the new ones; several new tokens come first in all rows, or there is one row. */
  lengths: Int32Array;
  /** Keys and values, `[rows, keyValueHeads, capacity, headDimension]` for each layer, written in place. */
  keys: readonly TensorData<"float32">[];
  values: readonly TensorData<"float32">[];
  /** Tokens whose hidden states are wanted, counted over all rows · time. */
  last: TensorData<"int32">;
}

/** A model that computes with quantised weights, in one copy for all sizes of a batch. */
export interface QuantisedEngine {
  readonly config: ModelConfig;
  /** Hidden states after the last norm, `[count, hidden]`, valid until the next call. */
  hidden(call: EngineCall): Promise<TensorData<"float32">>;
  /** log p of every token after some hidden states, `[count, vocab]`; logits are these plus the normaliser, `[count]`. */
  scores(
    hidden: TensorData<"float32">,
    memory?: TensorData<"float32">,
  ): Promise<{ logProbs: TensorData<"float32">; normaliser: TensorData<"float32"> }>;
  /** Embeddings of tokens, one after the other, `[ids, hidden]`. */
  embed(ids: ArrayLike<number>, target: Float32Array): void;
  dispose(): Promise<void>;
}

/**
 * Build the weights of a model into two sessions, layers and output layer. ONNX Runtime packs weights only where they
 * are constants, and each session has a copy, so these two serve batches of all sizes.
 *
 * @throws bad-input for heads that ONNX Runtime's attention does not take; what reading weights throws; execution
 */
export async function openEngine(source: QuantisedSource, options: SessionOptions = {}): Promise<QuantisedEngine> {
  const { config } = source;
  checkHeads(config);
  const body = await openGraph(bodyGraph(source), options);
  const head = await openGraph(headGraph(source), options);
  const name = embeddingsName(config);
  const table = source.blockSize(name) > 0 ? await source.readBlocks(name) : await source.readFloats(name);
  const angles = createAngles(config);
  const width = config.hiddenSize;

  const embed = (ids: ArrayLike<number>, target: Float32Array) => {
    for (let i = 0; i < ids.length; i++) lookUp(table, ids[i]!, target.subarray(i * width, (i + 1) * width));
  };
  return {
    config,
    embed,
    async hidden({ prompt, lengths, keys, values, last }) {
      const [rows, time] = prompt.shape as [number, number];
      let embedded = prompt as TensorData<"float32">;
      if (prompt.dtype === "int32") {
        embedded = emptyTensor([rows, time, width], "float32");
        embed(prompt.data, embedded.data);
      }
      const positions = emptyTensor([rows, time], "int32");
      const ends = new Int32Array(rows);
      let total = 1;
      for (let row = 0; row < rows; row++) {
        ends[row] = lengths[row]! - 1;
        total = Math.max(total, lengths[row]!);
        for (let i = 0; i < time; i++) positions.data[row * time + i] = lengths[row]! - time + i;
      }
      const given: Record<(typeof BODY_INPUTS)[number], TensorData> = {
        embedded,
        positions,
        ends: tensorData(ends, [rows]),
        total: tensorData(Int32Array.of(total), [1]),
        last,
        ...angles(total),
      };
      const hidden = emptyTensor([last.shape[0]!, width], "float32");
      const cache = [...keys, ...values];
      await body.run([...BODY_INPUTS.map((input) => given[input]), ...cache], [hidden, ...cache]);
      return hidden;
    },
    async scores(hidden, memory) {
      const count = hidden.shape[0]!;
      const shape = [count, config.vocabularySize];
      const fits = memory?.shape[0] === count;
      const logProbs = fits ? memory : emptyTensor(shape, "float32");
      const normaliser = emptyTensor([count], "float32");
      await head.run([hidden], [logProbs, normaliser]);
      return { logProbs, normaliser };
    },
    async dispose() {
      await Promise.all([body.dispose(), head.dispose()]);
    },
  };

  async function openGraph(model: OnnxModel, session: SessionOptions): Promise<Session> {
    const folder = await mkdtemp(join(tmpdir(), "thoughtbook-weights-"));
    try {
      const path = join(folder, "model.onnx");
      await writeOnnxFile(path, model, { externalData: true });
      const [inputs, outputs] =
        model.name === "body"
          ? [[...BODY_INPUTS, ...pastNames(config)], ["hidden", ...presentNames(config)]]
          : [["hidden"], ["logProbs", "normaliser"]];
      return await createSession(path, inputs, outputs, session);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Attention of ONNX Runtime takes heads whose width is a multiple of it. */
const HEAD_WIDTHS = 8;

function checkHeads({ headDimension }: ModelConfig): void {
  if (headDimension % HEAD_WIDTHS === 0) return;
  throw badInput(
    `quantised products with heads of width ${headDimension}`,
    `ONNX Runtime's attention wants a multiple of ${HEAD_WIDTHS}: use --numerics exact.`,
  );
}

function lookUp(table: QuantisedMatrix | Float32Array, id: number, target: Float32Array): void {
  const width = target.length;
  if (table instanceof Float32Array) target.set(table.subarray(id * width, (id + 1) * width));
  else dequantiseBlocks(rowsOf(table, id, id + 1), target);
}

/** Cosines and sines of the places up to a number that grows. */
function createAngles(config: ModelConfig): (places: number) => { cos: TensorData; sin: TensorData } {
  let made = 0;
  let tables: { cos: TensorData; sin: TensorData };
  return (places) => {
    if (places <= made) return tables;
    made = Math.min(config.maxPositions, Math.max(256, 2 ** Math.ceil(Math.log2(places))));
    const frequencies =
      config.family === "gpt2"
        ? new Float32Array(config.headDimension / 2)
        : ropeFrequencies(config.rope, config.headDimension);
    const [cos, sin] = [Math.cos, Math.sin].map((of) => {
      const table = emptyTensor([made, frequencies.length], "float32");
      for (let i = 0; i < table.data.length; i++) {
        const place = Math.floor(i / frequencies.length);
        table.data[i] = of(place * frequencies[i % frequencies.length]!);
      }
      return table;
    });
    tables = { cos: cos!, sin: sin! };
    return tables;
  };
}
