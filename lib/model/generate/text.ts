import { ThoughtbookError } from "../../core/index.js";
import { createTextStream } from "../tokenizer/text-stream.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

/** Decodes a generation as its ids come, up to the first stop string. */
export interface TextWatcher {
  /** All text so far that is certain; after a stop string was found, the text before it. */
  readonly text: string;
  /** Add an id; returns the new text that cannot be the beginning of a stop string. */
  push(id: number): string;
  /** Whether a stop string was found. */
  readonly stopped: boolean;
  /** The rest, when no more ids come. */
  end(): string;
}

export interface TextWatcherOptions {
  /** The prompt's ids: they decide whether the text begins with a space. */
  after: readonly number[];
  stopStrings: readonly string[];
  skipSpecialTokens: boolean;
}

/** Watch a text for stop strings, wherever token boundaries are. */
export function createTextWatcher(tokenizer: Tokenizer, options: TextWatcherOptions): TextWatcher {
  const { after, stopStrings, skipSpecialTokens } = options;
  const stream = createTextStream(tokenizer, { after: knownIds(tokenizer, after), skipSpecialTokens });
  let text = "";
  /** Number of characters returned so far. */
  let given = 0;
  let stopped = false;

  const take = (piece: string, ended: boolean): string => {
    if (stopped || (piece === "" && !ended)) return "";
    const before = text.length;
    text += piece;
    const found = firstOf(stopStrings, text, before);
    if (found >= 0) {
      stopped = true;
      text = text.slice(0, found);
    }
    const certain = stopped || ended ? text.length : text.length - openEnd(stopStrings, text);
    const fresh = text.slice(given, certain);
    given = Math.max(given, certain);
    return fresh;
  };
  return {
    get text() {
      return text;
    },
    get stopped() {
      return stopped;
    },
    push: (id) => (isKnown(tokenizer, id) ? take(stream.push(id), false) : ""),
    end: () => take(stopped ? "" : stream.end(), true),
  };
}

/** Number of prompt ids that decide how the text after it begins. */
const CONTEXT = 8;

/** The text that ids add to those before them; equal to what a watcher without stop strings returns, at once. */
export function textAfter(
  tokenizer: Tokenizer,
  before: readonly number[],
  ids: readonly number[],
  skipSpecialTokens: boolean,
): string {
  const isShown = (id: number) => isKnown(tokenizer, id) && !(skipSpecialTokens && tokenizer.specialIds.has(id));
  const context = before.filter(isShown).slice(-CONTEXT);
  // The prompt may end within the bytes of a character.
  const known = tokenizer.decode(context).replace(/\uFFFD$/, "");
  return tokenizer.decode([...context, ...ids.filter(isShown)]).slice(known.length);
}

const knownIds = (tokenizer: Tokenizer, ids: readonly number[]) => ids.filter((id) => isKnown(tokenizer, id));

/** Models round their vocabulary up: they have ids, and may generate them, that no tokenizer knows. */
function isKnown(tokenizer: Tokenizer, id: number): boolean {
  try {
    tokenizer.tokenOf(id);
    return true;
  } catch (error) {
    if (error instanceof ThoughtbookError) return false;
    throw error;
  }
}

/** Index of the first stop string that ends after `before`, or -1. */
function firstOf(stopStrings: readonly string[], text: string, before: number): number {
  let first = -1;
  for (const stop of stopStrings) {
    const at = text.indexOf(stop, Math.max(0, before - stop.length + 1));
    if (at >= 0 && (first < 0 || at < first)) first = at;
  }
  return first;
}

/** Number of characters at the end that may become a stop string. */
function openEnd(stopStrings: readonly string[], text: string): number {
  let longest = 0;
  for (const stop of stopStrings) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
