import { Tokenizer } from "@huggingface/tokenizers";
import { ThoughtbookError } from "../../core/index.js";
import { CONTINUES, type Component, type Components, repairComponents } from "./components.js";
import type { TokenizerFiles, TokenizerModel } from "./files.js";

/** What is used of `@huggingface/tokenizers`, with what it lacks added. */
export interface TokenizerLibrary {
  /** One more than the highest id. */
  size: number;
  /** The ids of a text, without those that the tokenizer puts around it. Throws bad-input for a character without one. */
  encode(text: string, options: { continues: boolean }): number[];
  decode(ids: number[]): string;
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
  /** The ids that the tokenizer puts before and after a text. */
  frame: { before: readonly number[]; after: readonly number[] };
}

/** What is used of the package, whose own types do not resolve under NodeNext: their imports lack file endings. */
interface Library {
  model: {
    vocab: readonly (string | undefined)[];
    tokens_to_ids: ReadonlyMap<string, number>;
    fuse_unk: boolean;
    _call(words: readonly string[]): string[];
  };
  decoder: Decoder | null;
  pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  post_processor: ((tokens: string[], pair: null, addSpecialTokens: boolean) => { tokens: string[] }) | null;
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: (number | null | undefined)[]; tokens: string[] };
  decode(ids: readonly number[], options: { clean_up_tokenization_spaces: boolean }): string;
}

interface Decoder {
  config: { type: string };
  decoders?: readonly Decoder[];
  text_decoder?: TextDecoder;
}

const Library = Tokenizer as new (json: object, config: object) => Library;

/**
 * Make the library's tokenizer.
 *
 * @param hidden tokens that no text can become: neither as a whole nor by chance, from characters of a user
 * @throws bad-input for a component that the library does not know, corrupt-data for one that does not fit the rest
 */
export function openLibrary(files: TokenizerFiles, hidden: ReadonlySet<string> = new Set()): TokenizerLibrary {
  const { source, json } = files;
  const parts = repairComponents({
    normalizer: json.normalizer,
    preTokenizer: json.pre_tokenizer,
    decoder: json.decoder,
  });
  checkModel(json.model, source);
  const model = hide(json.model, hidden);
  const library = construct(
    {
      ...json,
      model,
      normalizer: parts.normalizer,
      pre_tokenizer: parts.preTokenizer,
      decoder: parts.decoder,
      added_tokens: json.added_tokens.filter(({ content }) => !hidden.has(content)),
    },
    source,
  );
  const { tokens_to_ids: ids, vocab } = library.model;
  keepByteOrderMarks(library.decoder);
  keepWordsApart(library);
  return {
    size: vocab.length,
    encode: encoder(library, model, parts),
    decode: (tokenIds) =>
      tokenIds.length === 0 ? "" : library.decode(tokenIds, { clean_up_tokenization_spaces: false }),
    idOf: (token) => ids.get(token),
    tokenOf: (id) => vocab[id],
    frame: hidden.size === 0 ? frameOf(library, source) : { before: [], after: [] },
  };
}

/**
 * How a pre-tokenizer cuts a text into words.
 * @throws bad-input for one that the library does not know, or whose pattern does not parse
 */
