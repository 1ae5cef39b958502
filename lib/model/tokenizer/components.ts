/** A normalizer, pre-tokenizer, decoder or model as it stands in a tokenizer.json. */
export interface Component {
  type: string;
  [option: string]: unknown;
}

/** The parts of a tokenizer.json that work on text, as `@huggingface/tokenizers` is to read them. */
export interface Components {
  normalizer: Component | null;
  preTokenizer: Component | null;
  decoder: Component | null;
  /** Whether the first word of a text gets a space put before it, unless the text begins with {@link CONTINUES}. */
  spaceBefore: boolean;
}

/** Put before a text that continues another: then it gets no space before. Half a surrogate pair: in no text. */
export const CONTINUES = "\uD800";

/** The pattern that a ByteLevel pre-tokenizer has built in: GPT-2's. */
export const GPT2_PATTERN = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** The characters of a word by Unicode (UTS 18), which Whitespace goes by. */
const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;

const PUNCTUATION = "[\\p{P}!-/:-@\\[-`{-~]";

/** What BERT takes for Chinese, where it takes two UTF-16 units. */
const RARE_IDEOGRAPHS = String.raw`[\x{20000}-\x{2A6DF}\x{2A700}-\x{2CEAF}\x{2F800}-\x{2FA1F}]`;

/**
 * Rewrite what `@huggingface/tokenizers` 0.2 reads differently from the Rust library, which defines the format, into
 * what both read alike; found by comparing the two on the same texts.
 */
export function repairComponents(parts: Omit<Components, "spaceBefore">): Components {
  return {
    normalizer: repairNormalizer(parts.normalizer),
    preTokenizer: repairPreTokenizer(parts.preTokenizer),
    decoder: repairDecoder(parts.decoder),
    spaceBefore: putsSpace(parts.normalizer) || putsSpace(parts.preTokenizer),
  };
}

function putsSpace(component: Component | null): boolean {
  if (component === null) return false;
  switch (component.type) {
    case "Sequence":
      return [...listOf(component, "normalizers"), ...listOf(component, "pretokenizers")].some(putsSpace);
    case "Prepend":
      return true;
    case "Metaspace":
      return schemeOf(component) !== "never";
    case "ByteLevel":
      return component.add_prefix_space === true;
    default:
      return false;
  }
}

function repairNormalizer(component: Component | null): Component | null {
  switch (component?.type) {
    case "Sequence":
      return { ...component, normalizers: listOf(component, "normalizers").map(repairNormalizer) };
    case "Replace":
      // A "$" in the content would refer to a group of the pattern.
      return { ...component, content: String(component.content ?? "").replaceAll("$", "$$$$") };
    case "BertNormalizer":
      // It puts no spaces around ideographs beyond U+FFFF.
      return component.handle_chinese_chars === true
        ? { type: "Sequence", normalizers: [replace(RARE_IDEOGRAPHS, " $& "), component] }
        : component;
    case "Prepend":
      return {
        type: "Sequence",
        normalizers: [component, replace(`${escapePattern(String(component.prepend))}${CONTINUES}`, "")],
      };
    default:
      return component;
  }
}

function repairPreTokenizer(component: Component | null): Component | null {
  switch (component?.type) {
    case "Sequence":
      return sequence(listOf(component, "pretokenizers").map(repairPreTokenizer));
    case "ByteLevel":
      return repairByteLevel(component);
    case "Metaspace": {
      const mark = replacementOf(component);
      return sequence([
        component,
        replace(`${escapePattern(mark)}${CONTINUES}`, ""),
        ...(component.split === false ? [] : [split(escapePattern(mark), "MergedWithNext")]),
      ]);
    }
    case "Whitespace":
      // There \w is that of ASCII; the patterns of Split are Oniguruma's, whose \w has also "½" and "²".
      return split(`[${WORD}]+|[^${WORD}\\s]+`, "Removed", true);
    case "WhitespaceSplit":
      return split(String.raw`\s+`, "Removed");
    case "CharDelimiterSplit":
      return split(escapePattern(String(component.delimiter)), "Removed");
    case "Digits":
      return split(component.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`, "Isolated");
    case "Punctuation":
      return split(PUNCTUATION, String(component.behavior ?? "Isolated"));
    case "BertPreTokenizer":
      return sequence([split(String.raw`\s+`, "Removed"), split(PUNCTUATION, "Isolated")]);
    case "Split": {
      const { Regex, String: literal } = (component.pattern ?? {}) as { Regex?: string; String?: string };
      const pattern = Regex ?? escapePattern(literal ?? "");
      return split(pattern, String(component.behavior ?? "Isolated"), component.invert === true);
    }
    default:
      return component;
  }
}

/** Its own pattern takes U+FEFF for a space and U+0085 for none; one given as text is read right. */
function repairByteLevel(component: Component): Component {
  const bytes = { ...component, add_prefix_space: false, use_regex: false };
  const spaceFirst =
    component.add_prefix_space === true
      ? [{ type: "Metaspace", replacement: " ", prepend_scheme: "always" }, replace(` ${CONTINUES}`, "")]
      : [];
  const words = component.use_regex === false ? [] : [split(GPT2_PATTERN, "Isolated")];
  return sequence([...spaceFirst, ...words, bytes]);
}

function repairDecoder(component: Component | null): Component | null {
  switch (component?.type) {
    case "Sequence":
      return { ...component, decoders: listOf(component, "decoders").map(repairDecoder) };
    case "Replace":
      return { ...component, content: String(component.content ?? "").replaceAll("$", "$$$$") };
    case "Metaspace":
      // The first space is one that the text had, if none is put before it.
      return schemeOf(component) === "never"
        ? { type: "Replace", pattern: { String: replacementOf(component) }, content: " " }
        : component;
    default:
      return component;
  }
}

/**
 * A Split by the three behaviours that the library knows: isolated, removed, and (`invert`) matches only. The others
 * become a pattern for the whole piece. Inverted, what lies between two matches is what is merged or removed.
 */
function split(pattern: string, behavior: string, invert = false): Component {
  const make = (regex: string, rest: { behavior: string; invert: boolean }) => ({
    type: "Split",
    pattern: { Regex: regex },
    ...rest,
  });
  const isolated = { behavior: "Isolated", invert: false };
  switch (behavior) {
    case "Removed":
      return make(pattern, { behavior, invert });
    case "MergedWithPrevious":
    case "MergedWithNext":
      return (behavior === "MergedWithPrevious") === invert
        ? make(`(?:${pattern})(?:(?!${pattern})[\\s\\S])*`, isolated)
        : make(`[\\s\\S]*?(?:${pattern})|[\\s\\S]+`, isolated);
    case "Contiguous":
      return make(`(?:${pattern})+`, isolated);
    default:
      return make(pattern, isolated);
  }
}

const schemeOf = ({ prepend_scheme }: Component): string => String(prepend_scheme ?? "always");

const replacementOf = ({ replacement }: Component): string => String(replacement ?? "▁");

const replace = (pattern: string, content: string): Component => ({
  type: "Replace",
  pattern: { Regex: pattern },
  content,
});

const sequence = (pretokenizers: readonly (Component | null)[]): Component => ({ type: "Sequence", pretokenizers });

const listOf = (component: Component, key: string): Component[] => (component[key] ?? []) as Component[];

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
