/** Features and field names of an OpenAI-compatible server, beyond what all of them share. */
export interface Dialect {
  title: string;
  /** How the adapter recognises such a server. */
  knownBy: string;
  /** Endpoint for text prompts: `chat` sends them as a user message, as there is nothing else. */
  textPrompts: "completions" | "chat";
  /** Whether conversations are supported. */
  chat: boolean;
  /** Whether /v1/completions takes a list of token ids as prompt. */
  idPrompts: boolean;
  /**
   * Whether `return_token_ids` returns the ids of prompt and text, and `logprobs` the model's own probabilities of
   * these.
   */
  tokenIds: boolean;
  /** Whether `echo` with `logprobs` returns the log-probabilities of the prompt's tokens. */
  promptLogProbs: boolean;
  /** Maximum texts of one request (`n`); with 1, several samples are several requests. */
  maxChoices: number;
  /** How reproducible the text of a seed is; all servers take one. */
  seed: string;
  /** Names of the sampling filters; one without a name is not supported. */
  filters: { topK?: string; minP?: string; repetitionPenalty?: string };
  /**
   * Fields that override the server's own defaults, so that the model's distribution is sampled unless requested
   * otherwise.
   */
  neutral: Readonly<Record<string, number>>;
  /**
   * Field for the number of last tokens that the repetition penalty considers, where the default is not all of them.
   */
  penaltyWindow?: string;
  maxTokens: "max_tokens" | "max_completion_tokens";
  /** Maximum stop strings of a request. */
  maxStopStrings: number;
  /** Whether `stop_token_ids` and `ignore_eos` are taken. */
  stopIds: boolean;
  /** Whether the beginning of the assistant's turn can be given (`continue_final_message`). */
  answerPrefix: boolean;
  /** Whether variables of the chat template can be given (`chat_template_kwargs`). */
  templateVariables: boolean;
  /** How to request a text's token ids. */
  tokenize: "vllm" | "llama.cpp" | undefined;
  /** How guided output is requested, in the option `body`. */
  guided: string;
}

const UNFILTERED = { temperature: 1, top_p: 1 };
/** A server that does no more than it must. */
const PLAIN = {
  textPrompts: "completions",
  chat: true,
  idPrompts: false,
  tokenIds: false,
  promptLogProbs: false,
  maxChoices: 1,
  filters: {},
  maxTokens: "max_tokens",
  stopIds: false,
  answerPrefix: false,
  templateVariables: false,
  tokenize: undefined,
} as const;
const VLLM_FILTERS = { topK: "top_k", minP: "min_p", repetitionPenalty: "repetition_penalty" };

/**
 * Differences between servers, from their own documentation and source in 2026. All of them take `seed`, `stop`,
 * `temperature`, `top_p` and stream with `stream_options.include_usage`. The table in docs/servers.md is generated from it.
 */
export const DIALECTS = {
  thoughtbook: {
    title: "thoughtbook serve",
    knownBy: "`owned_by: thoughtbook`",
    textPrompts: "completions",
    chat: true,
    idPrompts: true,
    tokenIds: true,
    promptLogProbs: true,
    maxChoices: 128,
    seed: "exact",
    filters: VLLM_FILTERS,
    neutral: { ...UNFILTERED, top_k: 0, min_p: 0, repetition_penalty: 1 },
    maxTokens: "max_tokens",
    maxStopStrings: 16,
    stopIds: true,
    answerPrefix: true,
    templateVariables: true,
    tokenize: "vllm",
    guided: "none",
  },
  vllm: {
    title: "vLLM",
    knownBy: "`owned_by: vllm`",
    textPrompts: "completions",
    chat: true,
    idPrompts: true,
    tokenIds: true,
    promptLogProbs: true,
    maxChoices: 128,
    seed: "up to rounding",
    filters: VLLM_FILTERS,
    // -1 and not 0, which versions before 2025 refuse.
    neutral: { ...UNFILTERED, top_k: -1, min_p: 0, repetition_penalty: 1 },
    maxTokens: "max_tokens",
    // 4 from 0.32 on, unless the server is started with VLLM_MAX_STOP_STRINGS: it says so itself.
    maxStopStrings: Number.POSITIVE_INFINITY,
    stopIds: true,
    answerPrefix: true,
    templateVariables: true,
    tokenize: "vllm",
    guided: "`response_format`, `structured_outputs`",
  },
  "llama.cpp": {
    ...PLAIN,
    title: "llama.cpp",
    knownBy: "`owned_by: llamacpp`, `/props`",
    idPrompts: true,
    seed: "up to rounding",
    filters: { topK: "top_k", minP: "min_p", repetitionPenalty: "repeat_penalty" },
    neutral: { ...UNFILTERED, top_k: 0, min_p: 0, repeat_penalty: 1 },
    // 64 unless told. Versions before 2026 take -1 for the context, later ones refuse all requests that have it.
    penaltyWindow: "repeat_last_n",
    maxStopStrings: Number.POSITIVE_INFINITY,
    templateVariables: true,
    tokenize: "llama.cpp",
    guided: "`response_format`, `json_schema`, `grammar`",
  },
  ollama: {
    ...PLAIN,
    title: "Ollama",
    knownBy: "`/api/version`",
    seed: "up to rounding",
    neutral: UNFILTERED,
    maxStopStrings: Number.POSITIVE_INFINITY,
    guided: "`response_format` (chat)",
  },
  "lm-studio": {
    ...PLAIN,
    title: "LM Studio",
    knownBy: "`/api/v0/models`",
    seed: "up to rounding",
    filters: { topK: "top_k", repetitionPenalty: "repeat_penalty" },
    neutral: { ...UNFILTERED, top_k: 0, repeat_penalty: 1 },
    maxStopStrings: Number.POSITIVE_INFINITY,
    guided: "`response_format` (chat)",
  },
  openai: {
    ...PLAIN,
    title: "OpenAI",
    knownBy: "`api.openai.com`",
    textPrompts: "chat",
    maxChoices: 128,
    seed: "best effort",
    // Its defaults are these; models that reason refuse `top_p` even at its default.
    neutral: {},
    maxTokens: "max_completion_tokens",
    maxStopStrings: 4,
    guided: "`response_format` (chat)",
  },
  other: {
    ...PLAIN,
    title: "any other",
    knownBy: "none of these",
    seed: "as it may",
    neutral: {},
    maxStopStrings: 4,
    guided: "as it tells",
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

/** OpenAI's completion models, from before chat. */
const OPENAI_TEXT_MODELS = /^(gpt-3\.5-turbo-instruct|davinci-002|babbage-002)/;

/** The dialect of a server for one of its models. */
export function dialectOf(name: DialectName, model: string): Dialect {
  if (name !== "openai" || !OPENAI_TEXT_MODELS.test(model)) return DIALECTS[name];
  return { ...DIALECTS.openai, textPrompts: "completions", chat: false, idPrompts: true, maxTokens: "max_tokens" };
}
