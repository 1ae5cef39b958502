import { performance } from "node:perf_hooks";
import { isTokenModel, type LanguageModel, type ScoreRequest, type TextRequest } from "../../llm/index.js";

/** What one kind of work took. Tokens of texts read count as often as they were given; shared beginnings are not deducted. */
export interface Spent {
  /** Calls of the model, each of many texts, and these texts. */
  calls: number;
  texts: number;
  /** Tokens read and written, where they can be counted. */
  read: number;
  written: number;
  seconds: number;
}

/** Work by kind: steps weighed (scores with attention), paths scored, paths solved. */
export type SpentWork = Record<"weighing" | "scoring" | "solving", Spent>;

const nothing = (): Spent => ({ calls: 0, texts: 0, read: 0, written: 0, seconds: 0 });

export const noWork = (): SpentWork => ({ weighing: nothing(), scoring: nothing(), solving: nothing() });

/** The model, adding what its calls take to `spent`. */
export function metered<Model extends LanguageModel>(model: Model, spent: SpentWork): Model {
  const lengthOf = (part: TextRequest["prompt"] | ScoreRequest["continuation"], continues: boolean): number => {
    if (typeof part === "object" && "ids" in part) return part.ids.length;
    if (!isTokenModel(model) || (typeof part === "object" && "embeddings" in part)) return 0;
    return continues && typeof part === "string"
      ? (model.tokenizer?.encode(part, { addSpecialTokens: false }).length ?? 0)
      : model.encode(part).length;
  };
  async function timed<T>(kind: Spent, texts: number, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      kind.calls += 1;
      kind.texts += texts;
      kind.seconds += (performance.now() - started) / 1000;
    }
  }
  return {
    ...model,
    async generate(requests, options) {
      const results = await timed(spent.solving, requests.length, () => model.generate(requests, options));
      for (const [first] of results) spent.solving.read += first?.promptTokens ?? 0;
      for (const { completionTokens } of results.flat()) spent.solving.written += completionTokens;
      return results;
    },
    async score(requests, options) {
      const kind = options?.attention ? spent.weighing : spent.scoring;
      for (const { prompt, continuation } of requests)
        kind.read += lengthOf(prompt, false) + lengthOf(continuation, true);
      return timed(kind, requests.length, () => model.score(requests, options));
    },
  };
}
