import type { ModelConfig } from "../config/config.js";
import { parameterCount } from "../weights/shapes.js";

/** Maximum tokens of prompts computed at once, padding included: more do not fit the processor's cache, and are slower. */
const MOST_TOKENS = 2048;
/** Operations that take a processor with two cores about 0.3 s, and about 0.8 s: larger pieces cost less a token. */
const OPERATIONS = { soon: 3e10, patient: 1e11 };
/** Milliseconds that a piece should take at most while someone watches a text come. */
const MILLISECONDS = 400;
/** Lengths of pieces: each is compiled once for every capacity. */
const PIECES = [16, 32, 48, 64, 96, 128, 192, 256, 512];

/** How many tokens of prompts are read at once, so that no other text waits for long. */
export interface ReadingPace {
  /** Whether nobody watches and nothing else may come: only an interrupt waits. Default: false. */
  patient: boolean;
  /** Tokens of prompts that may be computed side by side, each after `from` others. */
  together(from: number): number;
  /** Length of the next piece of a prompt of which `from` tokens are read, and `left` are not, in a row of this capacity. */
  piece(from: number, left: number, capacity: number): number;
  /** Note how long a piece took that others waited for. */
  note(milliseconds: number): void;
}

/**
 * Sizes follow from the model, so that equal calls give equal numbers; only where a piece takes longer than expected are
 * the next ones shorter.
 *
 * @param most tokens, instead of those that the model's size suggests
 */
export function createReadingPace(config: ModelConfig, most?: number): ReadingPace {
  const perToken = 2 * parameterCount(config);
  const perPair = 4 * config.layers * config.heads * config.headDimension;
  let slow = 1;
  const affordable = (from: number) => OPERATIONS[pace.patient ? "patient" : "soon"] / (perToken + perPair * from);
  const pace: ReadingPace = {
    patient: false,
    together(from) {
      if (most !== undefined) return most;
      return Math.min(MOST_TOKENS, Math.max(PIECES[0]!, 2 ** Math.round(Math.log2(affordable(from)))));
    },
    piece(from, left, capacity) {
      const allowed = most ?? affordable(from) / slow;
      const sizes = PIECES.filter((size) => size <= capacity);
      if (sizes.length === 0) return capacity;
      const largest = sizes.findLast((size) => size <= allowed * 1.4) ?? sizes[0]!;
      return left >= largest ? largest : sizes.find((size) => size >= left)!;
    },
    note(milliseconds) {
      if (milliseconds > MILLISECONDS) slow *= milliseconds / MILLISECONDS;
      else if (milliseconds < MILLISECONDS / 2) slow = Math.max(1, slow / 1.5);
    },
  };
  return pace;
}
