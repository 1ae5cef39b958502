import { performance } from "node:perf_hooks";
import type { LocalModel } from "../llm/index.js";
import { openGenerator, type TextGenerator } from "../model/index.js";
import { ApiError, badRequest } from "./api-error.js";
import type { ResolvedOptions } from "./options.js";
import { createScorer, type Scorer } from "./scorer.js";

/** A model with what its requests share: one batch. */
export interface ServedModel {
  /** What requests call it. */
  readonly id: string;
  readonly model: LocalModel;
  /** Seconds since 1970. */
  readonly created: number;
  /** SHA-256 of configuration and weights; undefined if unknown. */
  readonly hash: string | undefined;
  readonly generator: TextGenerator;
  readonly scorer: Scorer;
  /** The most characters that a token can stand for. */
  readonly longestToken: number;
  /**
   * Take places for texts in progress; gives the function that frees them.
   * @throws ApiError 429 when there are too many, 400 when there could never be as many
   */
  reserve(texts: number): () => void;
  /** Wait for the requests in progress, then free the memory that the server took. */
  close(): Promise<void>;
}

/** Read the weights and open a generator. */
export async function openServedModel(
  id: string,
  model: LocalModel,
  { batchSize, maxTexts }: Pick<ResolvedOptions, "batchSize" | "maxTexts">,
): Promise<ServedModel> {
  const host = await model.running();
  const generator = openGenerator(host, { batchSize, session: model.session, fixedWeights: true });
  const hash = await model.hash();
  const pace = createPace();
  let taken = 0;
  return {
    id,
    model,
    created: Math.floor(Date.now() / 1000),
    hash,
    generator,
    scorer: createScorer(host, generator, model.session),
    longestToken: longestTokenOf(model),
    reserve(texts) {
      if (texts > maxTexts) {
        throw badRequest(
          `The request is for ${texts} texts, more than the ${maxTexts} that this server takes at a time.`,
          "n",
        );
      }
      if (taken + texts > maxTexts) {
        throw new ApiError(429, "Too many texts are in work or waiting. Try again later.", {
          type: "rate_limit_error",
          code: "queue_full",
          headers: { "retry-after": String(pace.secondsFor(taken + texts - maxTexts)) },
        });
      }
      if (taken === 0) pace.begin();
      taken += texts;
      let free = () => {
        taken -= texts;
        pace.ended(texts);
        free = () => {};
      };
      return () => free();
    },
    close: () => generator.close(),
  };
}

interface Pace {
  /** There is work again. */
  begin(): void;
  ended(texts: number): void;
  /** Seconds until this many texts have ended, from 1 to 60. */
  secondsFor(texts: number): number;
}

function createPace(): Pace {
  let last = 0;
  let secondsEach = 0;
  const seconds = () => performance.now() / 1000;
  return {
    begin() {
      last = seconds();
    },
    ended(texts) {
      const now = seconds();
      // A mean in which the newest counts an eighth.
      secondsEach += ((now - last) / texts - secondsEach) / 8;
      last = now;
    },
    secondsFor: (texts) => Math.min(60, Math.max(1, Math.ceil(secondsEach * texts))),
  };
}

function longestTokenOf({ tokenizer }: LocalModel): number {
  let longest = 1;
  for (let id = 0; id < (tokenizer?.vocabularySize ?? 0); id++) {
    try {
      longest = Math.max(longest, tokenizer!.tokenOf(id).length);
    } catch {
      // Vocabularies have gaps.
    }
  }
  return longest;
}
