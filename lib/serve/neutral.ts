/** They change nothing in the text, whatever they are. */
export const HARMLESS: ReadonlySet<string> = new Set([
  "user",
  "metadata",
  "store",
  "service_tier",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "prediction",
  "parallel_tool_calls",
  "priority",
  "request_id",
  // Of vLLM, llama.cpp and SGLang.
  "cache_salt",
  "cache_prompt",
  "include_reasoning",
]);

/** What this server cannot do, and the values with which nothing is asked of it; `null` is one of each. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  // OpenAI's.
  frequency_penalty: [0],
  presence_penalty: [0],
  logit_bias: [{}, []],
  tools: [[], {}],
  functions: [[], {}],
  tool_choice: ["none", "auto"],
  function_call: ["none", "auto"],
  response_format: [{ type: "text" }, {}],
  modalities: [["text"], []],
  verbosity: ["medium"],
  suffix: [""],
  best_of: [1],
  // What one of the two ways to ask has and the other has not.
  echo: [false],
  top_logprobs: [0],
  add_special_tokens: [false],
  // vLLM's and Transformers'.
  min_tokens: [0],
  use_beam_search: [false],
  num_beams: [1],
  early_stopping: [false],
  length_penalty: [1],
  no_repeat_ngram_size: [0],
  bad_words: [[]],
  include_stop_str_in_output: [false],
  spaces_between_special_tokens: [true],
  detokenize: [true],
  documents: [[]],
  chat_template_content_format: ["auto", "string"],
  mm_processor_kwargs: [{}],
  logits_processors: [[]],
  structured_outputs: [{}],
  vllm_xargs: [{}],
  // llama.cpp's and those of its relatives.
  repeat_penalty: [1],
  typical_p: [1],
  tfs_z: [1],
  top_a: [0],
  mirostat: [0],
  dynatemp_range: [0],
  xtc_probability: [0],
  dry_multiplier: [0],
  n_probs: [0],
  grammar: [""],
};

/** Parameters that `neutralOf` knows. */
export const isUnsupported = (name: string): boolean => Object.hasOwn(NEUTRAL, name);

/** A value with which nothing is asked of a parameter that is not supported. */
export const neutralOf = (name: string): unknown => NEUTRAL[name]![0];

/** Whether a value of such a parameter asks for nothing. */
export function isNeutral(name: string, value: unknown): boolean {
  const isZero = (each: unknown) => each === 0;
  if (name === "logit_bias" && typeof value === "object") return Object.values(value as object).every(isZero);
  const written = JSON.stringify(value);
  return NEUTRAL[name]!.some((each) => JSON.stringify(each) === written);
}
