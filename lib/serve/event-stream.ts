/** Server-sent events to one client. */
export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Send a value as JSON. Nothing is sent any more when the client is gone. */
  send(value: object): void;
  /** Tell that all is sent, as OpenAI does. */
  end(): void;
}

export interface EventStreamOptions {
  /** The most bytes that wait for the client. */
  limit: number;
  /** Milliseconds that the client may leave them waiting. */
  stallTimeout: number;
  /** Called once when the client has gone, or reads too slowly. */
  onLost(reason: "gone" | "slow"): void;
}

/** Events wait in memory until the client reads them, up to a limit. */
export function openEventStream({ limit, stallTimeout, onLost }: EventStreamOptions): EventStream {
  const encoder = new TextEncoder();
  let waiting: string[] = [];
  let bytes = 0;
  let ended = false;
  let lost = false;
  let cancelled = false;
  let wake = () => {};
  let timer: NodeJS.Timeout | undefined;

  const lose = (reason: "gone" | "slow") => {
    clearTimeout(timer);
    if (lost) return;
    lost = true;
    waiting = [];
    wake();
    onLost(reason);
  };
  const push = (text: string) => {
    if (lost || ended) return;
    waiting.push(text);
    bytes += Buffer.byteLength(text);
    if (bytes > limit) lose("slow");
    else {
      timer ??= setTimeout(() => lose("slow"), stallTimeout).unref();
      wake();
    }
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (waiting.length === 0 && !ended && !lost) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        clearTimeout(timer);
        timer = undefined;
        if (cancelled) return;
        if (waiting.length > 0) {
          const all = waiting.join("");
          waiting = [];
          bytes = 0;
          controller.enqueue(encoder.encode(all));
        }
        if (ended || lost) controller.close();
      },
      cancel() {
        cancelled = true;
        lose("gone");
      },
    },
    // Nothing is taken from what waits before the client is ready for it.
    { highWaterMark: 0 },
  );
  return {
    body,
    send: (value) => push(`data: ${JSON.stringify(value)}\n\n`),
    end() {
      push("data: [DONE]\n\n");
      ended = true;
      wake();
    },
  };
}
