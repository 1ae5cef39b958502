import { access } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { badInput, fileSystemError, ThoughtbookError } from "../../core/index.js";
import { isGgufPlace, readDocument, readJsonFile } from "../config/read.js";
import { ggufDocument } from "../gguf/documents.js";

/** A token that is found in a text before the text is cut into words. */
export type AddedToken = z.infer<typeof addedTokenSchema>;

/** The model of a tokenizer: how a word becomes tokens. */
export type TokenizerModel = z.infer<typeof modelSchema>;

/** The content of a tokenizer.json, as far as it is read here. */
export type TokenizerJson = z.infer<typeof tokenizerSchema>;

/** What the files beside a tokenizer.json say about its special tokens. */
export interface SpecialTokenNames {
  bos: string | undefined;
  eos: string | undefined;
  pad: string | undefined;
  unk: string | undefined;
  /** Further special tokens that are named there. */
  others: readonly string[];
}

/** The ids in a generation_config.json; they may lie outside the vocabulary. */
export interface GenerationIds {
  bos: number | undefined;
  eos: readonly number[];
  pad: number | undefined;
}

/** The files of a tokenizer, read and checked. */
export interface TokenizerFiles {
  /** What the messages of errors call it: the path of the tokenizer.json. */
  source: string;
  json: TokenizerJson;
  names: SpecialTokenNames;
  generation: GenerationIds;
}

/** An embedding has a row for each id up to the highest, so an absurd one is an error of the file. */
const MAX_ID = 2 ** 24;

const idSchema = z.number().int().min(0).max(MAX_ID);
const componentSchema = z.looseObject({ type: z.string() }).nullable().default(null);

const addedTokenSchema = z.looseObject({
  id: idSchema,
  content: z.string().min(1),
  special: z.boolean().default(false),
});

// Checked by plain loops: there are hundreds of thousands, and a token may be called "__proto__", which Zod leaves out.
const vocabularySchema = z.custom<Record<string, number>>(
  (value) => typeof value === "object" && value !== null && Object.values(value).every(isId),
  `expected an object of ids from 0 to ${MAX_ID} by token`,
);
const mergesSchema = z.custom<(string | [string, string])[]>(
  (value) => Array.isArray(value) && value.every(isMerge),
  "expected a list of pairs of tokens",
);

// The oldest files do not say the type of their model, which then is BPE.
const modelSchema = z.preprocess(
  (model) => (typeof model === "object" && model !== null && "merges" in model ? { type: "BPE", ...model } : model),
  z.discriminatedUnion("type", [
    z.looseObject({
      type: z.literal("BPE"),
      vocab: vocabularySchema,
      merges: mergesSchema,
      unk_token: z.string().nullish(),
    }),
    z.looseObject({
      type: z.literal("WordPiece"),
      vocab: vocabularySchema,
      unk_token: z.string(),
      continuing_subword_prefix: z.string().default("##"),
    }),
    z.looseObject({
      type: z.literal("Unigram"),
      vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
      unk_id: idSchema.nullish(),
      byte_fallback: z.boolean().default(false),
    }),
  ]),
);

const tokenizerSchema = z.looseObject({
  model: modelSchema,
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: componentSchema,
  pre_tokenizer: componentSchema,
  post_processor: componentSchema,
  decoder: componentSchema,
});

const tokenNameSchema = z.union([
  z.string(),
  z.looseObject({ content: z.string() }).transform(({ content }) => content),
]);

const namesSchema = z.looseObject({
  bos_token: tokenNameSchema.nullish(),
  eos_token: tokenNameSchema.nullish(),
  pad_token: tokenNameSchema.nullish(),
  unk_token: tokenNameSchema.nullish(),
  additional_special_tokens: z.array(tokenNameSchema).nullish(),
});

const tokensOfConfigSchema = z.record(
  z.string(),
  z.looseObject({ content: z.string(), special: z.boolean().default(false) }),
);
type TokensOfConfig = z.infer<typeof tokensOfConfigSchema>;

const configSchema = namesSchema.extend({
  // Written by transformers 4: tokens that may be missing from the tokenizer.json.
  added_tokens_decoder: tokensOfConfigSchema.nullish(),
});

const generationSchema = z.looseObject({
  bos_token_id: z.number().int().nullish(),
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  pad_token_id: z.number().int().nullish(),
});

/**
 * Read `tokenizer.json` and, where they are, `tokenizer_config.json`, `special_tokens_map.json` and
 * `generation_config.json`; of a GGUF file what it says in their place.
 *
 * @throws not-found without a tokenizer.json; bad-input for a kind that is not supported; corrupt-data for a file that is no JSON or not of its format; file-system
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const isGguf = await isGgufPlace(folder);
  const source = isGguf ? folder : join(folder, "tokenizer.json");
  if (!isGguf && !(await exists(source))) throw await missing(folder);
  const content = await readDocument(folder, "tokenizer.json");
  requireKnownModel(content, source);
  const json = check(tokenizerSchema, content, source);
  const { names, addedTokens } = await readSpecialTokenNames(folder);
  const generation = await readOptional(folder, "generation_config.json", generationSchema);
  return {
    source,
    json: { ...json, added_tokens: withTokensOfConfig(json.added_tokens, addedTokens, source) },
    names: { ...names, unk: names.unk ?? unknownToken(json.model) },
    generation: {
      bos: generation?.bos_token_id ?? undefined,
      eos: [generation?.eos_token_id ?? []].flat(),
      pad: generation?.pad_token_id ?? undefined,
    },
  };
}

/**
 * What `tokenizer_config.json` and `special_tokens_map.json` say about special tokens, each of which may be missing.
 * @throws corrupt-data, file-system
 */
