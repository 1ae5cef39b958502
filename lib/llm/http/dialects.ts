/** What an OpenAI-compatible server takes and gives, beyond what all of them do. */
export interface Dialect {
  title: string;
  /** How the adapter knows such a server. */
  knownBy: string;
  /** Where a prompt of text goes: `chat` sends it as the message of a user, for there is nothing else. */
  textPrompts: "completions" | "chat";
  /** Whether conversations are taken. */
  chat: boolean;
  /** Whether /v1/completions takes a list of token ids as prompt. */
  idPrompts: boolean;
  /** Whether `return_token_ids` brings the ids of prompt and text, and `logprobs` the model's own probabilities of these. */
  tokenIds: boolean;
  /** Whether `echo` with `logprobs` brings the log-probabilities of the prompt's tokens. */
  promptLogProbs: boolean;
  /** The most texts of one request (`n`); with 1, several samples are several requests. */
  maxChoices: number;
  /** How far the same seed brings the same text; all of them take one. */
  seed: string;
  /** What the filters of sampling are called; one without a name cannot be asked for. */
  filters: { topK?: string; minP?: string; repetitionPenalty?: string };
  /**
   * Fields that take away the server's own defaults, so that the model's distribution is sampled unless told otherwise.
   */
  neutral: Readonly<Record<string, number>>;
  /** The field for how many of the last tokens the repetition penalty looks at, where these are not all unless told so. */
  penaltyWindow?: string;
  maxTokens: "max_tokens" | "max_completion_tokens";
  /** The most stop strings of a request. */
  maxStopStrings: number;
  /** Whether `stop_token_ids` and `ignore_eos` are taken. */
  stopIds: boolean;
  /** Whether the beginning of the assistant's turn can be given (`continue_final_message`). */
  answerPrefix: boolean;
  /** Whether variables of the chat template can be given (`chat_template_kwargs`). */
  templateVariables: boolean;
  /** How a text's ids are asked for. */
  tokenize: "vllm" | "llama.cpp" | undefined;
  /** What output is guided by, given in the option `body`. */
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
 * The differences between servers, from their own documentation and source in 2026. All of them take `seed`, `stop`,
 * `temperature`, `top_p` and streams with `stream_options.include_usage`. The table in README.md is made of it.
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

/** The models of OpenAI that go on from a text, as those before conversations did. */
const OPENAI_TEXT_MODELS = /^(gpt-3\.5-turbo-instruct|davinci-002|babbage-002)/;

/** The dialect of a server for one of its models. */
export function dialectOf(name: DialectName, model: string): Dialect {
  if (name !== "openai" || !OPENAI_TEXT_MODELS.test(model)) return DIALECTS[name];
  return { ...DIALECTS.openai, textPrompts: "completions", chat: false, idPrompts: true, maxTokens: "max_tokens" };
}
