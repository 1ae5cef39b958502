import type { LocalModel } from "../llm/index.js";
import { type TokenLogProb, tokenBytes, tokenText } from "../model/index.js";

/** A token with its log-probability, or undefined for the first of a text, and the most probable ones in its place. */
export interface ScoredToken {
  id: number;
  logProb: number | undefined;
  top: readonly TokenLogProb[];
}

/** How tokens are written: by their text, or as `token_id:5`. */
export interface TokenWriter {
  text(id: number): string;
  bytes(id: number): Uint8Array | undefined;
  /** Characters (of Unicode) that the token adds to a text, or begins one with. */
  length(id: number, begins: boolean): number;
}

export interface TokenWriterOptions {
  asIds: boolean;
  /** Whether special tokens are left out of the text. */
  skipSpecial: boolean;
}

/** Without a tokenizer, tokens are written as ids. */
export function createTokenWriter({ tokenizer }: LocalModel, { asIds, skipSpecial }: TokenWriterOptions): TokenWriter {
  const known = new Map<number, Uint8Array>();
  const bytes = (id: number) => {
    const found = known.get(id) ?? tokenBytes(tokenizer!, id);
    known.set(id, found);
    return found;
  };
  const isHidden = (id: number) => skipSpecial && tokenizer!.specialIds.has(id);
  return {
    text: (id) => (asIds || !tokenizer ? `token_id:${id}` : tokenText(bytes(id))),
    bytes: (id) => (tokenizer ? bytes(id) : undefined),
    length(id, begins) {
      if (!tokenizer || bytes(id).length === 0 || isHidden(id)) return 0;
      // SentencePiece leaves out the space that begins a text.
      if (begins) return [...tokenizer.decode([id])].length;
      // Bytes that continue a character add none.
      return bytes(id).filter((byte) => (byte & 0xc0) !== 0x80).length;
    },
  };
}

/** Lowest log-probability that is sent: JSON has no infinity. */
const finite = (logProb: number) => Math.max(logProb, -9999);

/** One entry of a chat's `logprobs.content`. */
export function chatLogProb(writer: TokenWriter, { id, logProb = 0, top }: ScoredToken): object {
  const entry = (each: TokenLogProb) => {
    const bytes = writer.bytes(each.id);
    return { token: writer.text(each.id), logprob: finite(each.logProb), bytes: bytes ? [...bytes] : null };
  };
  return { ...entry({ id, logProb }), top_logprobs: top.map(entry) };
}

export interface CompletionLogProbs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  text_offset: number[];
}

/**
 * A completion's `logprobs`. Besides the most probable tokens `top_logprobs` has the one that was chosen.
 *
 * @param offset characters (of Unicode) before the first of these tokens
 */
export function completionLogProbs(
  writer: TokenWriter,
  tokens: readonly ScoredToken[],
  offset: number,
): { logProbs: CompletionLogProbs; end: number } {
  let end = offset;
  const offsets = tokens.map(({ id }) => {
    const start = end;
    end += writer.length(id, end === 0);
    return start;
  });
  const topOf = ({ id, logProb, top }: ScoredToken) =>
    logProb === undefined
      ? null
      : Object.fromEntries([...top, { id, logProb }].map((each) => [writer.text(each.id), finite(each.logProb)]));
  const logProbs = {
    tokens: tokens.map(({ id }) => writer.text(id)),
    token_logprobs: tokens.map(({ logProb }) => (logProb === undefined ? null : finite(logProb))),
    top_logprobs: tokens.map(topOf),
    text_offset: offsets,
  };
  return { logProbs, end };
}
