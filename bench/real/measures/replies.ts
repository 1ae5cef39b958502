import { z } from "zod";
import { PATIENCE_SECONDS, type RunningPeer } from "../processes.js";

const ids = z.array(z.array(z.int()));
const GENERATED = z.object({ seconds: z.number(), ids });
const DECODED = z.object({ seconds: z.number(), tokensPerSecond: z.number() });
const READ = z.object({ seconds: z.number() });
const SCORED = z.object({ seconds: z.number(), logProbs: z.array(z.array(z.number())) });

type Ids = readonly (readonly number[])[];

/** Requests that peers answer, this engine's and those in Python alike. */
export const generateOn = ({ process }: RunningPeer, prompts: Ids, newTokens: number, samples?: number) =>
  process.request("generate", { prompts, newTokens, ...(samples ? { samples } : {}) }, GENERATED, PATIENCE_SECONDS);

export const decodeOn = ({ process }: RunningPeer, prompts: Ids, newTokens: number) =>
  process.request("decode", { prompts, newTokens }, DECODED, PATIENCE_SECONDS);

export const readOn = ({ process }: RunningPeer, prompts: Ids) =>
  process.request("read", { prompts }, READ, PATIENCE_SECONDS);

export const scoreOn = ({ process }: RunningPeer, texts: Ids, batchSize = 8) =>
  process.request("score", { texts, batchSize }, SCORED, PATIENCE_SECONDS);

export const tokensOf = (texts: Ids): number => texts.reduce((sum, text) => sum + text.length, 0);
