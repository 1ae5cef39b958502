import { z } from "zod";
import { canonicalJson, sha256 } from "../../core/index.js";
import type { Json } from "../http/connection.js";

/** A line of an input file of OpenAI's Batch API. */
export interface BatchRequest {
  custom_id: string;
  method: "POST";
  url: string;
  body: Json;
}

export const requestSchema = z.object({
  custom_id: z.string().min(1),
  method: z.literal("POST"),
  url: z.string(),
  body: z.record(z.string(), z.unknown()),
});

/** A line of an output file, or of the file of errors. */
export const outputSchema = z.looseObject({
  custom_id: z.string().min(1),
  response: z.looseObject({ status_code: z.int().nullish(), body: z.unknown().optional() }).nullish(),
  error: z.unknown().optional(),
});
export type BatchOutput = z.infer<typeof outputSchema>;

/** A request with an id that follows from all it holds, so that the same request has the same answer. */
export function batchRequest(url: string, body: Json): BatchRequest {
  const id = sha256(canonicalJson({ url, body })).slice(0, 32);
  return { custom_id: `tb-${id}`, method: "POST", url, body };
}

/** Why an output holds no answer; undefined for one that does. */
export function outputFailure({ response, error }: BatchOutput): string | undefined {
  const status = response?.status_code;
  if (response && (status === undefined || status === null || status === 200) && response.body) return undefined;
  const told = error ?? (response?.body as { error?: unknown } | undefined)?.error ?? "no answer";
  const text = typeof told === "string" ? told : ((told as { message?: string }).message ?? JSON.stringify(told));
  return status && status !== 200 ? `status ${status}: ${text}` : text;
}