export function openPreTokenizer(component: Component): (text: string) => string[] {
  const { preTokenizer } = repairComponents({ normalizer: null, preTokenizer: component, decoder: null });
  const others = { normalizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const model = { type: "BPE", vocab: {}, merges: [] };
  try {
    const { pre_tokenizer: cut } = new Library({ ...others, model, pre_tokenizer: preTokenizer }, {});
    return (text) => cut!(wellFormed(text), { section_index: 0 });
  } catch (cause) {
    throw new ThoughtbookError("bad-input", `texts cannot be cut into words: ${(cause as Error).message}`, {
      hint: "Correct the pattern.",
      cause,
    });
  }
}

/** A text that contains half of a surrogate pair is not Unicode, and would be confused with the marks used here. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\uFFFD");

function construct(json: object, source: string): Library {
  try {
    return new Library(json, {});
  } catch (cause) {
    const { message } = cause as Error;
    const unknown = /^Unknown (\w+) type: (\w+)/.exec(message);
    if (unknown === null) {
      throw new ThoughtbookError("corrupt-data", `${source} cannot be used: ${message}`, {
        hint: "Download it again, or save it with Python's tokenizers.",
        cause,
      });
    }
    throw new ThoughtbookError("bad-input", `${source} needs the ${unknown[1]} ${unknown[2]}, which is not supported`, {
      hint: "Choose another model, or give token ids instead of texts.",
      cause,
    });
  }
}

function encoder(
  library: Library,
  model: TokenizerModel,
  { spaceBefore }: Components,
): (text: string, options: { continues: boolean }) => number[] {
  const known = library.model.tokens_to_ids;
  const fallBack = model.type === "Unigram" && model.byte_fallback;
  return (text, { continues }) => {
    const whole = wellFormed(text);
    const { ids, tokens } = cut(library, continues && spaceBefore && whole ? CONTINUES + whole : whole);
    return tokens.flatMap((token, index) => {
      const bytes = fallBack && !known.has(token) ? bytesOf(token, known) : undefined;
      const found = bytes ?? ids[index];
      if (found !== undefined && found !== null) return found;
      throw new ThoughtbookError("bad-input", `the tokenizer has no token for ${JSON.stringify(token)}`, {
        hint: "Leave it out, or choose a model with a byte-level tokenizer.",
      });
    });
  };
}

function cut(library: Library, text: string): { ids: (number | null | undefined)[]; tokens: string[] } {
  try {
    return library.encode(text, { add_special_tokens: false });
  } catch (cause) {
    // The library spreads the pieces of a word as arguments: of 100,000 and more, that is too much for the stack.
    if (!(cause instanceof RangeError)) throw cause;
    throw new ThoughtbookError("bad-input", `a text of ${text.length} characters is too long for this tokenizer`, {
      hint: "Encode it in pieces, such as paragraphs, and join the ids.",
      cause,
    });
  }
}

/** The library's Unigram does not fall back to bytes: it leaves the piece as it is. */
function bytesOf(piece: string, known: ReadonlyMap<string, number>): number[] | undefined {
  const ids = Array.from(Buffer.from(piece), (byte) =>
    known.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

/** The library's decoder of byte tokens would swallow U+FEFF where it begins a run of them. */
function keepByteOrderMarks(decoder: Decoder | null): void {
  for (const each of decoder?.decoders ?? []) keepByteOrderMarks(each);
  if (decoder?.config.type === "ByteFallback") decoder.text_decoder = new TextDecoder("utf-8", { ignoreBOM: true });
}

/** The library would make one token of all unknown words in a row. */
function keepWordsApart({ model }: Library): void {
  if (!model.fuse_unk) return;
  const call = model._call.bind(model);
  model._call = (words) => words.flatMap((word) => call([word]));
}

/** Give the tokens names that no well-formed text contains; their ids stay theirs. */
function hide(model: TokenizerModel, hidden: ReadonlySet<string>): TokenizerModel {
  if (hidden.size === 0) return model;
  const rename = (token: string) => (hidden.has(token) ? `${CONTINUES}${token}` : token);
  if (model.type === "Unigram") return { ...model, vocab: model.vocab.map(([token, score]) => [rename(token), score]) };
  const vocab = Object.fromEntries(Object.entries(model.vocab).map(([token, id]) => [rename(token), id]));
  if (model.type === "WordPiece") return { ...model, vocab, unk_token: rename(model.unk_token) };
  const merges = model.merges.filter((merge) => !hidden.has(pairOf(merge).join("")));
  return { ...model, vocab, merges, ...(model.unk_token ? { unk_token: rename(model.unk_token) } : {}) };
}

/** The library would silently leave out a token that is not in the vocabulary. */
function checkModel(model: TokenizerModel, source: string): void {
  const corrupt = (problem: string) =>
    new ThoughtbookError("corrupt-data", `${source}: ${problem}`, { hint: "Download it again." });
  if (model.type === "Unigram") {
    if ((model.unk_id ?? 0) >= model.vocab.length) throw corrupt(`unk_id is ${model.unk_id}, outside the vocabulary`);
    return;
  }
  const known = (token: string) => Object.hasOwn(model.vocab, token);
  if (model.unk_token && !known(model.unk_token)) throw corrupt(`the vocabulary lacks unk_token ${model.unk_token}`);
  if (model.type === "WordPiece") return;
  if (model.continuing_subword_prefix) {
    const what = `BPE with continuing_subword_prefix ${JSON.stringify(model.continuing_subword_prefix)}`;
    throw new ThoughtbookError("bad-input", `${source} needs ${what}, which is not supported`, {
      hint: "Choose another model, or give token ids instead of texts.",
    });
  }
  for (const merge of model.merges) {
    const [left, right] = pairOf(merge);
    const missing = [left, right, left + right].find((token) => !known(token));
    if (missing !== undefined) {
      throw corrupt(`the vocabulary lacks ${JSON.stringify(missing)} of the merge ${JSON.stringify([left, right])}`);
    }
  }
}

const pairOf = (merge: string | [string, string]): [string, string] =>
  typeof merge === "string" ? (merge.split(" ") as [string, string]) : merge;

function frameOf(library: Library, source: string): TokenizerLibrary["frame"] {
  const text = CONTINUES;
  const tokens = library.post_processor === null ? [text] : library.post_processor([text], null, true).tokens;
  const place = tokens.indexOf(text);
  const idsOf = (names: readonly string[]) =>
    names.map((name) => {
      const id = library.model.tokens_to_ids.get(name);
      if (id !== undefined) return id;
      throw new ThoughtbookError(
        "corrupt-data",
        `${source} puts ${name} around texts, which is not in its vocabulary`,
        {
          hint: "Download it again.",
        },
      );
    });
  return { before: idsOf(tokens.slice(0, place)), after: idsOf(tokens.slice(place + 1)) };
}
