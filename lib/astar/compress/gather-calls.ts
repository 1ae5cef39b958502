import { ThoughtbookError } from "../../core/index.js";
import type { LanguageModel } from "../../llm/index.js";

/** A model whose calls wait for each other, and the jobs that call it. */
export interface GatheredModel {
  /** Gives to `generate` and `score` requests only: seeds and samplings must stand in the requests. */
  model: LanguageModel;
  /** Run jobs side by side: once all of them wait for the model, what they ask goes to it in one call of each kind. */
  all<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]>;
}

interface Waiting<Request, Result> {
  requests: readonly Request[];
  resolve: (results: Result[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Many small searches of one model as few large calls: its speed comes from batches. A job may have one call open at a
 * time. Which requests share a call follows from the jobs alone, so equal jobs give equal numbers to the last bit.
 */
export function gatherCalls(model: LanguageModel, signal?: AbortSignal): GatheredModel {
  const options = { signal };
  const score = createQueue((requests: Parameters<LanguageModel["score"]>[0]) => model.score(requests, options));
  const generate = createQueue((requests: Parameters<LanguageModel["generate"]>[0]) =>
    model.generate(requests, options),
  );
  let active = 0;
  const runWhenAllWait = () => {
    if (active === 0 || score.waiting + generate.waiting < active) return;
    score.run();
    generate.run();
  };
  const asked = async <T>(call: Promise<T>): Promise<T> => {
    runWhenAllWait();
    return call;
  };
  return {
    model: {
      ...model,
      score: (requests) => asked(score.add(requests)),
      generate: (requests) => asked(generate.add(requests)),
    },
    async all(jobs) {
      if (active > 0) {
        throw new ThoughtbookError("bad-input", "other jobs of this model are at work", {
          hint: "Wait for them, or gather the calls of each group of jobs by themselves.",
        });
      }
      active = jobs.length;
      const results = await Promise.allSettled(
        jobs.map((job) =>
          job().finally(() => {
            active--;
            runWhenAllWait();
          }),
        ),
      );
      return results.map((result) => {
        if (result.status === "rejected") throw result.reason;
        return result.value;
      });
    },
  };
}

function createQueue<Request, Result>(call: (requests: readonly Request[]) => Promise<Result[]>) {
  let queue: Waiting<Request, Result>[] = [];
  return {
    get waiting() {
      return queue.length;
    },
    add: (requests: readonly Request[]) =>
      new Promise<Result[]>((resolve, reject) => {
        queue.push({ requests, resolve, reject });
      }),
    run() {
      const taken = queue;
      queue = [];
      if (taken.length === 0) return;
      call(taken.flatMap(({ requests }) => requests)).then(
        (results) => {
          let next = 0;
          for (const { requests, resolve } of taken) {
            resolve(results.slice(next, next + requests.length));
            next += requests.length;
          }
        },
        (error: unknown) => {
          for (const { reject } of taken) reject(error);
        },
      );
    },
  };
}
