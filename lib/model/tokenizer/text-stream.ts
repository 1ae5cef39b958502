import type { DecodeOptions, Tokenizer } from "./tokenizer.js";

export interface TextStreamOptions extends DecodeOptions {
  /** Ids before the first one of the stream, such as the prompt's: they decide whether its text begins with a space. */
  after?: readonly number[];
}

/** Decodes ids as they come. Everything it returns, joined, is the text of all ids. */
export interface TextStream {
  /** The text that became certain with this id: none while a character lacks some of its bytes. */
  push(id: number): string;
  /** The rest, when no more ids come: bytes that did not become a character, as U+FFFD. */
  end(): string;
}

/** Number of ids before the stream that is enough to hold a whole character. */
const CONTEXT = 8;

/**
 * Decode ids one by one, without the replacement characters of half a character.
 *
 * Decodes a short window only, from the last id whose text was returned, as vLLM and TGI do: the text that an id adds
 * depends only on the ids shortly before it.
 *
 * @throws bad-input from `push` for an id outside the vocabulary
 */
export function createTextStream(tokenizer: Tokenizer, options: TextStreamOptions = {}): TextStream {
  const { skipSpecialTokens = false, after = [] } = options;
  const shown = (id: number) => !skipSpecialTokens || !tokenizer.specialIds.has(id);
  let window: number[] = after.filter(shown).slice(-CONTEXT);
  /** Number of ids at the start of the window that only serve as context. */
  let done = window.length;
  /** How much of the window's text was returned. */
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
