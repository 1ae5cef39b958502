import { canonicalJson, sha256 } from "../core/index.js";
import type { Completion, LanguageModel, TextRequest } from "../llm/index.js";

/** A model that remembers its texts. */
export interface RememberingModel {
  model: LanguageModel;
  /** Forget all texts. */
  forget(): void;
}

/**
 * A model that writes the n-th sample of a request once: asked for again, by another trajectory with the same beginning, it is the
 * text from before, with the tokens that it cost then. Only requests with a seed, or greedy ones, are remembered.
 */
export function rememberTexts(model: LanguageModel): RememberingModel {
  const texts = new Map<string, Completion>();
  const remembering: LanguageModel = {
    ...model,
    async generate(requests, options = {}) {
      const { onFinish } = options;
      const results: Completion[][] = requests.map(() => []);
      const wanted: { request: TextRequest; at: number; sample: number; key: string | undefined; first: number }[] = [];
      for (const [at, request] of requests.entries()) {
        const { samples = options.samples ?? 1, firstSample: first = options.firstSample ?? 0, ...rest } = request;
        const key = keyOf(rest);
        const known = Array.from({ length: samples }, (_, sample) => texts.get(`${key}#${first + sample}`));
        for (let sample = 0; sample < samples; sample++) {
          const text = key === undefined ? undefined : known[sample];
          const last = wanted.at(-1);
          if (text) {
            results[at]![sample] = text;
            onFinish?.(text, { request: at, sample });
          } else if (last?.at === at && last.sample + last.request.samples! === sample) {
            // Samples in a row stay one request: the prompt is then computed once.
            last.request = { ...last.request, samples: last.request.samples! + 1 };
          } else {
            wanted.push({ request: { ...request, samples: 1, firstSample: first + sample }, at, sample, key, first });
          }
        }
      }
      if (wanted.length === 0) return results;
      await model.generate(
        wanted.map(({ request }) => request),
        {
          ...options,
          onFinish(completion, place) {
            const { at, sample: start, key, first } = wanted[place.request]!;
            const sample = start + place.sample;
            if (key !== undefined) texts.set(`${key}#${first + sample}`, completion);
            results[at]![sample] = completion;
            onFinish?.(completion, { request: at, sample });
          },
        },
      );
      return results;
    },
  };
  return { model: remembering, forget: () => texts.clear() };
}

function keyOf({ prompt, seed, temperature, ...rest }: TextRequest): string | undefined {
  if (typeof prompt === "object" && "embeddings" in prompt) return undefined;
  if (seed === undefined && temperature) return undefined;
  return sha256(canonicalJson({ prompt, seed, temperature, ...rest }));
}
