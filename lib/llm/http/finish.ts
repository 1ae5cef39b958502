import type { FinishReason } from "../language-model.js";
import { brokenAnswer } from "./fault.js";

/** Servers' words for why a text ended, in lower case, beside OpenAI's own. */
const WORDS: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  eos: "stop",
  eos_token: "stop",
  end_turn: "stop",
  end_of_text: "stop",
  stop_sequence: "stop",
  complete: "stop",
  length: "length",
  max_tokens: "length",
  max_length: "length",
  model_length: "length",
  token_limit: "length",
  content_filter: "content_filter",
  content_filtered: "content_filter",
  guardrail_intervened: "content_filter",
  prohibited_content: "content_filter",
  blocklist: "content_filter",
  recitation: "content_filter",
  refusal: "content_filter",
  safety: "content_filter",
  sensitive: "content_filter",
  spii: "content_filter",
  tool_calls: "tool_calls",
  tool_call: "tool_calls",
  tool_use: "tool_calls",
  function_call: "tool_calls",
};

/** The server gave up on the text: a retry may complete it. */
const BROKEN = /^(abort|aborted|cancel|canceled|cancelled|error|network_error|timeout)$/;

/** Finish reason of a text, and the server's word for it if it is none of these. */
export interface Finish {
  finishReason: FinishReason;
  serverReason?: string;
}

/** Maximum length of a server's word that is passed on. */
const SHOWN = 40;

/**
 * Map a server's finish reason. A complete text without one has ended for an unknown reason: `other`, with an empty
 * word.
 *
 * @throws corrupt-data for a text that the server gave up
 */
export function finishOf(reason: unknown): Finish {
  const told = typeof reason === "string" ? reason.trim() : reason == null ? "" : JSON.stringify(reason);
  const word = told.toLowerCase().replace(/[\s-]+/g, "_");
  if (BROKEN.test(word)) throw brokenAnswer("an answer that has no end");
  const finishReason = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return finishReason ? { finishReason } : { finishReason: "other", serverReason: told.slice(0, SHOWN) };
}
