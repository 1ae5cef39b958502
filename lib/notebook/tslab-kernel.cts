/**
 * The Jupyter kernel of this project: tslab, with what is broken in it mended before it starts.
 *
 *     node tslab-kernel.cjs --config-path CONNECTION_FILE
 *
 * tslab 1.0.22 is the last release. Mended here, each shown by a test in test/notebook/kernel.test.ts:
 * - output lost in bursts: it does not await socket.send(), and zeromq 6 throws after 512 sends in one tick; and each
 *   write is a message of its own, of which a slow front end gives up on the last ones;
 * - errors without a message: a failed cell is a line on stderr and an empty reply;
 * - unhandled rejections and exceptions in timers, which are printed and pass as success;
 * - no execute_input message, so that front ends save no execution count;
 * - a shorthand property `{ seed }` of a variable from an earlier cell is a ReferenceError;
 * - `for await` in a cell is a syntax error unless there is another await;
 * - process.stdout.write(text, callback) never calls back;
 * - a kernel that goes on for ever when its front end was killed.
 */
import "./kernel-modules.cjs";

import path = require("node:path");
import util = require("node:util");
import worker = require("node:worker_threads");

type Content = Record<string, unknown>;
type DisplayData = { data: Content; metadata: Content; transient: Content };
type WriteStream = (name: string, text: string) => void;
type WriteDisplay = (content: DisplayData, update: boolean) => void;

interface ExecuteRequest {
  code: string;
}
interface Failure {
  ename: string;
  evalue: string;
  traceback: string[];
}
interface TslabMessage {
  content: ExecuteRequest;
  createReply(): {
    header: { msg_type: string };
    content: Content;
    signAndSend(key: string, socket: unknown): void;
  };
}
interface TslabServer {
  connInfo: { key: string };
  iopub: unknown;
  handleExecute(socket: unknown, message: TslabMessage): Promise<void>;
}
interface TslabHandler {
  execCount: number;
  handleExecute(request: ExecuteRequest, ...writers: unknown[]): Promise<Content>;
  handleExecuteImpl(request: ExecuteRequest, writeStream: WriteStream, writeDisplay: WriteDisplay): Promise<unknown>;
  createWriteToIopub(name: string, writeStream: WriteStream): (...args: unknown[]) => boolean;
}
interface TslabConverter {
  convert(declarations: string, source: string): { output?: string; hasToplevelAwait?: boolean };
}
/** The little of the compiler's interface that is used here. */
interface SyntaxNode {
  kind: number;
  name?: { text: string };
  objectAssignmentInitializer?: SyntaxNode;
  end: number;
}
interface TypeScript {
  ScriptTarget: { Latest: number };
  SyntaxKind: { ShorthandPropertyAssignment: number };
  createSourceFile(name: string, text: string, target: number): SyntaxNode;
  forEachChild(node: SyntaxNode, visit: (child: SyntaxNode) => void): void;
}
interface TslabConsole {
  log(...args: unknown[]): void;
  error(...args: unknown[]): void;
}
interface Socket {
  sendHighWaterMark: number;
  send(...args: unknown[]): Promise<void>;
  bind(...args: unknown[]): Promise<void>;
}

const tslabFolder = path.dirname(require.resolve("tslab/package.json"));
const jupyter = require(path.join(tslabFolder, "dist/jupyter.js")) as {
  lastWriteDisplayData: WriteDisplay | null;
  ZmqServer: { prototype: TslabServer };
  JupyterHandlerImpl: { prototype: TslabHandler };
};
const executor = require(path.join(tslabFolder, "dist/executor.js")) as {
  createExecutor(root: string, converters: { node: TslabConverter }, console: TslabConsole): unknown;
};
const tslab = require(path.join(tslabFolder, "dist/main.js")) as {
  startKernel(options: { configPath: string; enableFindLocal: boolean }): void;
};
const zeromq = require(require.resolve("zeromq", { paths: [tslabFolder] })) as Record<
  "Publisher" | "Router" | "Reply",
  { prototype: Socket }
>;

const typescript = require(require.resolve("@tslab/typescript-for-tslab", { paths: [tslabFolder] })) as TypeScript;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// What went wrong in the running cell, and what escaped while no cell ran: the next request reports it.
const failures: Failure[] = [];
let running = false;
let started = false;

