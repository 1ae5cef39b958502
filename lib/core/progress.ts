import { setImmediate as nextTurn } from "node:timers/promises";
import { defaultDisplay, type ProgressDisplay } from "./progress-display.js";

const REFRESH_MS = 100;

export interface ProgressOptions {
  /** Total number of units, where known. */
  total?: number | undefined;
  /** What is counted, in the plural: "problems". */
  unit?: string | undefined;
  /** Units done before this start, as in a resumed run; they count as done but not towards the rate. */
  initial?: number | undefined;
  /** Where to show it. Default: the notebook or the terminal. */
  display?: ProgressDisplay | undefined;
}

/** A line that shows the progress of a task. It does not change after `succeed` or `fail`. */
export interface Progress {
  /** Report the total number of units done, with a remark such as "loss 1.32". */
  update(done: number, note?: string): void;
  /** Finish with a line without timings: the label and `text`, or else the number of units. */
  succeed(text?: string): void;
  /** Finish with a line that says the task failed: the label and `text`, or else how far it got. */
  fail(text?: string): void;
  /** Print a line that stays. */
  log(text: string): void;
}

/** Show a line of progress, such as "GSM8K test  412/1,319 problems (31 %), 5.2/s, 2 min 54 s left". */
export function startProgress(label: string, options: ProgressOptions = {}): Progress {
  const { total, unit, initial = 0, display = defaultDisplay() } = options;
  const started = performance.now();
  let done: number | undefined;
  let note: string | undefined;
  let finished = false;
  let shown = started;
  let refresh: NodeJS.Timeout | undefined;

  const show = () => {
    clearTimeout(refresh);
    refresh = undefined;
    shown = performance.now();
    display.show(liveLine({ label, done, initial, total, unit, note, seconds: (shown - started) / 1000 }));
  };
  const finish = (text: string | undefined, ok: boolean) => {
    if (finished) return;
    finished = true;
    clearTimeout(refresh);
    display.finish(text === undefined ? label : `${label}: ${text}`, ok);
  };

  show();
  return {
    update(nowDone, nowNote) {
      done = nowDone;
      note = nowNote;
      if (finished) return;
      const wait = shown + REFRESH_MS - performance.now();
      if (wait <= 0) show();
      // The last of a burst of updates is shown a little later, unless the process ends first.
      else refresh ??= setTimeout(show, wait).unref();
    },
    succeed(text) {
      const units = done ?? total;
      finish(text ?? (units === undefined ? undefined : count(units, unit)), true);
    },
    fail(text) {
      finish(text ?? (done === undefined ? "failed" : `failed after ${count(done, unit)}`), false);
    },
    log: (text) => display.log(text),
  };
}

/**
 * Iterate over items and show progress. Between items it yields to the event loop now and then, so that the progress is
 * visible even when the work is synchronous.
 *
 * @param options its total defaults to `initial` plus the length or size of the items, if they have one
 */
export async function* trackProgress<T>(
  items: Iterable<T> | AsyncIterable<T>,
  label: string,
  options: ProgressOptions = {},
): AsyncGenerator<T, void, undefined> {
  let done = options.initial ?? 0;
  const size = sizeOf(items);
  const total = options.total ?? (size === undefined ? undefined : done + size);
  const progress = startProgress(label, { ...options, total });
  let outcome: "succeeded" | "failed" | "stopped" = "stopped";
  let paused = performance.now();
  try {
    for await (const item of items) {
      yield item;
      progress.update(++done);
      if (performance.now() - paused >= REFRESH_MS) {
        await nextTurn();
        paused = performance.now();
      }
    }
    outcome = "succeeded";
  } catch (error) {
    outcome = "failed";
    throw error;
  } finally {
    if (outcome === "succeeded") progress.succeed(count(done, options.unit));
    else progress.fail(`${outcome} after ${count(done, options.unit)}`);
  }
}

function sizeOf(items: object): number | undefined {
  const { length, size } = items as { length?: unknown; size?: unknown };
  const found = length ?? size;
  return typeof found === "number" ? found : undefined;
}

interface LiveState extends Pick<ProgressOptions, "total" | "unit"> {
  label: string;
  done: number | undefined;
  initial: number;
  note: string | undefined;
  seconds: number;
}

function liveLine({ label, done: counted, initial, total, unit, note, seconds }: LiveState): string {
  const done = counted ?? initial;
  const parts: string[] = [];
  if (total !== undefined && total > 0) {
    parts.push(`${count(done, unit, total)} (${Math.floor((100 * done) / total)} %)`);
  } else if (counted !== undefined) {
    parts.push(count(done, unit));
  }
  const rate = (done - initial) / seconds;
  if (rate > 0 && Number.isFinite(rate)) {
    parts.push(rate >= 1 ? `${number(rate)}/s` : `${number(rate * 60)}/min`);
    if (total !== undefined && total > done) parts.push(`${duration((total - done) / rate)} left`);
  }
  if (note !== undefined) parts.push(note);
  return parts.length === 0 ? label : `${label}  ${parts.join(", ")}`;
}

function count(done: number, unit: string | undefined, total?: number): string {
  const amount = total === undefined ? number(done) : `${number(done)}/${number(total)}`;
  return unit === undefined ? amount : `${amount} ${unit}`;
}

/** With thousands separators; below 100 with one decimal, unless that is a zero. */
function number(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });
}

function duration(seconds: number): string {
  if (seconds < 60) return `${number(seconds < 10 ? seconds : Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (seconds < 600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
