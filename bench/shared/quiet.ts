import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

export interface BusyClock {
  /**
   * Processors that have been busy since the start, on average.
   *
   * @param withoutSeconds processor time that does not count, such as that of the measured process
   */
  busyProcessors(withoutSeconds?: number): number;
}

/** Measure how busy this machine is with everything that runs on it. */
export function startBusyClock(): BusyClock {
  const [start, before] = [performance.now(), busySeconds()];
  return {
    busyProcessors(withoutSeconds = 0) {
      const seconds = (performance.now() - start) / 1000;
      return seconds > 0 ? (busySeconds() - before - withoutSeconds) / seconds : 0;
    },
  };
}

/** Processor time spent on work since the machine started, summed over processors. */
function busySeconds(): number {
  const times = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return times.reduce((a, b) => a + b, 0) / 1000;
}

export interface QuietOptions {
  /** A sample's length; the counters of Linux step by 10 ms. */
  sampleMilliseconds?: number;
  /** The machine counts as quiet when at most this many processors are busy. */
  busyProcessors?: number;
  /** Maximum wait for a quiet machine; afterwards the measurement starts anyway. */
  patienceSeconds: number;
  /** Sample the machine; for tests. */
  measure?(milliseconds: number): Promise<number>;
}

/**
 * Wait until nothing else runs, at least one sample long, in which the threads of what ran before fall asleep as well.
 *
 * @returns processors busy in the last sample
 */
export async function waitUntilQuiet({
  sampleMilliseconds = 200,
  busyProcessors = 0.3,
  patienceSeconds,
  measure = measureBusy,
}: QuietOptions): Promise<number> {
  const end = performance.now() + patienceSeconds * 1000;
  for (;;) {
    const busy = await measure(sampleMilliseconds);
    if (busy <= busyProcessors || performance.now() >= end) return busy;
  }
}

async function measureBusy(milliseconds: number): Promise<number> {
  const clock = startBusyClock();
  await sleep(milliseconds);
  return clock.busyProcessors();
}
