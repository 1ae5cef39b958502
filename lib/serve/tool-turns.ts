import { ThoughtbookError } from "../core/index.js";
import { type ChatMessage, type ChatTemplate, renderChat, type Tokenizer } from "../model/index.js";

/** What a chat template does with the turns of tools. */
interface ToolSupport {
  /** How it takes the arguments of calls; undefined where it writes no calls at all. */
  calls: "object" | "text" | undefined;
  /** Whether it writes the turns of the role `tool`. */
  results: boolean;
}

interface ToolCall {
  /** Arguments as OpenAI's API has them, JSON in a string; or as they are. */
  function: { name: string; arguments?: unknown };
}

const supports = new WeakMap<ChatTemplate, ToolSupport>();

/**
 * A conversation with calls of tools and their results, for a template. What the template knows is left to it; else calls
 * are written into the assistant's text, and results into a turn of the user, between the tags that Hermes and Qwen use.
 */
export function writeToolTurns(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
): ChatMessage[] {
  const isOfTools = ({ role, tool_calls: calls }: ChatMessage) => role === "tool" || calls !== undefined;
  if (!messages.some(isOfTools)) return [...messages];
  const support = supports.get(template) ?? supportOf(template, tokenizer);
  supports.set(template, support);
  const written: ChatMessage[] = [];
  let results: ChatMessage | undefined;
  for (const message of messages) {
    if (message.role === "tool" && !support.results) {
      const text = `<tool_response>\n${message.content}\n</tool_response>`;
      // Many templates want the user and the assistant in turn.
      if (results) results.content += `\n${text}`;
      else {
        results = { role: "user", content: text };
        written.push(results);
      }
      continue;
    }
    results = undefined;
    written.push(message.tool_calls ? writeCalls(message, support) : message);
  }
  return written;
}

function writeCalls({ tool_calls: given, ...message }: ChatMessage, { calls: form }: ToolSupport): ChatMessage {
  const calls = given as ToolCall[];
  if (form !== undefined) return { ...message, tool_calls: calls.map(form === "object" ? withObject : withText) };
  const texts = calls.map(({ function: { name, arguments: given } }) => {
    return `<tool_call>\n${JSON.stringify({ name, arguments: readArguments(given) })}\n</tool_call>`;
  });
  return { ...message, content: [message.content, ...texts].filter((text) => text !== "").join("\n") };
}

const withArguments = (call: ToolCall, written: unknown): ToolCall => ({
  ...call,
  function: { ...call.function, arguments: written },
});
const withObject = (call: ToolCall): ToolCall => withArguments(call, readArguments(call.function.arguments));
function withText(call: ToolCall): ToolCall {
  const given = call.function.arguments ?? {};
  return withArguments(call, typeof given === "string" ? given || "{}" : JSON.stringify(given));
}

function readArguments(given: unknown = {}): unknown {
  if (typeof given !== "string") return given ?? {};
  if (given.trim() === "") return {};
  try {
    return JSON.parse(given);
  } catch {
    // A model wrote it; templates can write it as the text that it is.
    return given;
  }
}

const [NAME, VALUE, RESULT] = ["probed_name", "probed value", "probed result"];

/** Find out by writing a conversation with a call. */
function supportOf(template: ChatTemplate, tokenizer: Tokenizer): ToolSupport {
  const user = { role: "user", content: "probe" };
  // Mistral's templates want ids of nine letters and digits.
  const id = "probe0001";
  const call = { id, type: "function", function: { name: NAME, arguments: { key: VALUE } } };
  const calling = (calls: unknown[]) => ({ role: "assistant", content: "", tool_calls: calls });
  const byForm = { object: calling([call]), text: calling([withText(call)]) };
  const holds = (text: string | undefined, ...parts: string[]) => parts.every((part) => text?.includes(part));
  const calls = (["object", "text"] as const).find((form) => {
    return holds(write(template, [user, byForm[form]]), NAME, VALUE);
  });
  const before = calls ? byForm[calls] : { role: "assistant", content: "probe" };
  const result = { role: "tool", content: RESULT, tool_call_id: id, name: NAME };
  const text = write(template, [user, before, result]);
  const asUser = write(template, [user, before, { ...user, content: RESULT }]);
  return { calls, results: holds(text, RESULT) && (knowsTools(template) || !breaksTokens(tokenizer, asUser, text)) };
}

const knowsTools = ({ text }: ChatTemplate): boolean => /["']tool["']/.test(text);

/** Whether a template writes any role between the signs of a special token, of which there is none for tools. */
function breaksTokens(tokenizer: Tokenizer, asUser = "", asTool = ""): boolean {
  const names = Array.from(tokenizer.specialIds, tokenizer.tokenOf);
  const count = (text: string) => names.reduce((sum, name) => sum + text.split(name).length - 1, 0);
  return count(asTool) < count(asUser);
}

function write(template: ChatTemplate, messages: readonly ChatMessage[]): string | undefined {
  try {
    return renderChat(template, messages, { addGenerationPrompt: true });
  } catch (error) {
    if (error instanceof ThoughtbookError) return undefined;
    throw error;
  }
}
