import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { format } from "node:util";
import vm from "node:vm";
import { finishCell, finishFailedCell, mendConverter, mendScope, refusedForNarrowing } from "./cells.js";
import { cellEnds, cellStarts, describe, type Failure, recordFailure, takeFailure } from "./failures.js";
import { recordHistory } from "./history.js";
import { untilInterrupted } from "./interrupt.js";
import {
  type Content,
  type ExecuteRequest,
  executor,
  jupyter,
  narrowing,
  type TslabHandler,
  type WriteDisplay,
  type WriteStream,
} from "./modules.js";
import { flushText } from "./streams.js";

type Publish = (type: string, content: Content) => void;

const INTERRUPTED: Failure = {
  ename: "Interrupted",
  evalue: "the cell was interrupted",
  traceback: ["Interrupted: the cell was interrupted"],
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Execute requests one after another, each with what the Jupyter protocol asks for and tslab lacks: execute_input, the last
 * expression as execute_result, errors as messages, and after an error the requests of the cells behind it aborted, no other.
 */
export function mendExecution(): void {
  mendExecutor();
  const publishers = new WeakMap<ExecuteRequest, Publish>();
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

  let tail: Promise<unknown> = Promise.resolve();
  const waiting = new Set<{ aborted: boolean }>();

  /** Those that a front end had sent before it could know of the error. */
  async function abortWaiting(): Promise<void> {
    // What it sent while the cell blocked this thread has not even been read.
    for (let seen = -1; seen < waiting.size; await pause(20)) seen = waiting.size;
    for (const request of waiting) request.aborted = true;
  }

  jupyter.JupyterHandlerImpl.prototype.handleExecute = function (request, writeStream, writeDisplay) {
    const place = { aborted: false };
    waiting.add(place);
    const reply = tail.then(async (): Promise<Content> => {
      waiting.delete(place);
      if (place.aborted) return { status: "aborted", execution_count: this.execCount };
      const publish = publishers.get(request)!;
      const { count, failure } = await executeRequest(this, request, { publish, writeStream, writeDisplay });
      if (!failure) return { status: "ok", execution_count: count, payload: [], user_expressions: {} };
      if (request.stop_on_error !== false) await abortWaiting();
      publish("error", { ...failure });
      return { status: "error", execution_count: count, ...failure };
    });
    tail = reply.catch(() => {});
    return reply;
  };
}

function mendExecutor(): void {
  const { runInThisContext } = vm;
  // Node would take the handlers of SIGINT away while a cell starts; our thread does what `breakOnSigint` is for.
  vm.runInThisContext = (code) => runInThisContext(code);

  const { createExecutor } = executor;
  executor.createExecutor = (root, converters, console) => {
    mendConverter(converters.node);
    const created = createExecutor(root, converters, {
      log: console.log,
      // The executor reports a thrown value as one argument, a type error as a format with its position.
      error: (first, ...rest) => {
        if (rest.length === 0) recordFailure(describe(first));
        else {
          const evalue = format(first, ...rest);
          recordFailure({ ename: "TypeScriptError", evalue, traceback: [`TypeScriptError: ${evalue}`] });
        }
      },
    });
    mendScope();
    return created;
  };
}

/** Execute code of which the types are right, as `notebooks check` sees it: as one program with the cells before it. */
async function executeTyped({ executor: { execute } }: TslabHandler, code: string): Promise<boolean> {
  if (await execute(code)) return true;
  const sources = refusedForNarrowing(code);
  const modules = sources && findNodeModules(process.cwd());
  if (!sources || !modules) return false;
  const { typeCheckNotebook } = await import("../type-check.js");
  const cells = sources.map((source) => ({
    cell_type: "code" as const,
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  }));
  const problems = await typeCheckNotebook({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells }, modules);
  if (problems.some(({ cell }) => cell === cells.length || cell === 0)) return false;
  takeFailure();
  narrowing.isExcused = true;
  try {
    return await execute(code);
  } finally {
    narrowing.isExcused = false;
  }
}

function findNodeModules(folder: string): string | undefined {
  const modules = join(folder, "node_modules");
  if (existsSync(modules)) return modules;
  return dirname(folder) === folder ? undefined : findNodeModules(dirname(folder));
}

interface Channels {
  publish: Publish;
  writeStream: WriteStream;
  writeDisplay: WriteDisplay;
}

async function executeRequest(
  handler: TslabHandler,
  request: ExecuteRequest,
  { publish, writeStream, writeDisplay }: Channels,
): Promise<{ count: number; failure: Failure | undefined }> {
  const { code, silent = false, store_history = !silent } = request;
  if (!silent && store_history) handler.execCount++;
  const count = handler.execCount;
  if (!silent) publish("execute_input", { code, execution_count: count });
  if (!silent && store_history) recordHistory(count, code);
  // Also what a cell prints after it has ended belongs to it, until the next one starts.
  process.stdout.write = handler.createWriteToIopub("stdout", writeStream) as typeof process.stdout.write;
  process.stderr.write = handler.createWriteToIopub("stderr", writeStream) as typeof process.stderr.write;
  jupyter.lastWriteDisplayData = (content, update) => {
    flushText();
    writeDisplay(content, update);
  };

  cellStarts();
  try {
    const ended = await untilInterrupted(async () => {
      if (!(await executeTyped(handler, code))) return false;
      const value = finishCell();
      if (value !== undefined && !silent) {
        // On demand: most cells show nothing, and a kernel is to be ready soon.
        const { resultBundle } = await import("../result.js");
        const data = await resultBundle(value);
        flushText();
        publish("execute_result", { execution_count: count, data, metadata: {} });
      }
      return true;
    }).catch((error: unknown) => {
      recordFailure(describe(error));
      return false;
    });
    if (ended !== true) finishFailedCell();
    // What an interrupted cell reports later is not of the next one.
    if (ended === "interrupted") recordFailure(INTERRUPTED);
    // Node reports a rejection nobody handled after the turn in which it happened.
    await nextTurn();
    await nextTurn();
    const failure = takeFailure();
    return { count, failure: failure ?? (ended === true ? undefined : describe(new Error("the cell failed"))) };
  } finally {
    cellEnds();
    flushText();
  }
}
