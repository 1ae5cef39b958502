import { z } from "zod";
import { sha256 } from "../../core/index.js";
import type { Prompt } from "../../llm/index.js";

/** Where a solution comes from. */
export const SOURCES = ["sample", "search", "revision", "reference"] as const;

/** A solution that is kept to learn from: right, or partly right. */
export const solutionSchema = z.strictObject({
  /** First 20 digits of the SHA-256 of the task's id and the solution's canonical form. */
  id: z.string(),
  task: z.string(),
  domain: z.enum(["math", "code"]),
  /** What was asked: a conversation or a text. */
  prompt: z.union([
    z.string(),
    z.looseObject({ messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })) }),
  ]),
  completion: z.string(),
  /** Outcome: 1 for a right answer, or a program that passes all tests; else 0. */
  reward: z.number().min(0).max(1),
  /** Partial reward by steps, or by the tests that the question shows. */
  stepReward: z.number().min(0).max(1),
  /** Round in which it was first found. */
  round: z.int().min(0),
  source: z.enum(SOURCES),
  tokens: z.int().min(0),
});
export type StoredSolution = z.infer<typeof solutionSchema>;

/** An attempt, kept or not: what difficulty and diversity are measured by. */
export const attemptSchema = z.strictObject({
  id: z.string(),
  task: z.string(),
  round: z.int().min(0),
  /** Id of its solution. */
  solution: z.string(),
  reward: z.number(),
  stepReward: z.number(),
  tokens: z.int().min(0),
});
export type StoredAttempt = z.infer<typeof attemptSchema>;

/**
 * The form by which equal solutions are told: of a calculation the text with single spaces; of a program, where spaces and names mean
 * something, without spaces at line ends and without empty lines.
 */
export function canonicalForm(domain: StoredSolution["domain"], completion: string): string {
  if (domain === "math") return completion.replace(/\s+/g, " ").trim();
  return completion
    .replace(/\r\n?/g, "\n")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}

export const solutionId = (task: string, domain: StoredSolution["domain"], completion: string): string =>
  sha256(`${task}\n${canonicalForm(domain, completion)}`).slice(0, 20);

/** A prompt as it is stored: without what its answer was begun with, which belongs to the completion. */
export function storedPrompt(prompt: Prompt): StoredSolution["prompt"] | undefined {
  if (typeof prompt === "string") return prompt;
  return "messages" in prompt ? ({ messages: prompt.messages } as StoredSolution["prompt"]) : undefined;
}
