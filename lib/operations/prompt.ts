import { type LanguageModel, type Prompt, requireCapability } from "../llm/index.js";
import type { ChatMessage } from "../model/index.js";
import { OPERATIONS } from "./all.js";
import { wayOf } from "./asking/asked-model.js";
import { askedChat, askedParts, askedText } from "./asking/messages.js";
import type { Way } from "./asking/table.js";
import type { OperationExample } from "./examples.js";
import type { Operation } from "./operation.js";

/**
 * How a model is told what to do: by the instruction in words, or by the operation's tag, which models trained on
 * operations know.
 */
export type PromptStyle = "instruction" | "tag";

/** Style for a model: the tag if the model declares that it knows the operation. */
export const styleOf = (
  { operations }: Pick<LanguageModel, "operations">,
  { name }: Pick<Operation<never, unknown>, "name">,
): PromptStyle => (operations?.has(name) ? "tag" : "instruction");

/**
 * The chat template of models trained on operations. A message's field `operation` names its operation, whose tag the
 * template writes as a special token; in the content the same characters would be read as text, so a question cannot
 * name an operation. The tag comes last, so that one question can be computed once for several operations.
 */
export const OPERATION_CHAT_TEMPLATE =
  "{% for message in messages %}{% if message.role == 'assistant' %}<|assistant|>{{ message.content }}{{ eos_token }}" +
  "{% else %}<|{{ message.role }}|>{{ message.content }}{% if message.operation %}<|{{ message.operation }}|>{% endif %}{% endif %}" +
  "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

/** The user's message that requests an operation. */
export const operationMessage = <Input>(
  { name, instruction, render }: Pick<Operation<Input, unknown>, "name" | "instruction" | "render">,
  input: Input,
  style: PromptStyle,
): ChatMessage =>
  style === "tag"
    ? { role: "user", operation: name, content: render(input) }
    : { role: "user", content: `${instruction}\n\n${render(input)}` };

/** An example as a conversation to train on. Default: with its tag. */
export function exampleMessages(
  {
    operation,
    prompt,
    given = "",
    completion,
  }: Pick<OperationExample, "operation" | "prompt" | "given" | "completion">,
  style: PromptStyle = "tag",
): ChatMessage[] {
  const { name, instruction } = OPERATIONS[operation];
  return [
    operationMessage({ name, instruction, render: () => prompt }, undefined, style),
    { role: "assistant", content: `${given}${completion}` },
  ];
}

/** Parts of a prompt around the operation. */
export interface PromptFrame {
  /** The system prompt; see `requireSystemRole` for models that take one. */
  system?: string | undefined;
  /** Beginning of the model's text, which it continues. */
  prefill?: string | undefined;
}

/** How a model is asked for an operation by its kind; undefined by a tag, or where only the operation's instruction counts. */
export const askedWay = (
  model: Pick<LanguageModel, "operations">,
  operation: Pick<Operation<never, unknown>, "name">,
  style: PromptStyle = styleOf(model, operation),
): Way | undefined => (style === "tag" ? undefined : wayOf(model, operation.name));

/**
 * Write the prompt of an operation: a conversation, or a plain text for models without a chat template. Of an
 * `askedModel` it is written as its kind is asked, with demonstrations and the beginning of the answer.
 *
 * @throws bad-input for a system prompt to a model without a chat template
 */
export function operationPrompt<Input>(
  model: Pick<LanguageModel, "name" | "capabilities" | "operations">,
  operation: Operation<Input, unknown>,
  input: Input,
  style: PromptStyle = styleOf(model, operation),
  { system, prefill }: PromptFrame = {},
): Prompt {
  if (system !== undefined) requireCapability(model, "chat", "a system prompt");
  const way = askedWay(model, operation, style);
  if (way) {
    const parts = askedParts(model, operation, input, way, { system, prefill });
    return model.capabilities.has("chat") ? askedChat(parts) : askedText(parts);
  }
  if (model.capabilities.has("chat")) {
    const message = operationMessage(operation, input, style);
    const messages = system === undefined ? [message] : [{ role: "system", content: system }, message];
    return prefill ? { messages, answer: prefill } : { messages };
  }
  const said = operation.render(input);
  const begun = style === "tag" ? `${operation.tag}${said}\n` : `${operation.instruction}\n\n${said}\n\nAnswer:\n`;
  return `${begun}${prefill ?? ""}`;
}
