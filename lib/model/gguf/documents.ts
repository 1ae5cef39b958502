import { ggufConfigJson, metadataOf } from "./config-json.js";
import { type GgufFile, openGguf, readList } from "./file.js";
import { ggufTokenizerConfig, ggufTokenizerJson, readVocabulary } from "./tokenizer-json.js";

/** Where a GGUF file of this library lists the operations that the model knows by their tags. */
export const OPERATIONS_KEY = "thoughtbook.operations";

const READERS: Readonly<Record<string, (file: GgufFile) => Promise<unknown>>> = {
  "config.json": async (file) => ggufConfigJson(file, (await readVocabulary(file)) ?? []),
  "generation_config.json": async (file) => {
    const config = await ggufConfigJson(file, (await readVocabulary(file)) ?? []);
    const { bos_token_id, eos_token_id, pad_token_id } = config;
    const ends = eos_token_id as readonly number[];
    return { bos_token_id, pad_token_id, ...(ends.length > 0 ? { eos_token_id: ends } : {}) };
  },
  "tokenizer.json": ggufTokenizerJson,
  "tokenizer_config.json": ggufTokenizerConfig,
  "thoughtbook.json": async (file) => {
    const operations = await readList(file, OPERATIONS_KEY);
    return operations && { name: metadataOf(file).text("general.name"), operations };
  },
};

/** The files of a Hugging Face folder that a GGUF file has the content of. */
export const GGUF_DOCUMENTS: readonly string[] = Object.keys(READERS);

/**
 * What a GGUF file says in place of a JSON file of a Hugging Face folder; undefined where it says nothing.
 *
 * @throws not-found, file-system, corrupt-data, bad-input (what is not supported)
 */
export async function ggufDocument(path: string, name: string): Promise<unknown> {
  return Object.hasOwn(READERS, name) ? READERS[name]!(await openGguf(path)) : undefined;
}
