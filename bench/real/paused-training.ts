import { performance } from "node:perf_hooks";
import { ThoughtbookError } from "thoughtbook/core";
import { trainLanguageModel } from "thoughtbook/train";

type Training = Parameters<typeof trainLanguageModel>[0];

/** Tokens that updates took, without padding, how long that was, and the losses. */
export interface Advance {
  tokens: number;
  seconds: number;
  losses: number[];
}

/**
 * Start a training that pauses after each batch of updates, so that it can take turns with others without being compiled
 * anew. Everything that a user's run does is in its time: batches, the step, metrics, the record.
 */
export function startPausedTraining(options: Omit<Training, "onRecord" | "signal">): {
  /** Make so many further updates. */
  advance(steps: number): Promise<Advance>;
  stop(): Promise<void>;
} {
  const stopping = new AbortController();
  let start = () => {};
  let started = new Promise<void>((resolve) => {
    start = resolve;
  });
  let turn: { left: number; begun: number; tokens: number; losses: number[]; done(advance: Advance): void } | undefined;
  let before = 0;
  let failure: unknown;
  let broken = (_: unknown) => {};
  const run = (async () => {
    await started;
    await trainLanguageModel({
      ...options,
      signal: stopping.signal,
      async onRecord({ tokens, loss }) {
        if (!turn) return;
        turn.tokens += tokens - before;
        turn.losses.push(loss);
        before = tokens;
        turn.left--;
        if (turn.left > 0) return;
        const { begun, losses, done, tokens: all } = turn;
        const seconds = (performance.now() - begun) / 1000;
        turn = undefined;
        started = new Promise<void>((resolve) => {
          start = resolve;
        });
        done({ tokens: all, seconds, losses });
        await started;
      },
    });
    throw new ThoughtbookError("bad-input", "the training ended", { hint: "Give more epochs." });
  })().catch((error: unknown) => {
    failure = error;
    broken(error);
  });
  return {
    async advance(steps) {
      if (failure) throw failure;
      const result = new Promise<Advance>((resolve, reject) => {
        turn = { left: steps, begun: performance.now(), tokens: 0, losses: [], done: resolve };
        broken = reject;
      });
      start();
      return result;
    },
    async stop() {
      stopping.abort();
      start();
      await run;
    },
  };
}
