import { GRACE_MS, type Limits } from "./messages.js";

/** One program or call: what it has printed, what it reads, and when it must end. */
export interface RunState {
  write(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  readLine(): string | undefined;
  /** As many bytes of the input as there is room for; 0 at its end. */
  readInput(into: Uint8Array): number;
  /** Whether the program has to stop: its time is over or it has printed too much. */
  shouldStop(): boolean;
  /** Whether it has been told to stop for so long that the process must end. */
  isHopeless(): boolean;
  readonly isOverTime: boolean;
  readonly isOverOutput: boolean;
  readonly milliseconds: number;
  text(stream: "stdout" | "stderr"): string;
}

/** @param taken bytes that were printed before, which count */
export function startRun({ timeLimitMs, outputBytes }: Limits, stdin: Uint8Array): RunState {
  const started = performance.now();
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let printed = 0;
  let overSince: number | undefined;
  let read = 0;
  const elapsed = () => performance.now() - started;
  return {
    write(stream, bytes) {
      const room = outputBytes - printed;
      if (room > 0) chunks[stream].push(bytes.slice(0, room));
      printed += bytes.length;
      if (printed > outputBytes) overSince ??= elapsed();
    },
    readLine() {
      if (read >= stdin.length) return undefined;
      const newline = stdin.indexOf(10, read);
      const end = newline < 0 ? stdin.length : newline;
      const line = Buffer.from(stdin.subarray(read, end)).toString("utf8");
      read = end + 1;
      return line.replace(/\r$/, "");
    },
    readInput(into) {
      const bytes = stdin.subarray(read, read + into.length);
      into.set(bytes);
      read += bytes.length;
      return bytes.length;
    },
    shouldStop: () => overSince !== undefined || elapsed() > timeLimitMs,
    isHopeless: () => elapsed() > Math.min(timeLimitMs, overSince ?? timeLimitMs) + GRACE_MS,
    get isOverTime() {
      return elapsed() > timeLimitMs;
    },
    get isOverOutput() {
      return overSince !== undefined;
    },
    get milliseconds() {
      return elapsed();
    },
    text: (stream) => Buffer.concat(chunks[stream]).toString("utf8"),
  };
}
