/** What models of byte-level BPE have in common in `tokenizer.json`. */
export const BYTE_LEVEL_BPE = {
  type: "BPE",
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
} as const;
