import { setImmediate as nextTurn } from "node:timers/promises";
import { badInput } from "../../core/index.js";
import type { Component } from "./components.js";
import { openPreTokenizer } from "./library.js";

/** How often each word occurs in a corpus. */
export type WordCounts = ReadonlyMap<string, number>;

export interface CountOptions {
  /** How texts are cut into words. */
  preTokenizer: Component;
  /** Called now and then with the characters (UTF-16 units) read so far. */
  onProgress?: ((characters: number) => void) | undefined;
}

const TURN_MS = 100;

/**
 * Cut the texts of a corpus into words and count them. Lets the event loop have a turn every tenth of a second.
 *
 * @throws bad-input for an item that is no text, or a corpus without any text
 */
export async function countWords(
  corpus: Iterable<string> | AsyncIterable<string>,
  { preTokenizer, onProgress }: CountOptions,
): Promise<WordCounts> {
  const split = openPreTokenizer(preTokenizer);
  const counts = new Map<string, number>();
  let characters = 0;
  let items = 0;
  let turn = performance.now();
  for await (const text of corpus) {
    if (typeof text !== "string") {
      throw badInput(
        `item ${items} of the corpus is of type ${typeof text}, expected a string`,
        "Give the texts, not records that hold them.",
      );
    }
    for (const word of split(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    characters += text.length;
    items++;
    if (performance.now() - turn >= TURN_MS) {
      onProgress?.(characters);
      await nextTurn();
      turn = performance.now();
    }
  }
  if (counts.size === 0) {
    throw badInput(`the corpus of ${items} items holds no text`, "Give the texts that the model is to be trained on.");
  }
  onProgress?.(characters);
  return counts;
}
