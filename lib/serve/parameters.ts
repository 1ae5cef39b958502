import { z } from "zod";
import { badRequest } from "./api-error.js";

/** The most stop strings of a request. */
export const MOST_STOPS = 16;
/** The most of the most probable tokens that are told in one place. */
export const MOST_TOP = 20;
const MOST_SAMPLES = 128;

const count = z
  .int()
  .positive()
  .max(2 ** 31 - 1);

/** Parameters of both endpoints, under the names of OpenAI and, for what it lacks, of vLLM. */
export const COMMON = {
  model: z.string(),
  n: z.int().min(1).max(MOST_SAMPLES).default(1),
  seed: z.int().optional(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(MOST_STOPS)]).optional(),
  temperature: z.number().min(0).max(100).optional(),
  top_p: z.number().positive().max(1).optional(),
  top_k: z.int().min(-1).optional(),
  min_p: z.number().min(0).max(1).optional(),
  repetition_penalty: z.number().positive().max(100).optional(),
  stop_token_ids: z.array(z.int().min(0)).max(256).optional(),
  ignore_eos: z.boolean().default(false),
  skip_special_tokens: z.boolean().default(true),
  return_token_ids: z.boolean().default(false),
  return_tokens_as_token_ids: z.boolean().default(false),
  stream: z.boolean().default(false),
  stream_options: z.strictObject({ include_usage: z.boolean().default(false) }).optional(),
};

export const maxTokens = count.optional();

type Common = z.infer<z.ZodObject<typeof COMMON>>;
export type CommonParameters = Omit<Common, "model">;

/** They change nothing in the text. */
const HARMLESS = new Set([
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
]);

const isEmpty = (value: unknown) => typeof value === "object" && Object.keys(value as object).length === 0;
const isOneOf =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);

/** What this server cannot do, and the values with which nothing is asked of it. */
const NEUTRAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  frequency_penalty: isOneOf(0),
  presence_penalty: isOneOf(0),
  logit_bias: isEmpty,
  tools: isEmpty,
  functions: isEmpty,
  tool_choice: isOneOf("none", "auto"),
  function_call: isOneOf("none", "auto"),
  response_format: (value) => (value as { type?: unknown }).type === "text",
  modalities: (value) => JSON.stringify(value) === '["text"]',
  suffix: isOneOf(""),
  best_of: isOneOf(1),
  min_tokens: isOneOf(0),
  use_beam_search: isOneOf(false),
  include_stop_str_in_output: isOneOf(false),
};

/**
 * Read the parameters of a request. `null` counts as left out, as OpenAI has it.
 *
 * @throws ApiError 400 that names the parameter: a wrong value, or one that this server does not know and that may change
 *   the text
 */
export function readParameters<Shape extends z.ZodObject>(schema: Shape, body: unknown): z.infer<Shape> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw badRequest("The body is no JSON object.");
  }
  const known = Object.entries(body).filter(([name, value]) => {
    if (value === null || HARMLESS.has(name)) return false;
    const isNeutral = Object.hasOwn(NEUTRAL, name) && !Object.hasOwn(schema.shape, name) ? NEUTRAL[name] : undefined;
    if (!isNeutral) return true;
    if (isNeutral(value)) return false;
    throw badRequest(`This server does not support ${name}; leave it out.`, name, "unsupported_parameter");
  });
  const { success, data, error } = schema.safeParse(Object.fromEntries(known));
  if (success) return data;
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
    const name = issue.keys[0]!.slice(0, 64);
    throw badRequest(`This server does not know the parameter ${name}; leave it out.`, name, "unknown_parameter");
  }
  const param = issue.path.join(".");
  throw badRequest(`${param}: ${issue.message}.`, param, "invalid_value");
}
