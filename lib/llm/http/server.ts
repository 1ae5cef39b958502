import * as z from "zod";
import { canonicalJson, ThoughtbookError } from "../../core/index.js";
import type { Capability } from "../capabilities.js";
import type { Connection, Json } from "./connection.js";
import { type Dialect, type DialectName, dialectOf } from "./dialects.js";
import { brokenAnswer } from "./fault.js";
import { serverRoot } from "./spec.js";

/** A model on a server: its properties and capabilities. */
export interface HttpServer {
  /** Name that the user gave it. */
  readonly name: string;
  /** The model's name on the server. */
  readonly model: string;
  readonly dialectName: DialectName;
  readonly dialect: Dialect;
  readonly textPrompts: Dialect["textPrompts"];
  readonly capabilities: ReadonlySet<Capability>;
  readonly contextLength: number | undefined;
  readonly parameterCount: number | undefined;
  readonly hash: string | undefined;
  /** Distinguishes this model from others of the same name, for the cache. */
  readonly identity: Json;
  /** Fields added to each request. */
  readonly body: Json;
}

/** What one server reports about itself and the model. */
export interface ServerReport {
  dialectName: DialectName;
  model: string;
  /** The model's entry in the list of models; undefined where it stands in none. */
  entry: ModelEntry | undefined;
  contextLength: number | undefined;
}

// Optional fields of an unexpected form are ignored.
const WORDS = z.string().nullish().catch(undefined);
const MODEL_ENTRY = z.looseObject({
  id: z.string().min(1),
  owned_by: WORDS,
  max_model_len: z.number().int().positive().nullish().catch(undefined),
  root: WORDS,
  hash: WORDS,
  created: z.number().nullish().catch(undefined),
  meta: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});
type ModelEntry = z.infer<typeof MODEL_ENTRY>;

/** Some return the bare list, or null for an empty one. */
const MODEL_LIST = z.union([z.array(MODEL_ENTRY), z.looseObject({ data: z.array(MODEL_ENTRY).nullable() })]);
/** Ollama's version, llama.cpp's properties, LM Studio's models: these identify the servers. */
const OLLAMA = z.looseObject({ version: z.string() });
const LLAMA_CPP = z.looseObject({ default_generation_settings: z.looseObject({ n_ctx: z.number().int().positive() }) });
const LM_STUDIO = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), loaded_context_length: z.number().int().positive().optional() })),
});

/**
 * Ask a server for its dialect and whether it has the model.
 *
 * @param model its name; undefined for the only one
 * @param dialectName the dialect, if the user names it; then the list of models may be missing
 * @throws not-found (no such model), bad-input (several models and no name), corrupt-data, and the client's errors
 */
export async function probeServer(
  connection: Connection,
  model: string | undefined,
  dialectName: DialectName | undefined,
  signal: AbortSignal,
): Promise<ServerReport> {
  const list = await listModels(connection, dialectName !== undefined || model !== undefined, signal);
  const ask = (path: string) =>
    connection.get(`${serverRoot(connection.url)}${path}`, signal).catch(() => undefined as unknown);
  const name = model ?? onlyModel(list, connection.url);
  const entry = list.find(({ id }) => id === name || id === `${name}:latest`);
  const found = dialectName ?? (await recognise(connection, entry ?? list[0], ask));
  // llama.cpp serves one model, whatever it is called; lists of unknown servers need not be complete.
  const lenient = found === "llama.cpp" || found === "other" || list.length === 0;
  if (!entry && !lenient) throw unknownModel(name, list, connection.url);
  return { dialectName: found, model: name, entry, contextLength: await contextLength(found, name, entry, ask) };
}

async function listModels(connection: Connection, mayLack: boolean, signal: AbortSignal): Promise<ModelEntry[]> {
  let answer: unknown;
  try {
    answer = await connection.get("/models", signal);
  } catch (error) {
    const { status } = error as { status?: unknown };
    if (mayLack && (status === 404 || status === 405)) return [];
    throw error;
  }
  const result = MODEL_LIST.safeParse(answer);
  if (result.success) return Array.isArray(result.data) ? result.data : (result.data.data ?? []);
  throw brokenAnswer("a list of models that is none");
}

async function recognise(
  { url }: Connection,
  entry: ModelEntry | undefined,
  ask: (path: string) => Promise<unknown>,
): Promise<DialectName> {
  if (new URL(url).hostname === "api.openai.com") return "openai";
  const owners: Record<string, DialectName> = { thoughtbook: "thoughtbook", vllm: "vllm", llamacpp: "llama.cpp" };
  const owner = owners[entry?.owned_by ?? ""];
  if (owner) return owner;
  if (OLLAMA.safeParse(await ask("/api/version")).success) return "ollama";
  if (LLAMA_CPP.safeParse(await ask("/props")).success) return "llama.cpp";
  return LM_STUDIO.safeParse(await ask("/api/v0/models")).success ? "lm-studio" : "other";
}

