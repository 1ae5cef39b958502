import { join } from "node:path";
import * as z from "zod";
import {
  cacheFolder,
  canonicalJson,
  readIfThere,
  resolveUserPath,
  sha256,
  strictJson,
  writeWhole,
} from "../../core/index.js";
import type { Json } from "./connection.js";
import type { HttpServer } from "./server.js";

/** Answers on disk, by request. */
export interface AnswerCache {
  /** The stored value of a key; undefined if there is none, or it is damaged. Throws file-system. */
  read<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** Store a value, which must be JSON. It appears completely or not at all. Throws file-system. */
  write(key: string, value: unknown): Promise<void>;
}

/** Increased when stored values change their meaning. */
const VERSION = 1;

const ENTRY = z.object({ version: z.literal(VERSION), key: z.string(), checksum: z.string(), value: z.unknown() });

/** The folder `http` of the library's cache, unless another one is given. */
export function openCache(folder: string | true): AnswerCache {
  const root = folder === true ? join(cacheFolder(), "http") : resolveUserPath(folder);
  const fileOf = (key: string) => join(root, key.slice(0, 2), `${key}.json`);
  return {
    async read<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> {
      const text = await readIfThere(fileOf(key));
      const entry = text === undefined ? undefined : parse(text);
      if (entry?.key !== key || entry.checksum !== sha256(canonicalJson(entry.value))) return undefined;
      return schema.safeParse(entry.value).data;
    },
    async write(key, value) {
      const entry = { version: VERSION, key, checksum: sha256(canonicalJson(value)), value };
      await writeWhole(fileOf(key), `${strictJson(entry)}\n`);
    },
  };
}

function parse(text: string): z.infer<typeof ENTRY> | undefined {
  try {
    return ENTRY.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * The key of a request: of the model and of everything that its answer depends on. Addresses, the API key and streaming
 * are not part of it.
 */
export const cacheKey = ({ identity }: HttpServer, request: Json): string =>
  sha256(canonicalJson({ version: VERSION, identity, request }));
