import { ApiError } from "./api-error.js";

/** The routes and their methods, as Hono writes them. */
export const ROUTES = {
  health: "/health",
  models: "/v1/models",
  // Names may have slashes.
  model: "/v1/models/:id{.+}",
  chat: "/v1/chat/completions",
  completions: "/v1/completions",
  tokenize: "/tokenize",
  detokenize: "/detokenize",
  tokenizerInfo: "/tokenizer_info",
} as const;

/** Longer ends of paths first: each of these is known by its end, whatever a client puts before it. */
const ENDS = ["/chat/completions", "/completions", "/models", "/tokenize", "/detokenize", "/tokenizer_info", "/health"];
const V1 = new Set(["/chat/completions", "/completions", "/models"]);

/** What servers of OpenAI's and vLLM's APIs can have and this one has not, by the first part of the path. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  embeddings: "makes no embeddings",
  responses: "has no Responses API",
  conversations: "has no Responses API",
  moderations: "does not moderate",
  audio: "neither hears nor speaks",
  images: "makes no images",
  videos: "makes no videos",
  realtime: "has no Realtime API",
  files: "stores no files",
  uploads: "stores no files",
  containers: "stores no files",
  vector_stores: "stores no files",
  batches: "takes no batches of requests in files; send them at once, and they share one batch",
  batch: "takes no batches of requests in files; send them at once, and they share one batch",
  fine_tuning: "does not train (`thoughtbook train` does)",
  evals: "does not evaluate (`thoughtbook evaluate` does)",
  assistants: "has no Assistants API",
  threads: "has no Assistants API",
  messages: "has no Messages API, which is Anthropic's",
  edits: "has no edits, which OpenAI gave up",
  score: "does not compare texts (log-probabilities of a prompt come with `echo` and `logprobs`)",
  rerank: "does not rerank",
  pooling: "makes no embeddings",
  classify: "does not classify",
};

/** Paths of other kinds of servers. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^\/api\/(chat|generate|tags|show|embed|embeddings|ps|version)$/, "Ollama's"],
  [/^\/(completion|props|slots|infill|apply-template|lora-adapters)$/, "llama.cpp's"],
  [/^\/(generate|generate_stream|info)$/, "that of Text Generation Inference"],
];

/** What a path without a route is, and what to do. */
export function noSuchRoute(path: string, origin: string): ApiError {
  const base = `Set the client's base URL to ${origin}/v1`;
  const clean = path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
  const notFound = (message: string) =>
    new ApiError(404, `There is no such route here: ${message}`, { code: "not_found" });
  if (clean === "/" || clean === "/v1") {
    return notFound(`this is the root of a server for clients of OpenAI's API. ${base}.`);
  }
  const isModel = clean.startsWith("/v1/models/");
  const end = ENDS.find((each) => clean.endsWith(each));
  if (isModel || end !== undefined) {
    const route = isModel ? "/v1/models/NAME" : V1.has(end!) ? `/v1${end}` : end!;
    if (clean !== path && (isModel || clean === route)) {
      return notFound(`it is ${route}, without a slash at its end or two in a row. ${base}, without one at its end.`);
    }
    return notFound(V1.has(end!) ? `it is ${route}. ${base}.` : `it is ${origin}${route}, without anything before it.`);
  }
  const first = clean.replace(/^(\/(v\d+|api|openai))+(?=\/)/, "").split("/")[1]!;
  if (Object.hasOwn(UNSUPPORTED, first)) {
    const message = `This server ${UNSUPPORTED[first]}. It has ${ROUTES.chat}, ${ROUTES.completions} and ${ROUTES.models}.`;
    return new ApiError(404, message, { code: "unsupported_endpoint" });
  }
  const foreign = FOREIGN.find(([pattern]) => pattern.test(clean))?.[1];
  if (foreign) return notFound(`it is of another API, ${foreign}; this server has OpenAI's. ${base}.`);
  return notFound(`there are ${ROUTES.chat}, ${ROUTES.completions}, ${ROUTES.models} and others. ${base}.`);
}
