import { BYTE_ALPHABET, byteOf } from "./bpe-alphabet.js";
import type { Tokenizer } from "./tokenizer.js";

const ALPHABET = new Set(BYTE_ALPHABET);

/**
 * The bytes of UTF-8 that a token stands for within a text; they may be a part of a character only. None for an id that
 * the tokenizer does not know, which models that round their vocabulary up may give.
 */
export function tokenBytes(tokenizer: Tokenizer, id: number): Uint8Array {
  if (!(Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize)) return new Uint8Array();
  const name = tokenizer.tokenOf(id);
  const fallBack = /^<0x([0-9A-F]{2})>$/.exec(name);
  if (fallBack) return Uint8Array.of(Number.parseInt(fallBack[1]!, 16));
  const alone = tokenizer.decode([id]);
  if ([...name].every((character) => ALPHABET.has(character))) {
    const bytes = Uint8Array.from([...name], byteOf);
    // Other vocabularies have names of such characters, too.
    if (new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) === alone) return bytes;
  }
  // After another token: tokenizers in the manner of SentencePiece leave out the space that begins a text.
  return new TextEncoder().encode(tokenizer.decode([id, id]).slice(alone.length));
}

/** A token as text, as OpenAI writes it: bytes that are no whole characters as `bytes:\xe2\x82`. */
export function tokenText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
  }
}