async function contextLength(
  dialect: DialectName,
  model: string,
  entry: ModelEntry | undefined,
  ask: (path: string) => Promise<unknown>,
): Promise<number | undefined> {
  if (dialect === "llama.cpp") {
    return LLAMA_CPP.safeParse(await ask("/props")).data?.default_generation_settings.n_ctx;
  }
  if (dialect === "lm-studio") {
    const models = LM_STUDIO.safeParse(await ask("/api/v0/models")).data?.data;
    return models?.find(({ id }) => id === model)?.loaded_context_length;
  }
  return entry?.max_model_len ?? undefined;
}

function onlyModel(list: readonly ModelEntry[], url: string): string {
  if (list.length === 1) return list[0]!.id;
  throw new ThoughtbookError("bad-input", `${url} has ${list.length} models, and none is named`, {
    hint: `Name one after a #${list.length > 0 ? `: ${someNames(list)}` : ""}.`,
  });
}

function unknownModel(model: string, list: readonly ModelEntry[], url: string): ThoughtbookError {
  return new ThoughtbookError("not-found", `${url} has no model ${model}`, { hint: `It has ${someNames(list)}.` });
}

const someNames = (list: readonly ModelEntry[]): string =>
  `${list
    .slice(0, 8)
    .map(({ id }) => id)
    .join(", ")}${list.length > 8 ? ` and ${list.length - 8} more` : ""}`;

export interface ServerOptions {
  name: string;
  baseUrls: readonly string[];
  textPrompts: Dialect["textPrompts"] | undefined;
  identity: string | undefined;
  body: Json;
}

/**
 * Merge the reports of all servers into one.
 *
 * @throws bad-input if they are different models
 */
export function mergeReports(reports: readonly ServerReport[], options: ServerOptions): HttpServer {
  const { name, baseUrls, body } = options;
  const [first] = reports as [ServerReport, ...ServerReport[]];
  const { dialectName, model, entry } = first;
  const different = reports.find(
    (each) => each.dialectName !== dialectName || each.model !== model || each.entry?.hash !== entry?.hash,
  );
  if (different) {
    throw new ThoughtbookError(
      "bad-input",
      `the addresses of ${name} have different models: ${model} (${dialectName}) and ${different.model} (${different.dialectName})`,
      { hint: "Give addresses of the same model only, each with the same server and weights." },
    );
  }
  const dialect = dialectOf(dialectName, model);
  const parameters = entry?.meta?.n_params;
  const lengths = reports.flatMap((each) => each.contextLength ?? []);
  return {
    name,
    model,
    dialectName,
    dialect,
    textPrompts: options.textPrompts ?? dialect.textPrompts,
    capabilities: capabilitiesOf(dialect),
    contextLength: lengths.length > 0 ? Math.min(...lengths) : undefined,
    parameterCount: typeof parameters === "number" ? parameters : undefined,
    hash: dialectName === "thoughtbook" && /^[0-9a-f]{64}$/.test(entry?.hash ?? "") ? entry!.hash! : undefined,
    identity: options.identity === undefined ? identityOf(reports, baseUrls) : { given: options.identity },
    body,
  };
}

function capabilitiesOf(dialect: Dialect): ReadonlySet<Capability> {
  const has: [Capability, boolean][] = [
    ["text", true],
    ["chat", dialect.chat],
    ["tokenIds", dialect.tokenIds],
    ["tokenLogProbs", dialect.tokenIds],
    ["countTokens", dialect.tokenize !== undefined],
    ["score", dialect.promptLogProbs],
  ];
  return new Set(has.flatMap(([capability, there]) => (there ? [capability] : [])));
}

/** Without addresses, so that a server may move; unless only its address identifies it. */
function identityOf(reports: readonly ServerReport[], baseUrls: readonly string[]): Json {
  const { dialectName, model } = reports[0]!;
  const [entry] = reports
    .map((report) => {
      const { owned_by, root, hash, meta, created } = report.entry ?? {};
      // Ollama reports when a model was last changed there, others when they were started or asked.
      return canonicalJson({ owned_by, root, hash, meta, ...(dialectName === "ollama" ? { created } : {}) });
    })
    .sort();
  const addresses = dialectName === "other" ? { addresses: [...baseUrls].sort() } : {};
  return { dialect: dialectName, model, entry, ...addresses };
}
