import { badInput, canonicalJson, checkWhole, ThoughtbookError, withoutUndefined } from "../core/index.js";
import type {
  Completion,
  GenerateTextOptions,
  LanguageModel,
  RequestPlace,
  Score,
  ScoreRequest,
  ScoreTextOptions,
  TextRequest,
} from "../llm/index.js";

export interface GatherOptions {
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
  /** Ends calls with an error. */
  signal?: AbortSignal | undefined;
}

/** Runs jobs concurrently whose calls of one model wait for each other. */
export interface CallGatherer {
  /**
   * Run a job with its own view of the model.
   *
   * @param sample index among jobs with the same requests; jobs that differ only in it get different samples of one
   * request
   */
  run<T>(job: (model: LanguageModel) => Promise<T>, sample?: number): Promise<T>;
}

/** A job in progress. */
interface Job {
  sample: number;
  /** Number of its calls that wait or are at the model; with 0 it is busy with something else. */
  open: number;
}

/**
 * Milliseconds that calls wait for a job busy with something else. Without a limit a job that waits for another one's
 * result would stop both.
 */
const PATIENCE = 1000;

/** Samples of one request that a job waits for. */
interface WaitingText {
  request: TextRequest;
  /** The first sample of the request that belongs to the job. */
  first: number;
  count: number;
  texts: Completion[];
  onSample(completion: Completion, sample: number): void;
  resolve(texts: Completion[]): void;
  reject(error: unknown): void;
}

interface WaitingScore {
  request: ScoreRequest;
  attention: boolean;
  resolve(score: Score): void;
  reject(error: unknown): void;
}

/**
 * Batch the calls of many small jobs to one model into few large calls: a model's speed comes from batches. A job is
 * plain asynchronous code and may have several calls open at a time. Once every job waits for the model, their requests
 * go to it in one call of each kind; a job continues as soon as its own texts are complete. Equal requests of jobs that
 * differ in their sample become one request with several samples. A job that waits for something else, such as a
 * program or another job, holds the others up for a second at most. Which requests share a call does not depend on
 * timing, as long as jobs wait for nothing longer than that.
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { gatherCalls } from "thoughtbook/rollouts";
 *
 * const gatherer = gatherCalls(await loadModel("mini"));
 * const prompts = ["Ana picks 3 apples.", "Ben picks 4 pears."];
 * // Both jobs call the model once; their requests share one call.
 * const texts = await Promise.all(
 *   prompts.map((prompt) =>
 *     gatherer.run(async (model) => {
 *       const [[completion] = []] = await model.generate([{ prompt, maxNewTokens: 8 }]);
 *       return completion?.text;
 *     }),
 *   ),
 * );
 * console.log(texts.length); // 2
 * ```
 */
export function gatherCalls(model: LanguageModel, { batchSize, signal }: GatherOptions = {}): CallGatherer {
  const jobs = new Set<Job>();
  let texts: WaitingText[] = [];
  let scores: WaitingScore[] = [];
  let inFlight = false;
  let isScheduled = false;
  let patience: NodeJS.Timeout | undefined;

  /** Wait for the next turn of the event loop, to gather everything that a job requests at the same time. */
  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (texts.length + scores.length === 0 || inFlight) return;
      if ([...jobs].some(({ open }) => open === 0)) patience ??= setTimeout(send, PATIENCE);
      else send();
    });
  }

  /** Send everything that waits. */
  function send(): void {
    clearTimeout(patience);
    patience = undefined;
    if (texts.length + scores.length === 0 || inFlight) return;
    inFlight = true;
    const [asked, toScore] = [texts, scores];
    [texts, scores] = [[], []];
    const calls = [
      ...(asked.length > 0 ? [generateTogether(model, asked, { batchSize, signal })] : []),
      ...[true, false].flatMap((attention) => {
        const same = toScore.filter((each) => each.attention === attention);
        return same.length > 0 ? [scoreTogether(model, same, { batchSize, signal, attention })] : [];
      }),
    ];
    void Promise.all(calls).then(() => {
      inFlight = false;
      schedule();
    });
  }

  async function counted<T>(job: Job, work: () => Promise<T>): Promise<T> {
    job.open++;
    try {
      return await work();
    } finally {
      job.open--;
    }
  }

  const viewOf = (job: Job): LanguageModel => ({
    ...model,
    generate: (requests, options = {}) =>
      counted(job, () =>
        Promise.all(
          requests.map(
            (request, at) =>
              new Promise<Completion[]>((resolve, reject) => {
                const asked = withOptions(request, options);
                const { samples: count = 1, firstSample = 0 } = asked;
                const onSample = (completion: Completion, sample: number) =>
                  options.onFinish?.(completion, { request: at, sample });
                texts.push({
                  request: asked,
                  first: firstSample + job.sample * count,
                  count,
                  texts: [],
                  onSample,
                  resolve,
                  reject,
                });
                schedule();
              }),
          ),
        ),
      ),
    score: (requests, { attention = false }: ScoreTextOptions = {}) =>
      counted(job, () =>
        Promise.all(
          requests.map(
            (request) =>
              new Promise<Score>((resolve, reject) => {
                scores.push({ request, attention, resolve, reject });
                schedule();
              }),
          ),
        ),
      ),
  });

  return {
    async run(work, sample = 0) {
      const job = { sample, open: 0 };
      jobs.add(job);
      try {
        return await work(viewOf(job));
      } finally {
        jobs.delete(job);
        schedule();
      }
    },
  };
}

