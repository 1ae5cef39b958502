import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileSystemError, withoutUndefined } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import { isGgufPlace, readDocument, readJsonFile } from "../config/read.js";
import { configToHuggingFace } from "../config/write.js";
import { ggufDocument } from "../gguf/documents.js";
import { exists, readSpecialTokenNames, readTokenizerFiles } from "../tokenizer/files.js";
import type { Checkpoint } from "../weights/checkpoint.js";
import { CONFIG_FILE } from "../weights/files.js";

export interface SmallFiles {
  /** By name; JSON and templates. */
  files: Readonly<Record<string, string | Uint8Array>>;
  notes: readonly string[];
}

/** What a config.json says to transformers.js about the ONNX files beside it. */
export interface OnnxLayout {
  /** Type that is opened by default; undefined if transformers.js's own default exists. */
  dtype: string | undefined;
  /** Types whose weights are in external files. */
  outside: readonly string[];
}

const GENERATION_FILE = "generation_config.json";
const TOKENIZER_FILE = "tokenizer.json";
const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";
const TEMPLATE_FILE = "chat_template.jinja";

/**
 * The files of an exported model besides its weights, from those of the checkpoint.
 * @throws corrupt-data, file-system
 */
export async function smallFiles({ folder, config }: Checkpoint, layout: OnnxLayout): Promise<SmallFiles> {
  const raw = (await readDocument(folder, CONFIG_FILE)) as Record<string, unknown>;
  const generation = await optionalJson(folder, GENERATION_FILE);
  const files = {
    [CONFIG_FILE]: json({ ...raw, ...configToHuggingFace(config), "transformers.js_config": layoutConfig(layout) }),
    [GENERATION_FILE]: json(generation ?? generationConfig(config)),
  };
  if ((await optionalJson(folder, TOKENIZER_FILE)) !== undefined) {
    return { files: { ...files, ...(await tokenizerFiles(folder)) }, notes: [] };
  }
  const note = `${folder} holds no ${TOKENIZER_FILE}: pipeline() needs one, so add it, or give token ids to AutoModelForCausalLM.`;
  return { files, notes: [note] };
}

function layoutConfig({ dtype, outside }: OnnxLayout): Record<string, unknown> {
  const dataFiles = Object.fromEntries(outside.map((file) => [file, 1]));
  return {
    ...(dtype === undefined ? {} : { dtype }),
    ...(outside.length > 0 ? { use_external_data_format: dataFiles } : {}),
  };
}

function generationConfig({ beginId, endIds, paddingId }: ModelConfig): Record<string, unknown> {
  return {
    _from_model_config: true,
    bos_token_id: beginId,
    eos_token_id: endIds.length > 1 ? endIds : endIds[0],
    pad_token_id: paddingId,
  };
}

/**
 * transformers.js reads tokenizer.json and tokenizer_config.json only, both of which must be there. So the chat template
 * and the special tokens, which checkpoints may keep in files of their own, go into the latter.
 */
async function tokenizerFiles(folder: string): Promise<Record<string, string | Uint8Array>> {
  await readTokenizerFiles(folder); // Throws where it is broken.
  const { names } = await readSpecialTokenNames(folder);
  const template = await optionalFile(folder, TEMPLATE_FILE);
  const specialTokens = { bos_token: names.bos, eos_token: names.eos, pad_token: names.pad, unk_token: names.unk };
  const config = {
    ...(await optionalJson(folder, TOKENIZER_CONFIG_FILE)),
    ...withoutUndefined(specialTokens),
    ...(template === undefined ? {} : { chat_template: template.toString("utf8") }),
  };
  const tokenizer = (await isGgufPlace(folder))
    ? json(await ggufDocument(folder, TOKENIZER_FILE))
    : (await optionalFile(folder, TOKENIZER_FILE))!;
  return { [TOKENIZER_FILE]: tokenizer, [TOKENIZER_CONFIG_FILE]: json(config) };
}

async function optionalJson(folder: string, name: string): Promise<Record<string, unknown> | undefined> {
  if (await isGgufPlace(folder)) return (await ggufDocument(folder, name)) as Record<string, unknown> | undefined;
  const file = join(folder, name);
  return (await exists(file)) ? ((await readJsonFile(file)) as Record<string, unknown>) : undefined;
}

async function optionalFile(folder: string, name: string): Promise<Buffer | undefined> {
  const file = join(folder, name);
  if (!(await exists(file))) return undefined;
  return readFile(file).catch((error: unknown) => {
    throw fileSystemError(error, "read", file);
  });
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
