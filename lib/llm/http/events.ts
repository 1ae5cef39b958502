/** An event of a stream, in the order of arrival. */
export type StreamEvent =
  | { kind: "data"; value: unknown }
  /** The value of an event that is called an error. */
  | { kind: "error"; value: unknown }
  /** A sign of life without data: a comment, a ping, an event without data. */
  | { kind: "alive" }
  /** The end mark of a complete answer. */
  | { kind: "done" };

/** Maximum wait for the end of the connection after the end mark, so that it can be reused. */
const DRAIN_MS = 50;

/**
 * Read a stream of server-sent events (the HTML standard, §9.2), each with JSON as its data. Lines end with LF, CRLF or
 * CR; data may have several lines. More is taken than the standard asks for: a last event without the empty line behind
 * it, events without empty lines between them, and a whole JSON document in place of a stream, from a server that does not
 * stream.
 *
 * @throws SyntaxError for data that is no JSON, and what the body throws
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.getReader();
  let isDone = false;
  try {
    for await (const event of eventsOf(chunksOf(reader))) {
      yield event;
      isDone = event.kind === "done";
      if (isDone) return;
    }
  } finally {
    if (isDone) await drain(reader);
    await reader.cancel().catch(() => {});
  }
}

async function* chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const text = decoder.decode(read.value, { stream: true });
    if (text !== "") yield text;
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS, true);
  });
  const ended = () => reader.read().then(({ done }) => done);
  while (!(await Promise.race([ended().catch(() => true), late])));
  clearTimeout(timer);
}

async function* eventsOf(chunks: AsyncGenerator<string>): AsyncGenerator<StreamEvent> {
  let begun = "";
  for await (const chunk of chunks) {
    begun += chunk;
    const first = begun.trimStart()[0];
    if (first === undefined) continue;
    // No line of a stream begins so: it is a JSON document, or a page.
    if (!"{[<".includes(first)) return yield* eventsOfLines(linesOf(begun, chunks));
    for await (const more of chunks) begun += more;
    yield { kind: "data", value: JSON.parse(begun) as unknown };
    return yield { kind: "done" };
  }
}

async function* linesOf(begun: string, chunks: AsyncGenerator<string>): AsyncGenerator<string> {
  let rest = begun;
  for (;;) {
    // A CR at the end may be the first half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    yield* lines;
    const next = await chunks.next();
    if (next.done) break;
    rest += next.value;
  }
  yield* rest.split(/\r$/);
}

async function* eventsOfLines(lines: AsyncGenerator<string>): AsyncGenerator<StreamEvent> {
  let name = "";
  let data: string[] = [];
  for await (const line of lines) {
    if (line === "") {
      yield* eventsOfData(name, data);
      name = "";
      data = [];
      continue;
    }
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (field === "") yield { kind: "alive" };
  }
  yield* eventsOfData(name, data);
}

const PING = /^\W*(ping|pong|heartbeat|keep[-_ ]?alive)\W*$/i;

function* eventsOfData(name: string, data: readonly string[]): Generator<StreamEvent> {
  const kept = data.filter((line) => line.trim() !== "");
  if (kept.length === 0 || PING.test(name)) return yield { kind: "alive" };
  const kind = name === "error" ? "error" : "data";
  // Each line is an event of its own where the empty lines between them are missing.
  const whole = data.join("\n");
  for (const text of kept.length === 1 || isJson(whole) ? [whole] : kept) {
    if (/^\s*"?\[done\]"?\s*$/i.test(text)) yield { kind: "done" };
    else if (PING.test(text)) yield { kind: "alive" };
    else yield { kind, value: kind === "error" && !isJson(text) ? text : (JSON.parse(text) as unknown) };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
