/** A byte as a character of the vocabulary's names: itself where that is visible, else one from U+0100 on. */
const CHARACTERS: readonly string[] = byteCharacters();

/**
 * The 256 characters that stand for bytes in the names of byte-level tokens, as GPT-2 chose them, in the order of
 * Unicode: a space is "Ġ", a newline "Ċ".
 */
export const BYTE_ALPHABET: readonly string[] = [...CHARACTERS].sort();

/** The text's bytes in UTF-8, each as its place in {@link BYTE_ALPHABET}. */
export function alphabetPlaces(text: string): Uint8Array {
  return Buffer.from(text).map((byte) => PLACES[byte]!);
}

/** The byte that a character of the alphabet stands for. */
export const byteOf = (character: string): number => CHARACTERS.indexOf(character);

const PLACES = Uint8Array.from(CHARACTERS, (character) => BYTE_ALPHABET.indexOf(character));

function byteCharacters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(visible ? byte : next++);
  });
}
