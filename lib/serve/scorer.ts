import { type HostModel, type ScoreOptions, scoreWithTop, type TextGenerator, type TopScore } from "../model/index.js";
import type { SessionOptions } from "../tensor/index.js";

/** Scores texts of many requests, a few at a time, and long ones in pieces, between the steps of a generator. */
export interface Scorer {
  /**
   * Log-probabilities of all tokens but the first, and of the most probable ones in their places.
   * @throws execution; the signal's reason
   */
  score(ids: readonly number[], topCount: number, signal: AbortSignal): Promise<TopScore>;
}

/** Maximum tokens scored at once, so that the texts in progress do not wait long. */
const TOKENS = 1024;

interface Task {
  ids: readonly number[];
  topCount: number;
  signal: AbortSignal;
  resolve(score: TopScore): void;
  reject(error: unknown): void;
}

export function createScorer(model: HostModel, generator: TextGenerator, session?: SessionOptions): Scorer {
  const queue: Task[] = [];
  let working = false;

  async function work(): Promise<void> {
    for (let tasks = nextTasks(queue); tasks.length > 0; tasks = nextTasks(queue)) {
      try {
        const scores = await scoreAll(model, tasks, (work) => generator.between(work), session);
        for (const [i, { resolve }] of tasks.entries()) resolve(scores[i]!);
      } catch (error) {
        for (const { reject } of tasks) reject(error);
      }
    }
    working = false;
  }

  return {
    score: (ids, topCount, signal) =>
      new Promise((resolve, reject) => {
        queue.push({ ids, topCount, signal, resolve, reject });
        if (working) return;
        working = true;
        void work();
      }),
  };
}

/** Take the first tasks, as many as are scored at once, off the queue; those that nobody waits for any more are rejected. */
function nextTasks(queue: Task[]): Task[] {
  const tasks: Task[] = [];
  let tokens = 0;
  while (queue.length > 0) {
    const task = queue[0]!;
    if (task.signal.aborted) task.reject(task.signal.reason);
    else if (tasks.length === 0 || tokens + task.ids.length <= TOKENS) {
      tasks.push(task);
      tokens += task.ids.length;
    } else break;
    queue.shift();
  }
  return tasks;
}

async function scoreAll(
  model: HostModel,
  tasks: readonly Task[],
  turn: ScoreOptions["turn"],
  session: SessionOptions | undefined,
): Promise<TopScore[]> {
  const most = Math.max(...tasks.map(({ topCount }) => topCount));
  const sequences = tasks.map(({ ids }) => ids);
  const signal = whenAllAborted(tasks.map(({ signal }) => signal));
  const scores = await scoreWithTop(model, sequences, most, { session, turn, signal });
  return scores.map(({ logProbs, top }, i) => ({
    logProbs,
    top: top.map((each) => each.slice(0, tasks[i]!.topCount)),
  }));
}

/** Aborted when nobody waits for any of several tasks. */
function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const look = () => {
    if (signals.every(({ aborted }) => aborted)) controller.abort(signals[0]!.reason);
  };
  for (const signal of signals) signal.addEventListener("abort", look, { once: true });
  look();
  return controller.signal;
}
