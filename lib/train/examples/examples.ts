import { createHash } from "node:crypto";
import { badInput } from "../../core/index.js";

/** Label of a token that is not counted in the loss. */
export const NOT_COUNTED = -100;

/** A training example, like Hugging Face's `input_ids` and `labels`. */
export interface Example {
  ids: Int32Array;
  /** Label of each token: the token itself, or {@link NOT_COUNTED}. */
  labels: Int32Array;
  /**
   * Where branches begin, in ascending order: texts that all continue the shared prefix before the first of them,
   * without seeing each other. Only packed batches support them. Default: none.
   */
  branches?: readonly number[] | undefined;
}

/** Examples generated during training: more than memory holds, or than anyone wants on disk. */
export interface ExampleStream {
  /** Identifies the stream, in `run.json`. */
  fingerprint: string;
  /** Number of updates made with one chunk. */
  updatesPerChunk: number;
  /** Maximum tokens of an example. */
  longest: number;
  /** Examples of a chunk, counted from 0, always the same: about as many as its updates need. */
  chunk(index: number): Promise<readonly Example[]>;
}

/** Number of tokens of an example that take part in training. */
export interface ExampleSize {
  /** Input tokens: up to the one before the last counted one, as no later token changes the loss. */
  tokens: number;
  /** Predicted and counted tokens; the first of a text never is. */
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
 * Make an example from token ids.
 *
 * @param counts for each token whether the loss counts it. Default: all
 */
export function exampleOf(ids: readonly number[], counts: (index: number) => boolean = () => true): Example {
  return { ids: Int32Array.from(ids), labels: Int32Array.from(ids, (id, i) => (counts(i) ? id : NOT_COUNTED)) };
}

/** A text that continues a shared prefix: its prompt, and what is to be learned. */
export interface Branch {
  prompt: readonly number[];
  completion: readonly number[];
}

/**
 * Join texts with a shared prefix into one example, so that the prefix is computed once: training on it is the same as
 * on the texts one by one.
 *
 * @throws bad-input for no shared prefix, no branch, or a branch without a prompt, whose first token the shared prefix would predict
 */
export function branchedExample(prefix: readonly number[], branches: readonly Branch[]): Example {
  if (prefix.length === 0 || branches.length === 0 || branches.some(({ prompt }) => prompt.length === 0)) {
    throw badInput("an example with branches lacks a part", "Give a shared prefix, and branches with a prompt each.");
  }
  const ids = [...prefix];
  const labels = prefix.map(() => NOT_COUNTED);
  const starts: number[] = [];
  for (const { prompt, completion } of branches) {
    starts.push(ids.length);
    ids.push(...prompt, ...completion);
    labels.push(...prompt.map(() => NOT_COUNTED), ...completion);
  }
  return { ids: Int32Array.from(ids), labels: Int32Array.from(labels), branches: starts };
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
    checkBranches(place, example);
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

function checkBranches(place: string, { ids, labels, branches = [] }: Example): void {
  for (const [i, start] of branches.entries()) {
    const follows = start > (i === 0 ? 0 : branches[i - 1]!) && start < ids.length;
    if (Number.isInteger(start) && follows && labels[start] === NOT_COUNTED) continue;
    throw badInput(
      `${place}: branch ${i} begins at ${start}`,
      "Branches begin after a shared prefix, one after the other, with a token that is not counted.",
    );
  }
}

/** Hash of examples in their order; 64 hexadecimal digits. */
export function hashExamples(examples: readonly Example[]): string {
  const hash = createHash("sha256");
  for (const { ids, labels, branches = [] } of examples) {
    hash
      .update(`${[ids.length, ...branches].join(":")},`)
      .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
    hash.update(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength));
  }
  return hash.digest("hex");
}