/** The request with the options of its call. */
function withOptions(request: TextRequest, options: GenerateTextOptions): TextRequest {
  const { onFinish: _, onText, batchSize: __, signal: ___, ...common } = options;
  if (onText)
    throw badInput("onText is given to a model whose calls are gathered", "Use onFinish, or the model itself.");
  const asked = { ...common, ...withoutUndefined(request) };
  checkWhole("samples", asked.samples, 1);
  checkWhole("firstSample", asked.firstSample, 0);
  if (asked.seed !== undefined || !asked.temperature) return asked;
  throw badInput("a request of a gathered call has a temperature but no seed", "Give each request a seed of its own.");
}

async function generateTogether(model: LanguageModel, waiting: readonly WaitingText[], options: GatherOptions) {
  const groups = new Map<string, { request: TextRequest; waiting: WaitingText[] }>();
  for (const [at, each] of waiting.entries()) {
    const { prompt, samples: _, firstSample: __, ...rest } = each.request;
    // Embeddings are compared by identity: they are too large to be serialised.
    const key = typeof prompt === "object" && "embeddings" in prompt ? `${at}` : canonicalJson({ prompt, ...rest });
    const group = groups.get(key) ?? { request: each.request, waiting: [] };
    group.waiting.push(each);
    groups.set(key, group);
  }
  const asked = [...groups.values()].flatMap(({ request, waiting }) =>
    adjoining(waiting).map((part) => ({ request, ...part })),
  );
  const finish = (completion: Completion, { request, sample }: RequestPlace) => {
    const { first, waiting } = asked[request]!;
    for (const each of waiting) {
      const at = first + sample - each.first;
      if (at < 0 || at >= each.count || each.texts[at] !== undefined) continue;
      each.texts[at] = completion;
      each.onSample(completion, at);
      if (Object.keys(each.texts).length === each.count) each.resolve(each.texts);
    }
  };
  try {
    const requests = asked.map(({ request: { firstSample: _, ...request }, first, end }) => ({
      ...request,
      samples: end - first,
      ...(first > 0 ? { firstSample: first } : {}),
    }));
    const results = await model.generate(requests, { ...options, onFinish: finish });
    for (const [request, completions] of results.entries()) {
      for (const [sample, completion] of completions.entries()) finish(completion, { request, sample });
    }
    // Those that have all their texts are resolved.
    for (const each of waiting) each.reject(tooFew(model));
  } catch (error) {
    for (const each of waiting) each.reject(error);
  }
}

/** Ranges of samples without a gap, and those that wait for them: samples that nobody waits for are not generated. */
function adjoining(waiting: readonly WaitingText[]): { first: number; end: number; waiting: WaitingText[] }[] {
  const parts: { first: number; end: number; waiting: WaitingText[] }[] = [];
  for (const each of [...waiting].sort((a, b) => a.first - b.first)) {
    const last = parts.at(-1);
    const end = each.first + each.count;
    if (last && each.first <= last.end) {
      last.end = Math.max(last.end, end);
      last.waiting.push(each);
    } else parts.push({ first: each.first, end, waiting: [each] });
  }
  return parts;
}

const tooFew = ({ name }: LanguageModel) =>
  new ThoughtbookError("execution", `the model ${name} gave fewer texts than it was asked for`, {
    hint: "Its generate must give as many as a request has samples.",
  });

async function scoreTogether(model: LanguageModel, waiting: readonly WaitingScore[], options: ScoreTextOptions) {
  try {
    const results = await model.score(
      waiting.map(({ request }) => request),
      options,
    );
    for (const [at, each] of waiting.entries()) each.resolve(results[at]!);
  } catch (error) {
    for (const each of waiting) each.reject(error);
  }
}
