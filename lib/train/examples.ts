import { createHash } from "node:crypto";
import { ThoughtbookError } from "../core/index.js";

/** The label of a token that the loss does not count. */
export const NOT_COUNTED = -100;

/** A text to train on, as Hugging Face's `input_ids` and `labels`. */
export interface Example {
  ids: Int32Array;
  /** For each token what the loss expects in its place: the token itself, or {@link NOT_COUNTED}. */
  labels: Int32Array;
}

/** Examples that are made while training goes on: more than memory holds, or than anyone wants on disk. */
export interface ExampleStream {
  /** Tells streams apart, in `run.json`. */
  fingerprint: string;
  /** Updates that are made with one chunk. */
  updatesPerChunk: number;
  /** Tokens that an example has at most. */
  longest: number;
  /** The examples of a chunk, from 0, always the same: at least as many as its updates need. */
  chunk(index: number): Promise<readonly Example[]>;
}

/** How much of an example takes part in training. */
export interface ExampleSize {
  /** Tokens that are put in: up to the one before the last counted one, as no later token changes the loss. */
  tokens: number;
  /** Tokens that are predicted and counted; the first of a text never is. */
  counted: number;
}

export function sizeOfExample({ labels }: Example): ExampleSize {
  let [tokens, counted] = [0, 0];
  for (let i = 1; i < labels.length; i++) {
    if (labels[i]! < 0) continue;
    tokens = i;
    counted++;
  }
  return { tokens, counted };
}

/**
 * An example from token ids.
 *
 * @param counts for each token whether the loss counts it; all unless told otherwise
 */
export function exampleOf(ids: readonly number[], counts: (index: number) => boolean = () => true): Example {
  return { ids: Int32Array.from(ids), labels: Int32Array.from(ids, (id, i) => (counts(i) ? id : NOT_COUNTED)) };
}

/**
 * Check that examples can be trained on, before any work.
 *
 * @throws bad-input (naming the example, counted from 0) for an id outside the vocabulary, labels of another number than
 *   ids, more tokens than the context has, or nothing that is counted
 */
export function checkExamples(
  what: string,
  examples: readonly Example[],
  { vocabularySize, maxPositions }: { vocabularySize: number; maxPositions: number },
): void {
  if (examples.length === 0) throw badInput(`there are no ${what}`, "Give at least one.");
  for (const [index, example] of examples.entries()) {
    const place = `${what}[${index}]`;
    checkIds(place, example, vocabularySize);
    const { tokens, counted } = sizeOfExample(example);
    if (counted === 0) throw badInput(`${place} has no token that is counted`, "Leave it out.");
    if (tokens > maxPositions) {
      throw badInput(
        `${place} needs ${tokens} positions, and the model has ${maxPositions}`,
        "Cut it or leave it out.",
      );
    }
  }
}

/** @throws bad-input for an id outside the vocabulary, or labels of another number than ids */
export function checkIds(place: string, { ids, labels }: Example, vocabularySize: number): void {
  if (ids.length !== labels.length) {
    throw badInput(`${place} has ${ids.length} ids and ${labels.length} labels`, "Give a label for each id.");
  }
  for (const [i, id] of ids.entries()) {
    if (id < 0 || id >= vocabularySize) {
      throw badInput(
        `${place}: id ${i} is ${id}, expected an integer from 0 to ${vocabularySize - 1}`,
        "Check that the ids come from the tokenizer of this model.",
      );
    }
    if (labels[i]! >= vocabularySize || (labels[i]! < 0 && labels[i] !== NOT_COUNTED)) {
      throw badInput(
        `${place}: label ${i} is ${labels[i]}, expected an integer from 0 to ${vocabularySize - 1}, or ${NOT_COUNTED}`,
        `${NOT_COUNTED} is for tokens that the loss does not count.`,
      );
    }
  }
}

/** A fingerprint of examples in their order; 64 hexadecimal digits. */
export function hashExamples(examples: readonly Example[]): string {
  const hash = createHash("sha256");
  for (const { ids, labels } of examples) {
    hash.update(`${ids.length},`).update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
    hash.update(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength));
  }
  return hash.digest("hex");
}

const badInput = (message: string, hint: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", message, { hint });
