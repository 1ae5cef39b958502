import * as z from "zod";
import { requireCapability } from "../capabilities.js";
import type { ChatPrompt, Prompt } from "../language-model.js";
import type { Json } from "./connection.js";
import { wrongAnswer } from "./fault.js";
import { chatFields } from "./request.js";
import type { HttpServer } from "./server.js";

const TOKENS = z.object({ tokens: z.array(z.number().int().nonnegative()) });
const RENDERED = z.object({ prompt: z.string() });

/**
 * Get the ids of a text or conversation from the server's own tokenizer.
 *
 * @param ask posts a body to a path outside of the protocol
 * @param begins whether the text stands at the beginning, or continues another one
 * @throws corrupt-data, bad-input (embeddings), and what `ask` throws
 */
export async function idsBy(
  ask: (path: string, body: Json) => Promise<unknown>,
  server: HttpServer,
  prompt: Prompt,
  begins: boolean,
): Promise<readonly number[]> {
  if (typeof prompt === "object" && "embeddings" in prompt) requireCapability(server, "softPrompts");
  if (typeof prompt === "object" && "ids" in prompt) return prompt.ids;
  const chat = typeof prompt === "string" ? undefined : (prompt as ChatPrompt);
  if (server.dialect.tokenize === "vllm") {
    const what = chat
      ? { add_generation_prompt: true, ...chatFields(server, chat) }
      : {
          prompt,
          add_special_tokens: begins,
          ...(begins || server.dialectName !== "thoughtbook" ? {} : { continues: true }),
        };
    return tokensOf(await ask("/tokenize", { model: server.model, ...what }));
  }
  let text = prompt;
  if (chat) {
    const rendered = RENDERED.safeParse(await ask("/apply-template", chatFields(server, chat)));
    if (!rendered.success) throw wrongAnswer("an answer without the conversation as a text");
    text = rendered.data.prompt;
  }
  return tokensOf(await ask("/tokenize", { content: text, add_special: begins, parse_special: true }));
}

function tokensOf(value: unknown): number[] {
  const result = TOKENS.safeParse(value);
  if (result.success) return result.data.tokens;
  throw wrongAnswer("an answer without tokens");
}