export async function readSpecialTokenNames(
  folder: string,
): Promise<{ names: SpecialTokenNames; addedTokens: TokensOfConfig }> {
  const config = await readOptional(folder, "tokenizer_config.json", configSchema);
  const map = await readOptional(folder, "special_tokens_map.json", namesSchema);
  return {
    names: {
      bos: config?.bos_token ?? map?.bos_token ?? undefined,
      eos: config?.eos_token ?? map?.eos_token ?? undefined,
      pad: config?.pad_token ?? map?.pad_token ?? undefined,
      unk: config?.unk_token ?? map?.unk_token ?? undefined,
      others: [...(config?.additional_special_tokens ?? []), ...(map?.additional_special_tokens ?? [])],
    },
    addedTokens: config?.added_tokens_decoder ?? {},
  };
}

/** The JSON of a file that may be missing, or what a GGUF file says in its place, as its schema says. Throws corrupt-data, file-system. */
export async function readOptional<T extends z.ZodType>(
  folder: string,
  name: string,
  schema: T,
): Promise<z.infer<T> | undefined> {
  if (await isGgufPlace(folder)) {
    const document = await ggufDocument(folder, name);
    return document === undefined ? undefined : check(schema, document, folder);
  }
  const file = join(folder, name);
  return (await exists(file)) ? check(schema, await readJsonFile(file), file) : undefined;
}

/** Whether the file exists. Throws file-system if that cannot be determined. */
export const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return false;
      throw fileSystemError(error, "read", file);
    },
  );

/** Models of tokenizers that are known but not supported, in words. */
const OTHER_MODELS: Readonly<Record<string, string>> = {
  WordLevel: "a word-level tokenizer (WordLevel), with a token for each whole word",
};

/** @throws bad-input for a model of another kind than those that are supported, by its name */
function requireKnownModel(content: unknown, source: string): void {
  const model = (content as { model?: unknown } | null)?.model;
  if (typeof model !== "object" || model === null || "merges" in model) return;
  // The oldest files do not say the type: without merges and without WordPiece's prefix it is a list of words.
  const { type = "vocab" in model && !("continuing_subword_prefix" in model) ? "WordLevel" : undefined } = model as {
    type?: unknown;
  };
  if (typeof type !== "string" || ["BPE", "WordPiece", "Unigram"].includes(type)) return;
  const what = OTHER_MODELS[type] ?? `a tokenizer of the kind ${JSON.stringify(type)}`;
  throw badInput(
    `${source} is ${what}, which is not supported: BPE, Unigram and WordPiece are`,
    "Choose another model, or use this one with token ids alone, from a folder without its tokenizer.json.",
  );
}

function check<T extends z.ZodType>(schema: T, value: unknown, file: string): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const place = path.length > 0 ? ` at ${path.join(".")}` : "";
  throw new ThoughtbookError(
    "corrupt-data",
    `${file} is not as Hugging Face's tokenizers write it${place}: ${message}`,
    {
      hint: "Download it again, or save it with Python's tokenizers 0.20 or later.",
    },
  );
}

function isId(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ID;
}

/** "a b" or ["a", "b"]. */
function isMerge(value: unknown): boolean {
  const parts: unknown = typeof value === "string" ? value.split(" ") : value;
  return Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === "string" && part !== "");
}

function withTokensOfConfig(added: readonly AddedToken[], decoder: TokensOfConfig, source: string): AddedToken[] {
  const known = new Set(added.map(({ content }) => content));
  const further = Object.entries(decoder).flatMap(([id, token]) =>
    known.has(token.content) ? [] : [check(addedTokenSchema, { ...token, id: Number(id) }, source)],
  );
  return [...added, ...further];
}

function unknownToken(model: TokenizerModel): string | undefined {
  return model.type === "Unigram" ? model.vocab[model.unk_id ?? -1]?.[0] : (model.unk_token ?? undefined);
}

async function missing(folder: string): Promise<ThoughtbookError> {
  if (!(await exists(folder))) {
    return new ThoughtbookError("not-found", `there is no folder ${folder}`, { hint: "Check the path." });
  }
  for (const other of ["tokenizer.model", "vocab.json", "vocab.txt", "tekken.json"]) {
    if (!(await exists(join(folder, other)))) continue;
    return new ThoughtbookError("not-found", `${folder} holds ${other} but no tokenizer.json`, {
      hint: "Save it with Python: AutoTokenizer.from_pretrained(folder).save_pretrained(folder). Token ids work without it.",
    });
  }
  return new ThoughtbookError("not-found", `${folder} holds no tokenizer.json, so texts cannot become tokens there`, {
    hint: "Give token ids (--ids 1,2,3) instead of texts, or add the tokenizer.json that the model was trained with.",
  });
}
