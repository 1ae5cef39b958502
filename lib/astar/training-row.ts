import type { LanguageModel } from "../llm/index.js";
import type { ChatMessage } from "../model/index.js";
import { OPERATIONS, operationMessage, styleOf } from "../operations/index.js";
import type { CompressedRow } from "./compressed-row.js";
import { badInput } from "./step-set.js";
import { readTagged, THOUGHT_TAGS, type ThoughtTags } from "./tags.js";

/** A conversation to train on, as `thoughtbook train` takes it. */
export interface TrainingConversation {
  messages: ChatMessage[];
}

/**
 * A compressed row as the conversation that a student learns from: asked to think, it writes the kept thought and the
 * solution. A model trained on operations is asked by the tag, another one in words.
 *
 * @throws bad-input for a row without these tags
 */
export function trainingConversation(
  student: Pick<LanguageModel, "operations">,
  { id, conversations: [user, assistant] }: Pick<CompressedRow, "id" | "conversations">,
  tags: ThoughtTags = THOUGHT_TAGS,
): TrainingConversation {
  const parts = readTagged(assistant.value, tags);
  if ("missing" in parts) {
    throw badInput(`${id} has no ${parts.missing}`, "Give the tags that the rows were written with.");
  }
  const { thought, solution } = parts;
  const { think } = OPERATIONS;
  const content = think.write({ kind: "cut-off", thought, thoughtEnded: true, partial: solution });
  return {
    messages: [
      operationMessage(think, { question: user.value }, styleOf(student, think)),
      { role: "assistant", content },
    ],
  };
}
