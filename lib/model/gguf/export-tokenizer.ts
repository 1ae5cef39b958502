import { badInput } from "../../core/index.js";
import { type Component, GPT2_PATTERN } from "../tokenizer/components.js";
import { type AddedToken, readTokenizerFiles, type TokenizerJson } from "../tokenizer/files.js";
import { loadTokenizer, type Tokenizer } from "../tokenizer/tokenizer.js";
import { PRE_TOKENIZERS } from "./pre-tokenizers.js";
import { KIND } from "./tokenizer-json.js";
import type { GgufEntry } from "./write.js";

/** What a GGUF file says of a tokenizer, and remarks for the user, each a sentence. */
export interface TokenizerExport {
  entries: Record<string, GgufEntry>;
  notes: string[];
}

type BpeModel = Extract<TokenizerJson["model"], { type: "BPE" }>;

/**
 * The tokenizer of a model as a GGUF file has it: byte-level BPE with a pre-tokenizer that llama.cpp knows, or BPE with
 * bytes for unknown characters, as converted from SentencePiece.
 *
 * @param rows how many tokens the embedding has: the vocabulary is filled up to it
 * @throws not-found without a tokenizer, bad-input for one that llama.cpp has no name for
 */
export async function tokenizerEntries(
  place: string,
  { rows, endIds }: { rows: number; endIds: readonly number[] },
): Promise<TokenizerExport> {
  const { json, source } = await readTokenizerFiles(place);
  const tokenizer = await loadTokenizer(place);
  const { model } = json;
  if (model.type !== "BPE") {
    throw badInput(
      `${source} is a tokenizer of the kind ${model.type}; only BPE can be written to a GGUF file`,
      "Export the model to ONNX instead: `thoughtbook export onnx`.",
    );
  }
  if (tokenizer.vocabularySize > rows) {
    throw badInput(
      `${source} has ids up to ${tokenizer.vocabularySize - 1}, but the model has ${rows} embeddings, and llama.cpp wants as many`,
      "Take the tokenizer that belongs to the model.",
    );
  }
  const known =
    model.byte_fallback === true ? sentencePieceEntries(json, model, source) : byteLevelEntries(json, model, source);
  const tokens = vocabularyOf(json, model, tokenizer, rows);
  const strange = json.added_tokens.filter((token: AddedToken) => token.lstrip || token.rstrip || token.single_word);
  const notes = [...known.notes];
  if (strange.length > 0) {
    notes.push(
      `llama.cpp does not take the spaces beside ${strange[0]!.content} away, as the model's own tokenizer does.`,
    );
  }
  return {
    entries: {
      ...known.entries,
      "tokenizer.ggml.tokens": { type: "string", value: tokens.map(({ name }) => name) },
      ...(model.byte_fallback === true ? { "tokenizer.ggml.scores": scoresOf(model, tokens) } : {}),
      "tokenizer.ggml.token_type": { type: "int32", value: tokens.map(({ kind }) => kind) },
      ...(model.byte_fallback === true ? {} : { "tokenizer.ggml.merges": { type: "string", value: mergesOf(model) } }),
      ...specialEntries(tokenizer, endIds, source),
    },
    notes,
  };
}

function byteLevelEntries(json: TokenizerJson, model: BpeModel, source: string): TokenizerExport {
  const patterns = patternsOf(json.pre_tokenizer as Component | null);
  const fits = (name: string) => {
    const { patterns: own, ignoreMerges = false } = PRE_TOKENIZERS[name]!;
    return own.map(plain).join("\n") === patterns?.join("\n") && ignoreMerges === (model.ignore_merges ?? false);
  };
  const normalises = json.normalizer?.type === "NFC";
  const names = Object.keys(PRE_TOKENIZERS).filter(fits);
  const pre = names.find((name) => (PRE_TOKENIZERS[name]!.normalise ?? false) === normalises) ?? names[0];
  if (pre === undefined || (json.normalizer !== null && !normalises && !isEmpty(json.normalizer as Component))) {
    throw badInput(
      `${source} cuts texts into words in a way that llama.cpp has no name for`,
      "Export the model to ONNX instead: `thoughtbook export onnx`.",
    );
  }
  const note = "llama.cpp does not put texts in Unicode's normal form C, as the model's own tokenizer does.";
  return {
    entries: {
      "tokenizer.ggml.model": { type: "string", value: "gpt2" },
      "tokenizer.ggml.pre": { type: "string", value: pre },
    },
    notes: normalises ? [note] : [],
  };
}

const isEmpty = (component: Component): boolean =>
  component.type === "Sequence" && Array.isArray(component.normalizers) && component.normalizers.length === 0;

