import { interruptible, ThoughtbookError } from "../../core/index.js";
import type { GenerateOptions, Generation, ResolvedRequest } from "./request.js";
import type { Sequence, TextOptions } from "./sequence.js";

/** Requests that were given to a generator together. */
export interface Submission {
  readonly options: TextOptions & Pick<GenerateOptions, "signal" | "onFinish" | "onPrompt">;
  /** Whether no more work is needed for it: all its texts are complete, or it has failed. */
  readonly ended: boolean;
  /** All texts, by request and sample; rejected when it fails. */
  readonly texts: Promise<Generation[]>;
  /** Store a complete text. */
  finish(text: Generation): void;
  fail(error: unknown): void;
}

/** A text in progress, with its submission. */
export interface SubmittedText extends Sequence {
  submission: Submission;
}

export function createSubmission(requests: readonly ResolvedRequest[], given: Submission["options"]): Submission {
  const options = { ...given, signal: interruptible(given.signal) };
  const texts: Generation[] = [];
  const all = requests.reduce((sum, { samples }) => sum + samples, 0);
  let ended = false;
  let resolve: (texts: Generation[]) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const result = new Promise<Generation[]>((onDone, onFailure) => {
    resolve = onDone;
    reject = onFailure;
  });
  return {
    options,
    texts: result,
    get ended() {
      return ended;
    },
    finish(text) {
      texts.push(text);
      options.onFinish?.(text);
      if (texts.length < all) return;
      ended = true;
      resolve(texts.sort((a, b) => a.request - b.request || a.sample - b.sample));
    },
    fail(error) {
      ended = true;
      reject(error);
    },
  };
}

/** End an interrupted submission; returns whether there is still work for it. */
export function isWanted(submission: Submission): boolean {
  const { signal } = submission.options;
  if (!submission.ended && signal?.aborted) {
    submission.fail(
      new ThoughtbookError("interrupted", "generating text was interrupted", {
        hint: "Run it again.",
        cause: signal.reason,
      }),
    );
  }
  return !submission.ended;
}
