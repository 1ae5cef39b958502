import { z } from "zod";
import { ThoughtbookError } from "../core/index.js";
import { type ChatPrompt, requireCapability } from "../llm/index.js";
import type { ChatMessage } from "../model/index.js";
import { badRequest } from "./api-error.js";
import type { ServedModel } from "./served-model.js";
import { checkTextLength } from "./text-job.js";
import { writeToolTurns } from "./tool-turns.js";

const part = z.union(
  [
    z.object({ type: z.enum(["text", "input_text", "output_text"]), text: z.string() }),
    z.object({ type: z.literal("refusal"), refusal: z.string() }).transform(({ refusal }) => ({ text: refusal })),
  ],
  { error: "only parts of type text are supported" },
);
const calledFunction = z.looseObject({
  name: z.string().min(1),
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
});
const toolCall = z.looseObject({
  id: z.string().nullish(),
  type: z.literal("function", { error: "only calls of type function are supported" }).nullish(),
  function: calledFunction,
});
const message = z
  // Templates may read further fields, such as `reasoning_content`.
  .looseObject({
    role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
    content: z.union([z.string(), z.array(part)], { error: "expected a string or a list of text parts" }).nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
    function_call: calledFunction.nullish(),
    // Left out of the prompt, it would change what it says.
    audio: z.null({ error: "only text is supported" }).optional(),
  })
  .superRefine(({ role, content, tool_calls: calls, function_call: call }, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    if (role === "assistant") return;
    if (typeof content !== "string" && !content) refuse("content", "expected a string or a list of text parts");
    if (calls?.length) refuse("tool_calls", "only the assistant calls");
    if (call) refuse("function_call", "only the assistant calls");
  });

/** Options for writing a conversation, under vLLM's names where OpenAI has none. */
export const CONVERSATION = {
  messages: z.array(message).min(1),
  /** Variables of the model's chat template. */
  chat_template_kwargs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  /** The last message is the assistant's, and the model continues it. */
  continue_final_message: z.boolean().default(false),
  add_generation_prompt: z.boolean().optional(),
};

type Conversation = z.infer<z.ZodObject<typeof CONVERSATION>>;

/** OpenAI's newer or older names for the same, which templates do not know. */
const ROLES: Readonly<Record<string, string>> = { developer: "system", function: "tool" };

/** A message as templates read them: content is a text, and what is null is not there. */
function toChatMessage({ role, content, refusal, tool_calls, function_call, ...rest }: z.infer<typeof message>) {
  const calls = [...(tool_calls ?? []), ...(function_call ? [{ function: function_call }] : [])];
  const text = typeof content === "string" ? content : content?.map(({ text }) => text).join("");
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const message: ChatMessage = { ...known, role: ROLES[role] ?? role, content: text ?? refusal ?? "" };
  if (calls.length === 0) return message;
  const written = calls.map(({ function: called, ...call }) => ({
    ...Object.fromEntries(Object.entries(call).filter(([, value]) => value !== null)),
    type: "function",
    function: called,
  }));
  return { ...message, tool_calls: written };
}

/** The ids of a conversation up to the assistant's turn. Throws ApiError 400; bad-input. */
export function encodeConversation(served: ServedModel, body: Conversation): number[] {
  const { model } = served;
  requireCapability(model, "chat");
  const messages = body.messages.map(toChatMessage);
  checkTextLength(
    served,
    messages.reduce((sum, message) => sum + lengthOf(message), 0),
    "messages",
  );
  const goesOn = body.continue_final_message;
  if (goesOn === (body.add_generation_prompt ?? !goesOn)) {
    throw badRequest(
      "One of add_generation_prompt and continue_final_message must be true, and only one.",
      "add_generation_prompt",
    );
  }
  const last = messages.at(-1)!;
  if (goesOn && (last.role !== "assistant" || last.tool_calls)) {
    throw badRequest(
      "continue_final_message needs a last message of the assistant that is a text.",
      "continue_final_message",
    );
  }
  const prompt: Omit<ChatPrompt, "messages"> = {
    answer: goesOn ? last.content : undefined,
    variables: body.chat_template_kwargs,
  };
  try {
    const before = goesOn ? messages.slice(0, -1) : messages;
    return model.encode({ ...prompt, messages: writeToolTurns(model.chatTemplate!, model.tokenizer!, before) });
  } catch (error) {
    // What the template has against the conversation.
    if (!(error instanceof ThoughtbookError && error.code === "bad-input")) throw error;
    throw badRequest(`${error.message}.${error.hint ? ` ${error.hint}` : ""}`, "messages");
  }
}

/** Characters of a message that may come into the prompt. */
const lengthOf = (message: ChatMessage): number =>
  Object.values(message).reduce<number>(
    (sum, value) => sum + (typeof value === "string" ? value.length : (JSON.stringify(value) ?? "").length),
    0,
  );
