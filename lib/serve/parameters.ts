import { z } from "zod";
import { badRequest } from "./api-error.js";
import { HARMLESS, isNeutral, isUnsupported, neutralOf } from "./neutral.js";

/** The most stop strings of a request. */
const MOST_STOPS = 16;
/** Maximum number of alternatives (most probable tokens) per position. */
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
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish(),
      /** vLLM's: the usage so far, of all texts of the request, in each event. */
      continuous_usage_stats: z.boolean().nullish(),
      include_obfuscation: z.boolean().nullish(),
    })
    .optional(),
};

export const maxTokens = count.optional();

export type StreamOptions = NonNullable<Common["stream_options"]>;

type Common = z.infer<z.ZodObject<typeof COMMON>>;
export type CommonParameters = Omit<Common, "model">;

/** With these nothing of the other is used, so it may be there. */
const SWITCHED_OFF = [
  ["tool_choice", "tools"],
  ["function_call", "functions"],
] as const;

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
  const given = body as Record<string, unknown>;
  const off = new Set<string>(SWITCHED_OFF.flatMap(([by, name]) => (given[by] === "none" ? [name] : [])));
  const known = Object.entries(given).filter(([name, value]) => {
    if (value === null || HARMLESS.has(name) || (off.has(name) && Array.isArray(value))) return false;
    if (Object.hasOwn(schema.shape, name) || !isUnsupported(name)) return true;
    if (isNeutral(name, value)) return false;
    const neutral = JSON.stringify(neutralOf(name));
    throw badRequest(
      `This server does not support ${name}; leave it out, or send ${neutral}.`,
      name,
      "unsupported_parameter",
    );
  });
  const { success, data, error } = schema.safeParse(Object.fromEntries(known));
  if (success) return data;
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const name = [...issue.path, issue.keys[0]!.slice(0, 64)].join(".");
    throw badRequest(`This server does not know the parameter ${name}; leave it out.`, name, "unknown_parameter");
  }
  const param = issue.path.join(".");
  throw badRequest(`${param}: ${issue.message}.`, param, "invalid_value");
}
