/** Times laps, on the clock and of all processors: on a busy machine the latter tell more. */
export function stopwatch() {
  const laps: { clock: number; processors: number }[] = [];
  return {
    lap() {
      const { user, system } = process.cpuUsage();
      laps.push({ clock: performance.now() / 1000, processors: (user + system) / 1e6 });
    },
    /** The median lap. The first one compiles, and those that a resumed run only reads again take no time: they do not count. */
    perLap(): { secondsPerStep?: number; processorSecondsPerStep?: number } {
      const times = laps.slice(1).map(({ clock, processors }, at) => ({
        clock: clock - laps[at]!.clock,
        processors: processors - laps[at]!.processors,
      }));
      const made = times.filter(({ clock }) => clock > 0.1).slice(1);
      if (made.length === 0) return {};
      return {
        secondsPerStep: median(made.map(({ clock }) => clock)),
        processorSecondsPerStep: median(made.map(({ processors }) => processors)),
      };
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
