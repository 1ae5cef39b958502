import { type Socket, zeromq } from "./modules.js";

interface Line {
  waiting: { args: unknown[]; resolve(): void; reject(error: unknown): void }[];
  /** The run of `pump` that sends; undefined while nothing is to be sent. */
  pump: symbol | undefined;
  resume(): void;
}

const lines = new Set<Line>();

/**
 * Send messages one after another and drop none. tslab does not await socket.send(), and zeromq 6 throws "Socket is busy
 * writing" after 512 sends in one turn of the event loop; past its high-water mark a publisher drops what it is given.
 */
export function mendSockets(): void {
  for (const { prototype } of [zeromq.Publisher, zeromq.Router, zeromq.Reply]) {
    const { send, bind } = prototype;
    const lineOf = new WeakMap<Socket, Line>();
    const replace = (name: string, value: unknown) =>
      Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
    replace("send", function (this: Socket, ...args: unknown[]) {
      const line = lineOf.get(this) ?? createLine((rest) => send.apply(this, rest));
      lineOf.set(this, line);
      return new Promise<void>((resolve, reject) => {
        line.waiting.push({ args, resolve, reject });
        if (!line.pump) line.resume();
      });
    });
    replace("bind", function (this: Socket, ...args: unknown[]) {
      this.sendHighWaterMark = 0;
      return bind.apply(this, args);
    });
  }
}

/** Go on sending after code that was stopped took with it what waits for a message to be sent. */
export function resumeSending(): void {
  for (const line of lines) if (line.pump) line.resume();
}

function createLine(send: (args: unknown[]) => Promise<void>): Line {
  const line: Line = {
    waiting: [],
    pump: undefined,
    resume() {
      const self = Symbol("pump");
      line.pump = self;
      void pump(self);
    },
  };
  lines.add(line);
  return line;

  async function pump(self: symbol): Promise<void> {
    while (line.pump === self) {
      const next = line.waiting.shift();
      if (!next) line.pump = undefined;
      else await send(next.args).then(next.resolve, next.reject);
    }
  }
}
