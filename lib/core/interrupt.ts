/** Ctrl-C as a signal: the first one lets the work at hand end, a second one ends the process at once. */
export function listenForInterrupt(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error("Ctrl-C"));
  process.once("SIGINT", abort);
  return { signal: controller.signal, stop: () => process.removeListener("SIGINT", abort) };
}
