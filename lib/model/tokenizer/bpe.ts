import { badInput } from "../../core/index.js";
import { BYTE_ALPHABET } from "./bpe-alphabet.js";
import { mergePairs } from "./bpe-merges.js";
import { countWords } from "./bpe-words.js";
import { type Component, GPT2_PATTERN } from "./components.js";

/** Progress of a training: first the corpus is read, then tokens are made. */
export type BpeProgress =
  | { phase: "reading"; characters: number }
  | { phase: "merging"; tokens: number; vocabularySize: number };

export interface TrainBpeOptions {
  /** Number of tokens, including the special ones and the 256 bytes. A small corpus may give fewer. */
  vocabularySize: number;
  /** Tokens that no text is cut into, such as "<|im_end|>": they get the ids from 0 on. Default: none. */
  specialTokens?: readonly string[];
  /** The special tokens with a role; those not in `specialTokens` come after them. */
  bosToken?: string;
  eosToken?: string;
  padToken?: string;
  /** Whether each digit is a token of its own, as arithmetic wants it. Default: false. */
  splitDigits?: boolean;
  /** How often a pair must occur to become a token. Default: 2. */
  minFrequency?: number;
  /** The pattern of a word, in the syntax of Oniguruma (as in tokenizer.json). Default: GPT-2's. */
  pattern?: string;
  onProgress?: (progress: BpeProgress) => void;
}

/** A trained byte-level BPE tokenizer; `saveBpe` writes it. */
export interface TrainedBpe {
  /** The names of the tokens by id: special tokens, the 256 bytes, then what became of merges. */
  tokens: readonly string[];
  /** The pairs that became a token, in the order in which encoding applies them. */
  merges: readonly (readonly [string, string])[];
  specialTokens: readonly string[];
  bosToken: string | undefined;
  eosToken: string | undefined;
  padToken: string | undefined;
  /** How a text is cut into words, as a pre-tokenizer of tokenizer.json. */
  preTokenizer: Component;
}

/**
 * Train a byte-level BPE tokenizer. Any text can be encoded, since all 256 bytes are tokens. The result depends on the
 * corpus and the options only, and is that of Python's `BpeTrainer` with the same settings. Special tokens are not looked
 * for in the corpus: leave them out of it.
 *
 * @param corpus texts, such as documents or lines; no token spans two of them
 * @throws bad-input for a vocabulary that cannot hold the bytes and special tokens, a special token that is empty, twice
 *   there or a single byte, a pattern that does not parse, or a corpus without text
 */
export async function trainBpe(
  corpus: Iterable<string> | AsyncIterable<string>,
  options: TrainBpeOptions,
): Promise<TrainedBpe> {
  const { vocabularySize, bosToken, eosToken, padToken, onProgress } = options;
  const { splitDigits = false, minFrequency = 2, pattern = GPT2_PATTERN } = options;
  const specialTokens = checkSpecialTokens(options);
  const least = specialTokens.length + BYTE_ALPHABET.length;
  if (!Number.isSafeInteger(vocabularySize) || vocabularySize < least) {
    throw badInput(
      `the vocabulary size is ${vocabularySize}, expected an integer of ${least} or more`,
      `Choose at least ${least}: ${BYTE_ALPHABET.length} bytes and ${specialTokens.length} special tokens.`,
    );
  }
  if (!Number.isSafeInteger(minFrequency) || minFrequency < 1) {
    throw badInput(
      `minFrequency is ${minFrequency}, expected an integer above 0`,
      "Choose 2, or more for less tokens.",
    );
  }
  const words = wordSplitter(pattern, splitDigits);
  const counts = await countWords(corpus, {
    preTokenizer: words,
    onProgress: onProgress && ((characters) => onProgress({ phase: "reading", characters })),
  });
  const { tokens, merges } = await mergePairs(counts, {
    vocabularySize,
    specialTokens,
    minFrequency,
    onProgress: onProgress && ((made) => onProgress({ phase: "merging", tokens: made, vocabularySize })),
  });
  return { tokens, merges, specialTokens, bosToken, eosToken, padToken, preTokenizer: words };
}

function checkSpecialTokens({ specialTokens = [], bosToken, eosToken, padToken }: TrainBpeOptions): string[] {
  const roles = [bosToken, eosToken, padToken].filter((token) => token !== undefined);
  const all = [...specialTokens, ...new Set(roles.filter((token) => !specialTokens.includes(token)))];
  const wrong = all.find((token, index) => token === "" || BYTE_ALPHABET.includes(token) || all.indexOf(token) < index);
  if (wrong === undefined) return all;
  throw badInput(
    `${JSON.stringify(wrong)} cannot be a special token: it is empty, a single byte, or there twice`,
    'Choose names that texts do not contain, such as "<|end|>".',
  );
}

function wordSplitter(pattern: string, splitDigits: boolean): Component {
  const split = (regex: string): Component => ({
    type: "Split",
    pattern: { Regex: regex },
    behavior: "Isolated",
    invert: false,
  });
  const pretokenizers = [...(splitDigits ? [split(String.raw`\p{N}`)] : []), split(pattern)];
  return { type: "Sequence", pretokenizers };
}
