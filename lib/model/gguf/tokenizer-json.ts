import { badInput, didYouMean } from "../../core/index.js";
import { BYTE_LEVEL_BPE } from "../tokenizer/byte-level-bpe.js";
import { metadataOf } from "./config-json.js";
import { type GgufFile, readList } from "./file.js";
import { corruptGguf } from "./header.js";
import { PRE_TOKENIZERS, preTokenizerComponent } from "./pre-tokenizers.js";

/** Kinds of tokens, as numbered in the format. */
export const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A token of the vocabulary; its id is its place there. */
export interface VocabularyToken {
  name: string;
  kind: number;
  isControl: boolean;
}

/** The ids that SentencePiece gives by default, where a file does not say. */
const SENTENCEPIECE_IDS: Readonly<Record<string, number>> = { bos: 1, eos: 2, unknown: 0 };

/**
 * The vocabulary of a GGUF file; undefined if it has none.
 * @throws corrupt-data, file-system
 */
export async function readVocabulary(file: GgufFile): Promise<VocabularyToken[] | undefined> {
  const names = await readList(file, "tokenizer.ggml.tokens");
  if (names === undefined) return undefined;
  const kinds = await readList(file, "tokenizer.ggml.token_type");
  if (kinds !== undefined && kinds.length !== names.length) {
    throw corruptGguf(file.path, `it has ${names.length} tokens, but ${kinds.length} kinds of tokens`);
  }
  return names.map((name, id) => {
    if (typeof name !== "string") throw corruptGguf(file.path, "its tokens are no texts");
    const kind = Number(kinds?.[id] ?? KIND.normal);
    return { name, kind, isControl: kind === KIND.control || kind === KIND.unknown };
  });
}

/**
 * The tokenizer of a GGUF file as the content of a `tokenizer.json`; undefined if it has none.
 *
 * Two kinds are read: byte-level BPE (`gpt2`), with its merges; and SentencePiece's BPE (`llama`), whose merges follow
 * from the scores of the tokens, the highest first, and whose unknown characters become bytes.
 *
 * @throws bad-input (another kind, or a pre-tokenizer that is not known), corrupt-data, file-system
 */
export async function ggufTokenizerJson(file: GgufFile): Promise<Record<string, unknown> | undefined> {
  const metadata = metadataOf(file);
  const kind = metadata.text("tokenizer.ggml.model");
  const tokens = await readVocabulary(file);
  if (kind === undefined || kind === "none" || kind === "no_vocab" || tokens === undefined) return undefined;
  const added_tokens = tokens.flatMap(({ name, kind: tokenKind, isControl }, id) =>
    name !== "" && (isControl || tokenKind === KIND.userDefined)
      ? [{ id, content: name, single_word: false, lstrip: false, rstrip: false, normalized: false, special: isControl }]
      : [],
  );
  const common = { version: "1.0", truncation: null, padding: null, added_tokens };
  if (kind === "gpt2") return { ...common, ...(await byteLevel(file, tokens)) };
  if (kind === "llama") return { ...common, ...(await sentencePiece(file, tokens)) };
  throw badInput(
    `${file.path}: the tokenizer is of the kind ${JSON.stringify(kind)}; supported are gpt2 and llama`,
    "Choose another model, or run it with llama.cpp's server and give its address.",
  );
}

async function byteLevel(file: GgufFile, tokens: readonly VocabularyToken[]): Promise<Record<string, unknown>> {
  const metadata = metadataOf(file);
  const name = metadata.text("tokenizer.ggml.pre") ?? "default";
  const pre = Object.hasOwn(PRE_TOKENIZERS, name) ? PRE_TOKENIZERS[name] : undefined;
  if (pre === undefined) {
    throw badInput(
      `${file.path}: the pre-tokenizer ${JSON.stringify(name)} (tokenizer.ggml.pre) is not supported`,
      `${didYouMean(name, Object.keys(PRE_TOKENIZERS))}Choose another model, or run it with llama.cpp's server and give its address.`,
    );
  }
  const merges = await readList(file, "tokenizer.ggml.merges");
  if (merges === undefined) throw corruptGguf(file.path, "its metadata lacks tokenizer.ggml.merges");
  const component = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    normalizer: pre.normalise ? { type: "NFC" } : null,
    pre_tokenizer: preTokenizerComponent(pre),
    post_processor: frame(file, tokens, { addBos: pre.addBos ?? false }),
    decoder: component,
    model: {
      ...BYTE_LEVEL_BPE,
      ignore_merges: pre.ignoreMerges ?? false,
      vocab: idsOf(tokens),
      merges,
    },
  };
}

