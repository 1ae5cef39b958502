import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  badInput,
  checkSettings,
  dataFolder,
  didYouMean,
  readSettingsFile,
  resolveUserPath,
} from "../../core/index.js";

/** Forms in which a model is asked to write an output, and in which demonstrations are written. */
export const FORMS = ["####", "boxed", "python", "javascript", "json", "lines", "tags", "plain"] as const;
export type Form = (typeof FORMS)[number];

const demonstrationSchema = z.strictObject({
  /** Number of worked examples before the question. */
  count: z.int().min(0).max(32),
  /** Turns of the conversation before the question's, or a text within its turn. */
  form: z.enum(["turns", "prompt"]).default("turns"),
  /** By a seed, the same for all questions, so that they are computed once; or those likest to each question. */
  choose: z.enum(["seed", "likeness"]).default("seed"),
});

export const waySchema = z.strictObject({
  /** Where the instruction stands. */
  place: z.enum(["user", "system"]).default("user"),
  /** The instruction; `{input}` in it is where the input goes, else it follows. Default: the operation's own. */
  instruction: z.string().optional(),
  /** How the model's text is begun. */
  begin: z.string().default(""),
  /** Strings that end the text. */
  stop: z.array(z.string().min(1)).default([]),
  /** Form of the output. Default: as models trained on the operation write it. */
  form: z.enum(FORMS).optional(),
  demonstrations: demonstrationSchema.optional(),
});

/** How an operation is asked. */
export type Way = z.infer<typeof waySchema>;

const kindSchema = z.strictObject({
  name: z.string().min(1),
  /** Parts of the names of the models that are asked so, in lower case, with "-" for every other character. */
  models: z.array(z.string().regex(/^[a-z0-9-]+$/)).default([]),
  /** SHA-256 of such models. */
  hashes: z.array(z.string()).default([]),
  /** Whether they are asked by the operations' tags; `operations` are then not used. */
  tags: z.boolean().default(false),
  /** By the operation's name; those that are not here are asked as the kind `default` says, or by their own instruction. */
  operations: z.record(z.string(), waySchema).default({}),
  /** Anything else that is worth knowing, such as what was tried; nothing depends on it. */
  about: z.unknown().optional(),
});

/** How the operations are asked of models of one kind. */
export type Kind = z.infer<typeof kindSchema>;

const tableSchema = z.strictObject({ about: z.string().optional(), kinds: z.array(kindSchema).min(1) });

const DEFAULT = "default";
export const ASKING_FILE = join("operations", "asking.json");
const KIND = { what: "way of asking", example: "data/operations/qwen2.5-coder-0.5b.json" } as const;

let table: readonly Kind[] | undefined;

/**
 * The kinds of models in `data/operations/asking.json`, in its order; the first that fits a model counts.
 *
 * @throws bad-input if the file is no such table
 */
export function askingTable(): readonly Kind[] {
  if (table === undefined) {
    const file = join(dataFolder(), ASKING_FILE);
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    table = checkSettings(content, tableSchema, {
      what: "table of ways of asking",
      example: ASKING_FILE,
      source: file,
    }).kinds;
  }
  return table;
}

/** Name of a model for comparison: "Qwen/Qwen2.5-Coder-0.5B" is "qwen-qwen2-5-coder-0-5b". */
const normalised = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** What a kind is chosen by. */
export interface KindOf {
  name: string;
  hash?: string | undefined;
  /** Whether it knows operations by their tags. */
  knowsTags: boolean;
}

/** The first kind of the table that a model is of; the kind `default` if none names it. */
export function kindOf({ name, hash, knowsTags }: KindOf): Kind {
  const kinds = askingTable();
  const own = normalised(name);
  const found =
    kinds.find(({ hashes }) => hash !== undefined && hashes.includes(hash)) ??
    kinds.find(({ tags, models }) => (tags ? knowsTags : !knowsTags && models.some((part) => own.includes(part))));
  return found ?? kinds.find((kind) => kind.name === DEFAULT) ?? kindSchema.parse({ name: DEFAULT });
}

/** Whether the table tells any kind by the hash of its models. */
export const knowsHashes = (): boolean => askingTable().some(({ hashes }) => hashes.length > 0);

/**
 * A kind by its name in the table, or from a file of one kind as `thoughtbook operations tune` writes it.
 *
 * @param spec a name, or a path with a slash or an extension
 * @throws bad-input, not-found
 */
export async function readKind(spec: string): Promise<Kind> {
  const kinds = askingTable();
  const known = kinds.find(({ name }) => name === spec);
  if (known) return known;
  if (/[\\/]|\.json$/.test(spec)) return readSettingsFile(resolveUserPath(spec), kindSchema, KIND);
  const names = kinds.map(({ name }) => name);
  throw badInput(
    `there is no way of asking named ${JSON.stringify(spec)}`,
    `${didYouMean(spec, names)}Choose ${names.join(", ")}, or give a file that "thoughtbook operations tune" wrote.`,
  );
}

/** How a kind is asked for an operation; undefined where only the operation's own instruction says it. */
export const wayIn = (kind: Kind, operation: string): Way | undefined =>
  kind.operations[operation] ?? askingTable().find(({ name }) => name === DEFAULT)?.operations[operation];
