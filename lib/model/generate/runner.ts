import type { TensorData } from "../../tensor/index.js";
import type { Cache } from "./cache.js";
import type { NextScores, StepState } from "./programs.js";

/** A prompt, or several of one padded length: ids `[rows, time]`, or embeddings `[rows, time, hidden]`. */
export type PromptTensor = TensorData<"int32"> | TensorData<"float32">;

/** What computes the tokens of a generator's batch. Scores that it gives are valid until its next call. */
export interface Runner {
  /** One new token for each row of the batch, whose cache is written in place. */
  step(state: StepState): Promise<NextScores>;
  /**
   * Whole short prompts side by side, padded on the right.
   *
   * @param inputs `last`: index of each row's last token among all `rows · time`
   * @returns scores of each row's next token, and a cache whose capacity is the padded length
   */
  prefill(inputs: { prompt: PromptTensor; last: TensorData<"int32"> }): Promise<{ cache: Cache; scores: NextScores }>;
  /**
   * The next piece of one row's prompt, `[1, time]`, of which the first `count` are tokens and the rest is padding.
   *
   * @param inputs `cache`: that row's own memory, `[1, heads, capacity, dimension]` (a view of the batch's tensors, written
   * in place), which already holds `from` tokens; from + time is at most the capacity
   * @returns scores that follow the last of the `count` tokens, `[1, vocab]`
   */
  piece(inputs: { prompt: PromptTensor; count: number; from: number; cache: Cache }): Promise<NextScores>;
  /** Compile what `piece` needs for these sizes, in a call of its own; true if there was something to do. */
  preparePiece?(inputs: { prompt: PromptTensor; cache: Cache }): Promise<boolean>;
  /**
   * The rests of several prompts that begin alike, side by side and padded on the right.
   *
   * @param inputs `prompt` and `last`: as for `prefill`; `before`: keys and values of the beginning, of which the first
   * `from` are tokens, `[1, heads, capacity, dimension]`
   * @returns as `prefill`; the cache has the rests only
   */
  prefillAfter?(inputs: {
    prompt: PromptTensor;
    last: TensorData<"int32">;
    before: Cache;
    from: number;
  }): Promise<{ cache: Cache; scores: NextScores }>;
  /** Release what belongs to it when the generator is closed. */
  release(): Promise<void>;
}