async function sentencePiece(file: GgufFile, tokens: readonly VocabularyToken[]): Promise<Record<string, unknown>> {
  const scores = await readList(file, "tokenizer.ggml.scores");
  if (scores?.length !== tokens.length) {
    throw corruptGguf(file.path, `it has ${tokens.length} tokens, but ${scores?.length ?? 0} scores of tokens`);
  }
  const unknown = tokens[specialId(file, "unknown") ?? -1]?.name ?? null;
  const prefix = metadataOf(file).flag("tokenizer.ggml.add_space_prefix") ?? true;
  const spaces = { type: "Replace", pattern: { String: " " }, content: "▁" };
  return {
    normalizer: { type: "Sequence", normalizers: [...(prefix ? [{ type: "Prepend", prepend: "▁" }] : []), spaces] },
    pre_tokenizer: null,
    post_processor: frame(file, tokens, { addBos: true }),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: idsOf(tokens),
      merges: mergesByScore(tokens, scores as readonly number[]),
    },
  };
}

// From entries, as a token may be called "__proto__". The last of several tokens of a name is the one that texts become.
const idsOf = (tokens: readonly VocabularyToken[]): Record<string, number> =>
  Object.fromEntries(tokens.map(({ name }, id) => [name, id]));

/** All ways to put a token together from two others; those of tokens with a higher score first. */
export function mergesByScore(
  tokens: readonly VocabularyToken[],
  scores: readonly number[],
): [left: string, right: string][] {
  const ids = new Map(tokens.flatMap(({ name, kind }, id) => (kind === KIND.normal ? [[name, id] as const] : [])));
  const merges = [...ids].flatMap(([name, id]) => {
    const characters = [...name];
    const ways: { pair: [string, string]; left: number; right: number; score: number }[] = [];
    for (let cut = 1; cut < characters.length; cut++) {
      const pair: [string, string] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")];
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])];
      if (left !== undefined && right !== undefined) ways.push({ pair, left, right, score: scores[id]! });
    }
    return ways.sort((a, b) => a.left - b.left || a.right - b.right);
  });
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair);
}

/** The id with a role, whose token is in the vocabulary. */
function specialId(file: GgufFile, role: string): number | undefined {
  const metadata = metadataOf(file);
  const defaults = metadata.text("tokenizer.ggml.model") === "llama" ? SENTENCEPIECE_IDS[role] : undefined;
  return metadata.number(`tokenizer.ggml.${role}_token_id`) ?? defaults;
}

/** What a tokenizer.json puts around texts. */
function frame(file: GgufFile, tokens: readonly VocabularyToken[], { addBos }: { addBos: boolean }): unknown {
  const metadata = metadataOf(file);
  const nameOf = (role: "bos" | "eos", isAdded: boolean) => {
    const id = isAdded ? specialId(file, role) : undefined;
    const token = id === undefined ? undefined : tokens[id];
    if (id !== undefined && token === undefined) {
      throw corruptGguf(file.path, `tokenizer.ggml.${role}_token_id is ${id}, but it has ${tokens.length} tokens`);
    }
    return token === undefined ? [] : [{ id: id!, name: token.name }];
  };
  const before = nameOf("bos", metadata.flag("tokenizer.ggml.add_bos_token") ?? addBos);
  const after = nameOf("eos", metadata.flag("tokenizer.ggml.add_eos_token") ?? false);
  if (before.length + after.length === 0) return null;
  const special = (type_id: number) => (token: { name: string }) => ({ SpecialToken: { id: token.name, type_id } });
  const sequence = (id: string, type_id: number) => [
    ...before.map(special(type_id)),
    { Sequence: { id, type_id } },
    ...after.map(special(type_id)),
  ];
  return {
    type: "TemplateProcessing",
    single: sequence("A", 0),
    pair: [...sequence("A", 0), ...sequence("B", 1)],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(({ id, name }) => [name, { id: name, ids: [id], tokens: [name] }]),
    ),
  };
}

/**
 * Names of special tokens and the chat templates of a GGUF file, as the content of a `tokenizer_config.json`.
 * @throws corrupt-data, file-system
 */
export async function ggufTokenizerConfig(file: GgufFile): Promise<Record<string, unknown>> {
  const metadata = metadataOf(file);
  const tokens = (await readVocabulary(file)) ?? [];
  const nameOf = (role: string) => tokens[specialId(file, role) ?? -1]?.name;
  const template = metadata.text("tokenizer.chat_template");
  const named = [...file.metadata.keys()].flatMap((key) => {
    const name = /^tokenizer\.chat_template\.(.+)$/.exec(key)?.[1];
    return name === undefined ? [] : [{ name, template: metadata.text(key)! }];
  });
  const all = [...(template === undefined ? [] : [{ name: "default", template }]), ...named];
  const names = { bos: nameOf("bos"), eos: nameOf("eos"), pad: nameOf("padding"), unk: nameOf("unknown") };
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...Object.fromEntries(Object.entries(names).flatMap(([role, name]) => (name ? [[`${role}_token`, name]] : []))),
    clean_up_tokenization_spaces: false,
    ...(all.length === 0 ? {} : { chat_template: named.length === 0 ? template : all }),
  };
}
