import { type Component, GPT2_PATTERN } from "../tokenizer/components.js";

/** How the byte-level tokenizers of llama.cpp prepare a text, by `tokenizer.ggml.pre`. */
export interface PreTokenizer {
  /** Patterns of words, each of which cuts what those before left. */
  patterns: readonly string[];
  /** A word that is in the vocabulary is a token, whatever the merges say. */
  ignoreMerges?: boolean;
  /** Whether a text begins with the token for that, where the file does not say. */
  addBos?: boolean;
  /** Put a text in Unicode's normal form C, as the model's own tokenizer does (llama.cpp does not). */
  normalise?: boolean;
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const wordsOf = (digits: string) =>
  String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const LLAMA3 = wordsOf(String.raw`\p{N}{1,3}`);
const QWEN2 = wordsOf(String.raw`\p{N}`);
const DIGIT = String.raw`\p{N}`;
const PUNCTUATION = String.raw`[\p{P}\$\+<=>\^~\|]+`;
const CJK = "[一-龥ࠀ-一가-퟿]+";
const BLOOM = String.raw` ?[^(\s|.,!?…。，、।۔،)]+`;
/** Words of capitals and small letters, then their contraction. */
const casedWords = (after: string, digits: string) => {
  const [upper, lower] = [String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`];
  const first = String.raw`[^\r\n\p{L}\p{N}]?`;
  return String.raw`${first}${upper}*${lower}+${after}|${first}${upper}+${lower}*${after}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
};

const llama3 = { patterns: [LLAMA3], ignoreMerges: true, addBos: true };
const gpt2 = { patterns: [GPT2_PATTERN] };
const digitsFirst = { patterns: [DIGIT, GPT2_PATTERN] };
const gpt4o = { patterns: [casedWords(`${CONTRACTIONS}?`, String.raw`\p{N}{1,3}`)] };

/** Of the names that llama.cpp knows, those whose patterns are known here. */
export const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  default: { patterns: [PUNCTUATION, GPT2_PATTERN, String.raw`\p{N}+`, "[0-9][0-9][0-9]"] },
  ...Object.fromEntries(
    ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"].map((name) => [
      name,
      llama3,
    ]),
  ),
  ...Object.fromEntries(
    ["gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat", "mellum"].map(
      (name) => [name, gpt2],
    ),
  ),
  ...Object.fromEntries(
    ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"].map((name) => [
      name,
      digitsFirst,
    ]),
  ),
  ...Object.fromEntries(["gpt-4o", "llama4"].map((name) => [name, gpt4o])),
  qwen2: { patterns: [QWEN2], normalise: true },
  ...Object.fromEntries(
    ["deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "grok-2", "solar-open"].map((name) => [
      name,
      { patterns: [QWEN2] },
    ]),
  ),
  dbrx: { patterns: [LLAMA3] },
  "smaug-bpe": { patterns: [LLAMA3] },
  "chatglm-bpe": { patterns: [LLAMA3] },
  glm4: { patterns: [LLAMA3], ignoreMerges: true },
  "deepseek-coder": { patterns: ["[\r\n]", String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, CJK, DIGIT] },
  falcon: { patterns: [String.raw`[\p{P}\$\+<=>\^~\|${"`"}]+`, GPT2_PATTERN, "[0-9][0-9][0-9]"] },
  tekken: { patterns: [casedWords("", DIGIT)], ignoreMerges: true, addBos: true },
  bloom: { patterns: [BLOOM] },
  "poro-chat": { patterns: [BLOOM] },
  "gpt3-finnish": { patterns: [BLOOM] },
  viking: { patterns: [BLOOM, DIGIT] },
};

/** The pre-tokenizer of a tokenizer.json that cuts words so, and writes bytes as characters. */
export const preTokenizerComponent = ({ patterns }: PreTokenizer): Component => ({
  type: "Sequence",
  pretokenizers: [
    ...patterns.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false })),
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
});
