import { ThoughtbookError, withoutUndefined } from "../../core/index.js";
import { readTokenizerFiles, type TokenizerFiles } from "./files.js";
import { openLibrary } from "./library.js";

/** A token by its id and by its name in the vocabulary. */
export interface SpecialToken {
  id: number;
  token: string;
}

/** The tokens with a role; one that the files name but the vocabulary lacks is left out. */
export interface SpecialTokens {
  /** Begins a text. */
  bos?: SpecialToken;
  /** Ends a text. */
  eos?: SpecialToken;
  /** Fills the rows of a batch. */
  pad?: SpecialToken;
  /** Stands for what the vocabulary has no token for. */
  unk?: SpecialToken;
}

export interface EncodeOptions {
  /** Whether to add the tokens that the tokenizer puts around a text, such as bos. Default: true. */
  addSpecialTokens?: boolean;
  /**
   * Whether the names of special tokens in the text, such as "<|im_end|>", are read as plain characters. Set it for
   * user input, which could otherwise forge a turn of another role. Default: false. Applies to tokens that the files
   * declare special, or name in a role.
   */
  specialTokensAsText?: boolean;
  /**
   * Whether the ids will follow those of another text. SentencePiece-style tokenizers put a space before a text, which
   * must not happen then. Default: false.
   */
  continues?: boolean;
}

export interface DecodeOptions {
  /** Whether to leave special tokens out of the text. Default: false. */
  skipSpecialTokens?: boolean;
}

/**
 * Encodes texts as token ids and decodes them. Parts of a sequence are encoded one by one, and their ids joined, never
 * the texts.
 */
export interface Tokenizer {
  /** One more than the highest id: the rows an embedding needs. */
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /** The ids of all tokens that the files declare special or name in a role. */
  readonly specialIds: ReadonlySet<number>;
  /** The ids that end a generated text: eos, and what generation_config.json names. May lie outside the vocabulary. */
  readonly endIds: readonly number[];
  /**
   * Encode a text. Half of a surrogate pair, which no Unicode text has, becomes U+FFFD. A BPE vocabulary without bytes
   * and without unk drops what it does not know, as Python's does.
   * @throws bad-input for a piece that has no token in another vocabulary without unk, or too long a text
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * Decode token ids. Invalid UTF-8 becomes U+FFFD; spaces before punctuation stay ("clean-up" is not done).
   * @throws bad-input for an id outside the vocabulary
   */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** The id of a token by its name in the vocabulary, such as "<s>" or "Ġthe". */
  idOf(token: string): number | undefined;
  /**
   * The name of a token in the vocabulary.
   * @throws bad-input for an id outside the vocabulary
   */
  tokenOf(id: number): string;
}

/**
 * Load the tokenizer of a GGUF file, or of a Hugging Face folder: any `tokenizer.json`, with the special tokens that
 * `tokenizer_config.json`, `special_tokens_map.json` and `generation_config.json` name. Encodes as Python's tokenizers do.
 *
 * @throws not-found without a tokenizer.json, bad-input for a part that is not supported, corrupt-data, file-system
 *
 * @example
 * ```ts
 * import { loadTokenizer, resolveModel } from "thoughtbook/model";
 *
 * const tokenizer = await loadTokenizer(await resolveModel("mini"));
 * console.log(tokenizer.decode(tokenizer.encode("12*3=36"))); // 12*3=36
 * ```
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  return createTokenizer(await readTokenizerFiles(folder));
}

function createTokenizer(files: TokenizerFiles): Tokenizer {
  const { json, names, generation } = files;
  const library = openLibrary(files);
  const byName = (token: string | undefined, id: number | undefined): SpecialToken | undefined => {
    const found = token === undefined ? undefined : library.idOf(token);
    if (found !== undefined) return { id: found, token: token! };
    const known = id === undefined ? undefined : library.tokenOf(id);
    return known === undefined ? undefined : { id: id!, token: known };
  };
  const special = withoutUndefined({
    bos: byName(names.bos, generation.bos),
    eos: byName(names.eos, generation.eos[0]),
    pad: byName(names.pad, generation.pad),
    unk: byName(names.unk, undefined),
  });
  const specialNames = new Set([
    ...json.added_tokens.filter((token) => token.special).map(({ content }) => content),
    ...Object.values(special).map(({ token }) => token),
    ...names.others,
  ]);
  const specialIds = new Set([...specialNames].flatMap((token) => library.idOf(token) ?? []));
  // Created on first use: a vocabulary takes time and memory.
  let plain: ReturnType<typeof openLibrary> | undefined;

  const nameOf = (id: number): string => {
    const token = Number.isInteger(id) ? library.tokenOf(id) : undefined;
    if (token !== undefined) return token;
    const gap = Number.isInteger(id) && id >= 0 && id < library.size;
    const expected = gap ? "which the vocabulary leaves out" : `expected an integer from 0 to ${library.size - 1}`;
    throw new ThoughtbookError("bad-input", `the tokenizer has no token ${id}, ${expected}`, {
      hint: "Check that the ids come from the model that this tokenizer belongs to.",
    });
  };

  return {
    vocabularySize: library.size,
    special,
    specialIds,
    endIds: [...new Set([...(special.eos ? [special.eos.id] : []), ...generation.eos])],
    encode(text, { addSpecialTokens = true, specialTokensAsText = false, continues = false } = {}) {
      if (specialTokensAsText) plain ??= openLibrary(files, specialNames);
      const ids = (specialTokensAsText ? plain! : library).encode(text, { continues });
      return addSpecialTokens ? [...library.frame.before, ...ids, ...library.frame.after] : ids;
    },
    decode(ids, { skipSpecialTokens = false } = {}) {
      for (const id of ids) nameOf(id);
      return library.decode(skipSpecialTokens ? ids.filter((id) => !specialIds.has(id)) : [...ids]);
    },
    idOf: library.idOf,
    tokenOf: nameOf,
  };
}
