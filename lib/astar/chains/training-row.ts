import { extractAnswer } from "../../answer/index.js";
import { badInput } from "../../core/index.js";
import type { LanguageModel } from "../../llm/index.js";
import type { ChatMessage } from "../../model/index.js";
import { OPERATIONS, operationMessage, styleOf, writeSolution } from "../../operations/index.js";
import type { CompressedRow } from "../compress/compressed-row.js";
import { readTagged, THOUGHT_TAGS, type ThoughtTags } from "./tags.js";

/** A conversation to train on, as `thoughtbook train` takes it. */
export interface TrainingConversation {
  messages: ChatMessage[];
}

/**
 * Which part of a solution students learn to write after the thought. A solution that states each step makes the
 * thought superfluous; with its answer alone, what the thought lacks is missing. A solution that states no answer is
 * kept whole.
 */
export const SOLUTION_PARTS = ["whole", "answer"] as const;
export type SolutionPart = (typeof SOLUTION_PARTS)[number];

export interface TrainingOptions {
  /** Model that is to learn from the rows. */
  student: Pick<LanguageModel, "operations">;
  /** Default: `whole`. */
  solutions?: SolutionPart | undefined;
}

/**
 * A compressed row as the conversation that a student learns from: asked to think, it writes the kept thought and the
 * solution. A model trained on operations is asked by the tag, another one in words.
 *
 * @throws bad-input for a row without these tags
 */
export function trainingConversation(
  { id, conversations: [user, assistant] }: Pick<CompressedRow, "id" | "conversations">,
  { student, solutions = "whole" }: TrainingOptions,
  tags: ThoughtTags = THOUGHT_TAGS,
): TrainingConversation {
  const parts = readTagged(assistant.value, tags);
  if ("missing" in parts) {
    throw badInput(`${id} has no ${parts.missing}`, "Give the tags that the rows were written with.");
  }
  const { thought } = parts;
  const solution = solutions === "whole" ? parts.solution : answerOnly(parts.solution);
  const { think } = OPERATIONS;
  const content = think.write({ kind: "cut-off", thought, thoughtEnded: true, partial: solution });
  return {
    messages: [
      operationMessage(think, { question: user.value }, styleOf(student, think)),
      { role: "assistant", content },
    ],
  };
}

function answerOnly(solution: string): string {
  const answer = extractAnswer(solution, "strict");
  return answer.ok ? writeSolution({ reasoning: "", answer: answer.value }) : solution;
}