function describe(value: unknown, escaped = false): Failure {
  const isError = value instanceof Error;
  const ename = isError ? value.name : "Error";
  const text = isError ? value.message : util.inspect(value);
  const hint = isError && "hint" in value && typeof value.hint === "string" ? value.hint : undefined;
  const message = hint ? `${text.replace(/[.:]?$/, ".")} ${hint}` : text;
  const prefix = escaped ? "from work that an earlier cell left unawaited: " : "";
  const stack = isError ? (value.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  const ours = (line: string) =>
    !/node:internal|node:vm|[\\/]node_modules[\\/](@tslab|tslab)[\\/]|tslab-kernel/.test(line);
  return {
    ename,
    evalue: `${prefix}${message}`,
    traceback: [`${ename}: ${prefix}${message}`, ...stack.filter(ours)],
  };
}

function recordEscaped(kind: string, value: unknown): void {
  if (!started) {
    // Before the first cell it is our own: a port that another process has taken, say. Nobody would ever get an answer.
    process.stderr.write(`the kernel cannot start: ${util.inspect(value)}\n`, () => process.exit(1));
    return;
  }
  const failure = describe(value, !running);
  failures.push({
    ...failure,
    evalue: `${kind}: ${failure.evalue}`,
    traceback: [`${kind}: ${failure.traceback[0]}`, ...failure.traceback.slice(1)],
  });
  if (!running) process.stderr.write(`${kind} after the cell had ended: ${failure.traceback.join("\n")}\n`);
}

function mergeFailures(all: Failure[]): Failure {
  return {
    ename: all[0]!.ename,
    evalue: all.map((f) => f.evalue).join("\n"),
    traceback: all.flatMap((f) => f.traceback),
  };
}

// What one turn of the event loop writes to a stream goes out as one message: nothing is sent earlier in any case.
let gathered: { name: string; text: string; writeStream: WriteStream } | undefined;

function gatherText(name: string, text: string, writeStream: WriteStream): void {
  if (gathered && (gathered.name !== name || gathered.writeStream !== writeStream)) flushText();
  if (gathered) gathered.text += text;
  else {
    gathered = { name, text, writeStream };
    setImmediate(flushText);
  }
}

function flushText(): void {
  const ready = gathered;
  gathered = undefined;
  ready?.writeStream(ready.name, ready.text);
}

function mendSockets(): void {
  for (const { prototype } of [zeromq.Publisher, zeromq.Router, zeromq.Reply]) {
    const { send, bind } = prototype;
    const tails = new WeakMap<Socket, Promise<void>>();
    const replace = (name: string, value: unknown) =>
      Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
    replace("send", function (this: Socket, ...args: unknown[]) {
      const sent = (tails.get(this) ?? Promise.resolve()).then(() => send.apply(this, args));
      tails.set(
        this,
        sent.catch(() => {}),
      );
      return sent;
    });
    // A publisher drops what lies past its high-water mark.
    replace("bind", function (this: Socket, ...args: unknown[]) {
      this.sendHighWaterMark = 0;
      return bind.apply(this, args);
    });
  }
}

function mendExecution(): void {
  const { createExecutor } = executor;
  executor.createExecutor = (root, converters, console) => {
    const converter = converters.node;
    const { convert } = converter;
    converter.convert = (declarations, source) => {
      const converted = convert(declarations, expandShorthand(source));
      return /\bfor\s+await\b/.test(converted.output ?? "") ? { ...converted, hasToplevelAwait: true } : converted;
    };
    return createExecutor(root, converters, {
      log: console.log,
      // The executor reports a thrown value as one argument, a type error as a format with its position.
      error: (first, ...rest) => {
        if (rest.length === 0) failures.push(describe(first));
        else {
          const evalue = util.format(first, ...rest);
          failures.push({ ename: "TypeScriptError", evalue, traceback: [`TypeScriptError: ${evalue}`] });
        }
      },
    });
  };

  const publishers = new WeakMap<ExecuteRequest, (type: string, content: Content) => void>();
  const failureOf = new WeakMap<ExecuteRequest, Failure>();

  const server = jupyter.ZmqServer.prototype;
  const serve = server.handleExecute;
  server.handleExecute = function (socket, message) {
    publishers.set(message.content, (type, content) => {
      const reply = message.createReply();
      reply.header.msg_type = type;
      reply.content = content;
      reply.signAndSend(this.connInfo.key, this.iopub);
    });
    return serve.call(this, socket, message);
  };

  const handler = jupyter.JupyterHandlerImpl.prototype;
  const { handleExecute, handleExecuteImpl, createWriteToIopub } = handler;
  handler.handleExecuteImpl = async function (request, writeStream, writeDisplay) {
    const publish = publishers.get(request)!;
    publish("execute_input", { code: request.code, execution_count: this.execCount + 1 });
    running = started = true;
    let count: unknown;
    let failed = false;
    try {
      count = await handleExecuteImpl.call(this, request, writeStream, (content, update) => {
        flushText();
        writeDisplay(content, update);
      });
      // Node reports a rejection nobody handled after the turn in which it happened.
      await nextTurn();
      await nextTurn();
    } catch (executionCount) {
      count = executionCount;
      failed = true;
    } finally {
      running = false;
      flushText();
    }
    if (!failed && failures.length === 0) return count;
    const failure = failures.length > 0 ? mergeFailures(failures.splice(0)) : describe(new Error("the cell failed"));
    failureOf.set(request, failure);
    publish("error", { ...failure });
    // tslab's own signal for a failed cell is to throw the execution count.
    throw count;
  };
  handler.handleExecute = async function (request, ...writers) {
    const content = await handleExecute.call(this, request, ...writers);
    return { ...content, ...failureOf.get(request) };
  };
  handler.createWriteToIopub = function (name, writeStream) {
    const write = createWriteToIopub.call(this, name, (stream, text) => gatherText(stream, text, writeStream));
    return (...args) => {
      const callback = args.findLast((argument) => typeof argument === "function") as (() => void) | undefined;
      const written = write(...args.filter((argument) => typeof argument !== "function"));
      if (callback) process.nextTick(callback);
      return written;
    };
  };
}

/** `{ seed }` as `{ seed: seed }`: tslab looks up only the latter among the variables of earlier cells. */
function expandShorthand(source: string): string {
  const found: SyntaxNode[] = [];
  const visit = (node: SyntaxNode): void => {
    const isShorthand = node.kind === typescript.SyntaxKind.ShorthandPropertyAssignment;
    if (isShorthand && !node.objectAssignmentInitializer) found.push(node);
    typescript.forEachChild(node, visit);
  };
  visit(typescript.createSourceFile("cell.ts", source, typescript.ScriptTarget.Latest));
  return found.reduceRight((text, { name, end }) => `${text.slice(0, end)}: ${name!.text}${text.slice(end)}`, source);
}

/** The bridge that lib/core/display.ts looks for. */
function installDisplay(): void {
  const display = (data: Content, { displayId, update = false }: { displayId?: string; update?: boolean } = {}) => {
    const transient = displayId === undefined ? {} : { display_id: displayId };
    jupyter.lastWriteDisplayData?.({ data, metadata: {}, transient }, update);
  };
  Object.defineProperty(globalThis, Symbol.for("thoughtbook.display"), { value: display });
}

/** Kill this process when its front end is gone; from a thread, since a cell may block the event loop for ever. */
function watchParent(): void {
  const watch = `const parent = process.ppid;
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, "SIGKILL"); }, 500);`;
  new worker.Worker(watch, { eval: true, stdout: true, stderr: true }).unref();
}

mendSockets();
mendExecution();
installDisplay();
watchParent();

const configPath = process.argv[process.argv.indexOf("--config-path") + 1] ?? "";
// The bytes of a notebook must not depend on the terminal that started its kernel.
process.env.NO_COLOR = "1";
delete process.env.FORCE_COLOR;
tslab.startKernel({ configPath, enableFindLocal: false });
for (const [event, kind] of [
  ["unhandledRejection", "unhandled rejection"],
  ["uncaughtException", "uncaught exception"],
] as const) {
  process.removeAllListeners(event);
  process.on(event, (value: unknown) => recordEscaped(kind, value));
}
