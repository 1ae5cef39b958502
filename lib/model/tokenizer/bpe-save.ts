import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileSystemError } from "../../core/index.js";
import type { TrainedBpe } from "./bpe.js";
import { BYTE_LEVEL_BPE } from "./byte-level-bpe.js";

export interface SaveBpeOptions {
  /** The chat template (Jinja) to write with it. */
  chatTemplate?: string;
  /** The longest sequence of the model that it is for, in tokens. */
  maxLength?: number;
}

/**
 * Write a trained tokenizer as `tokenizer.json` and `tokenizer_config.json` into a folder, which is made where it is
 * missing. `loadTokenizer`, transformers.js and Python's tokenizers and transformers read them and encode alike.
 *
 * @throws file-system
 */
export async function saveBpe(folder: string, bpe: TrainedBpe, options: SaveBpeOptions = {}): Promise<void> {
  const files = {
    "tokenizer.json": tokenizerJson(bpe),
    "tokenizer_config.json": tokenizerConfig(bpe, options),
  };
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
    }
  } catch (error) {
    throw fileSystemError(error, "write the tokenizer to", folder);
  }
}

/** Every key that the Rust tokenizers write, as they write it. */
function tokenizerJson({ tokens, merges, specialTokens, preTokenizer }: TrainedBpe): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...(preTokenizer.pretokenizers as object[]),
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      ...BYTE_LEVEL_BPE,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

function tokenizerConfig({ bosToken, eosToken, padToken }: TrainedBpe, options: SaveBpeOptions): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: bosToken,
    eos_token: eosToken,
    pad_token: padToken,
    model_max_length: options.maxLength,
    clean_up_tokenization_spaces: false,
    chat_template: options.chatTemplate,
  };
}
