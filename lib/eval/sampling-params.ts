import { z } from "zod";
import { checkKeyValues, parseKeyValues } from "../core/index.js";

const KEYS = {
  temperature: { schema: z.number().nonnegative(), expected: "a number from 0, where 0 is greedy" },
  top_p: { schema: z.number().gt(0).lte(1), expected: "a number above 0 and at most 1" },
  top_k: { schema: z.int().gte(-1), expected: "a whole number above 0; 0 or -1 for no limit" },
  min_p: { schema: z.number().gte(0).lte(1), expected: "a number from 0 to 1" },
  max_tokens: { schema: z.int().positive(), expected: "a whole number above 0" },
  n: { schema: z.int().positive(), expected: "a whole number above 0" },
  seed: { schema: z.int(), expected: "a whole number" },
};

/** The parameters that were given. */
export interface SamplingParams {
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  max_tokens?: number;
  n?: number;
  seed?: number;
}

/** Defaults of A*-Thought's evaluation for what its `--sampling-params` leaves out. */
export const RELEASED_SAMPLING = { temperature: 0, top_p: 1, max_tokens: 32_768 } as const;

/**
 * Read sampling parameters by vLLM's names, `temperature=0.6,top_p=0.95,max_tokens=4096` or a dict literal with them.
 *
 * @throws bad-input for other keys, values out of range, and what cannot be read
 */
export function parseSamplingParams(text: string, source = "--sampling-params"): SamplingParams {
  return checkKeyValues(parseKeyValues(text, source), KEYS, source);
}
