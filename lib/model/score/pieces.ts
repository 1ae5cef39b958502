import { emptyTensor, type SessionOptions, type TensorData } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import { type Cache, createCache } from "../generate/cache.js";
import type { HostModel } from "../network/host-model.js";
import { modelInputs } from "../network/model-inputs.js";
import { parameterCount } from "../weights/shapes.js";
import { piecePrograms } from "./piece-programs.js";
import { type PieceCalls, quantisedCalls } from "./quantised-calls.js";

/** Tokens of a piece of a long text. */
export const PIECE_TOKENS = 512;
/** Longer texts are computed in pieces: whole, attention and all else would take memory in proportion to them. */
export const LONGEST_WHOLE = 1024;

/** A text in pieces: what it has in common with the one before it, up to a whole piece, is not computed again. */
export interface PieceReader {
  /**
   * Compute some pieces of a text, one after the other.
   *
   * @param from the first token whose hidden state is wanted: pieces that end before it are only computed where they are not
   *   known
   * @param onPiece gets the hidden states of the tokens from place `start` on, `[time, hidden]`, valid until it resolves, and
   *   with attention its mass on each place
   */
  read(
    ids: readonly number[],
    from: number,
    onPiece: (piece: { start: number; count: number; hidden: TensorData; mass?: Float32Array }) => Promise<void>,
    queriesFrom?: number,
  ): Promise<void>;
}

export interface PieceOptions {
  session: SessionOptions | undefined;
  /** Tokens of a piece. */
  size: number;
  /** The most tokens of a text. */
  longest: number;
  /** Runs each piece. */
  turn<T>(work: () => Promise<T>): Promise<T>;
}

/** Read texts one after another in one memory of keys and values. */
export function createPieceReader(model: HostModel, { session, size, longest, turn }: PieceOptions): PieceReader {
  const { piece, attendedPiece }: PieceCalls = model.quantised
    ? quantisedCalls(model.quantised)
    : piecePrograms(model, session);
  let cache: Cache | undefined;
  let known: readonly number[] = [];

  return {
    async read(ids, from, onPiece, queriesFrom) {
      cache ??= createCache(model.config, 1, Math.ceil(longest / size) * size);
      const common = queriesFrom === undefined ? sharedLength(known, ids) : 0;
      // The piece of the first wanted token has to be computed anew, as hidden states are not kept.
      let start = Math.floor(Math.min(common, from) / size) * size;
      known = ids.slice(0, start);
      for (; start < ids.length; start += size) {
        const part = ids.slice(start, start + size);
        const padded = emptyTensor([1, size], "int32");
        padded.data.set(part);
        const lengths = emptyTensor([1], "int32");
        lengths.data[0] = start + size;
        const { keys, values } = cache;
        const inputs = { ...modelInputs(model), ids: padded, lengths, cache: { keys, values } };
        const begin = start;
        await turn(async () => {
          if (queriesFrom === undefined) {
            const { hidden } = await piece(inputs);
            await onPiece({ start: begin, count: part.length, hidden: hidden as TensorData });
            return;
          }
          const queries = emptyTensor([1, size], "int32");
          for (let i = 0; i < part.length; i++) queries.data[i] = begin + i < queriesFrom ? 0 : 1;
          const { hidden, mass } = await attendedPiece({ ...inputs, queries });
          const masses = (mass as TensorData<"float32">).data;
          await onPiece({ start: begin, count: part.length, hidden: hidden as TensorData, mass: masses });
        });
        known = ids.slice(0, start + part.length);
      }
    },
  };
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Floating point operations of a turn: about a quarter of a second. */
const TURN_OPERATIONS = 4e10;

/** Tokens of a text that are computed in a turn: fewer the larger the model and the longer the text. */
export function turnTokens(config: ModelConfig, length: number): number {
  const { layers, heads, headDimension } = config;
  const operations = 2 * parameterCount(config) + 4 * layers * heads * headDimension * length;
  return Math.max(16, Math.min(LONGEST_WHOLE, 2 ** Math.floor(Math.log2(TURN_OPERATIONS / operations))));
}