/** The patterns of a byte-level pre-tokenizer; undefined for another one. */
function patternsOf(component: Component | null): string[] | undefined {
  if (component === null) return undefined;
  const parts = component.type === "Sequence" ? (component.pretokenizers as Component[]) : [component];
  const last = parts.at(-1);
  if (last?.type !== "ByteLevel") return undefined;
  const found = parts.map((part): string[] | undefined => {
    switch (part.type) {
      case "Split": {
        const { Regex } = (part.pattern ?? {}) as { Regex?: string };
        return Regex !== undefined && part.behavior === "Isolated" && part.invert !== true ? [plain(Regex)] : undefined;
      }
      case "Digits":
        return [part.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`];
      case "ByteLevel":
        if (part.add_prefix_space === true) return undefined;
        return part.use_regex === false ? [] : [plain(GPT2_PATTERN)];
      default:
        return undefined;
    }
  });
  return found.every((each) => each !== undefined) ? found.flat() : undefined;
}

/** A pattern without what only looks different. */
const plain = (pattern: string): string =>
  pattern
    .replace("'(?:[sdmt]|ll|ve|re)|", "'s|'t|'re|'ve|'m|'ll|'d|")
    .replace("'(?i:[sdmt]|ll|ve|re)|", "(?i:'s|'t|'re|'ve|'m|'ll|'d)|")
    .replaceAll("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])", "(?i:'s|'t|'re|'ve|'m|'ll|'d)");

function sentencePieceEntries(json: TokenizerJson, model: BpeModel, source: string): TokenizerExport {
  const parts = (component: unknown, key: string): Component[] => {
    const each = component as Component | null;
    return each === null ? [] : each.type === "Sequence" ? (each[key] as Component[]) : [each];
  };
  const all = [...parts(json.normalizer, "normalizers"), ...parts(json.pre_tokenizer, "pretokenizers")];
  const isKnown = (each: Component) =>
    (each.type === "Prepend" && each.prepend === "▁") ||
    (each.type === "Replace" && each.content === "▁" && (each.pattern as { String?: string }).String === " ") ||
    (each.type === "Metaspace" && (each.replacement ?? "▁") === "▁" && each.split === false);
  const marks = all.some(({ type }) => type === "Replace" || type === "Metaspace");
  const lacksBytes = !Object.hasOwn(model.vocab, "<0x00>");
  if (!all.every(isKnown) || !marks || lacksBytes) {
    throw badInput(
      `${source} prepares texts in a way that llama.cpp has no name for`,
      "Export the model to ONNX instead: `thoughtbook export onnx`.",
    );
  }
  const scheme = all.find(({ type }) => type === "Metaspace")?.prepend_scheme;
  const prefix = all.some(({ type }) => type === "Prepend") || (scheme !== undefined && scheme !== "never");
  const note =
    "llama.cpp puts a space before each text between special tokens, the model's own tokenizer only before the first one, and not if that begins with a space.";
  return {
    entries: {
      "tokenizer.ggml.model": { type: "string", value: "llama" },
      "tokenizer.ggml.pre": { type: "string", value: "default" },
      "tokenizer.ggml.add_space_prefix": { type: "bool", value: prefix },
    },
    notes: scheme === undefined || scheme === "never" ? [] : [note],
  };
}

interface Token {
  name: string;
  kind: number;
}

function vocabularyOf(json: TokenizerJson, model: BpeModel, tokenizer: Tokenizer, rows: number): Token[] {
  const tokens = Array.from({ length: rows }, (_, id): Token => ({ name: `[PAD${id}]`, kind: KIND.unused }));
  const isByte = (name: string) => model.byte_fallback === true && /^<0x[0-9A-F]{2}>$/.test(name);
  for (const [name, id] of Object.entries(model.vocab)) {
    tokens[id] = { name, kind: isByte(name) ? KIND.byte : KIND.normal };
  }
  for (const { id, content, special } of json.added_tokens) {
    tokens[id] = { name: content, kind: special ? KIND.control : KIND.userDefined };
  }
  for (const id of tokenizer.specialIds) tokens[id] = { ...tokens[id]!, kind: KIND.control };
  const unknown = model.byte_fallback === true ? tokenizer.special.unk?.id : undefined;
  if (unknown !== undefined) tokens[unknown] = { ...tokens[unknown]!, kind: KIND.unknown };
  return tokens;
}

const pairOf = (merge: string | [string, string]): [string, string] =>
  typeof merge === "string" ? (merge.split(" ") as [string, string]) : merge;

const mergesOf = ({ merges }: BpeModel): string[] => merges.map((merge) => pairOf(merge).join(" "));

/** llama.cpp joins the pair with the highest score first: the earlier a merge, the higher. */
function scoresOf({ merges }: BpeModel, tokens: readonly Token[]): GgufEntry {
  const ranks = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    const name = pairOf(merge).join("");
    if (!ranks.has(name)) ranks.set(name, rank);
  }
  return { type: "float32", value: tokens.map(({ name }) => -(ranks.get(name) ?? merges.length)) };
}

function specialEntries(tokenizer: Tokenizer, endIds: readonly number[], source: string): Record<string, GgufEntry> {
  const { bos, eos, pad, unk } = tokenizer.special;
  const frame = tokenizer.encode("");
  const [addsBos, addsEos] = [
    bos !== undefined && frame[0] === bos.id,
    eos !== undefined && frame.length > 0 && frame.at(-1) === eos.id && (frame.length > 1 || frame[0] !== bos?.id),
  ];
  if (frame.length !== Number(addsBos) + Number(addsEos)) {
    throw badInput(
      `${source} puts ${frame.map((id) => tokenizer.tokenOf(id)).join(" ")} around texts; a GGUF file can only say bos and eos`,
      "Export the model to ONNX instead: `thoughtbook export onnx`.",
    );
  }
  const end = eos?.id ?? endIds[0];
  const turnEnd = [...endIds, ...tokenizer.endIds].find((id) => id !== end && id < tokenizer.vocabularySize);
  const ids = { bos: bos?.id, eos: end, eot: turnEnd, padding: pad?.id, unknown: unk?.id };
  return {
    ...Object.fromEntries(
      Object.entries(ids).flatMap(([role, id]) =>
        id === undefined ? [] : [[`tokenizer.ggml.${role}_token_id`, { type: "uint32" as const, value: id }]],
      ),
    ),
    "tokenizer.ggml.add_bos_token": { type: "bool", value: addsBos },
    "tokenizer.ggml.add_eos_token": { type: "bool", value: addsEos },
  };
}
