import type { DecodeOptions, Tokenizer } from "./tokenizer.js";

export interface TextStreamOptions extends DecodeOptions {
  /** The ids before the first one of the stream, such as the prompt's: they decide whether its text begins with a space. */
  after?: readonly number[];
}

/** Turns ids into text as they come. All that it returns, joined, is the text of all ids. */
export interface TextStream {
  /** The text that is certain with this id: none while a character lacks some of its bytes. */
  push(id: number): string;
  /** The rest, when no more ids come: bytes that did not become a character, as U+FFFD. */
  end(): string;
}

/** So many ids before the stream are enough to hold a whole character. */
const CONTEXT = 8;

/**
 * Decode ids one by one, without the replacement characters of half a character.
 *
 * Decodes a short window only, from the last id whose text is out, as vLLM and TGI do: what an id adds to the text of the
 * ids before it depends on no others.
 *
 * @throws bad-input from `push` for an id outside the vocabulary
 */
export function createTextStream(tokenizer: Tokenizer, options: TextStreamOptions = {}): TextStream {
  const { skipSpecialTokens = false, after = [] } = options;
  const shown = (id: number) => !skipSpecialTokens || !tokenizer.specialIds.has(id);
  let window: number[] = after.filter(shown).slice(-CONTEXT);
  /** How many ids at the start of the window only show what goes before. */
  let done = window.length;
  /** How much of the window's text is out. */
  let length = complete(tokenizer.decode(window)).length;

  /** Let the window begin with the ids whose text came out last. */
  const restart = () => {
    window = window.slice(done);
    done = window.length;
    length = tokenizer.decode(window).length;
  };

  return {
    push(id) {
      tokenizer.tokenOf(id); // An id that is none leaves the stream as it was.
      if (!shown(id)) return "";
      window.push(id);
      const whole = tokenizer.decode(window);
      const text = complete(whole);
      const fresh = text.slice(length);
      if (text.length < whole.length) length = text.length;
      else if (fresh !== "") restart();
      return fresh;
    },
    end() {
      const rest = tokenizer.decode(window).slice(length);
      window = [];
      done = 0;
      length = 0;
      return rest;
    },
  };
}

/** The text without a replacement character at its end: the next bytes may make it a character. */
const complete = (text: string): string => (text.endsWith("\uFFFD") ? text.slice(0, -1) : text);
