import type { Kernel, Outcome } from "./kernel.js";
import { type Cell, codeCells, hasTag, joinText, type Notebook, type Output, splitLines } from "./notebook-file.js";
import type { Message } from "./protocol.js";

/** Outcome of one cell; `index` counts the code cells of the notebook from 0. */
export interface CellEvent {
  index: number;
  total: number;
  source: string;
  seconds: number;
  outcome: Outcome;
}

export interface ExecuteNotebookOptions {
  cellTimeoutSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
  onStart?: (event: Pick<CellEvent, "index" | "total" | "source">) => void;
  onEnd?: (event: CellEvent) => void;
}

export interface Execution {
  /** The notebook with the outputs of the cells that ran, and none for the others. */
  notebook: Notebook;
  /** The first cell that failed or was interrupted; the cells after it did not run. */
  failure: CellEvent | undefined;
}

/**
 * Execute the code cells in order in the kernel until one does not end well; one tagged `raises-exception` may end with an
 * error, as in nbclient. The notebook given is not changed.
 */
export async function executeNotebook(
  notebook: Notebook,
  kernel: Kernel,
  { cellTimeoutSeconds, signal, onStart, onEnd }: ExecuteNotebookOptions = {},
): Promise<Execution> {
  const cells: Cell[] = notebook.cells.map((cell) =>
    cell.cell_type === "code" ? { ...cell, outputs: [], execution_count: null } : cell,
  );
  const code = codeCells({ ...notebook, cells });
  const displays = new Map<string, Output[]>();
  let failure: CellEvent | undefined;

  for (const [index, cell] of code.entries()) {
    const source = joinText(cell.source);
    const position = { index, total: code.length, source };
    onStart?.(position);
    const started = performance.now();
    const options = {
      onOutput: (message: Message) => collectOutput(message, cell.outputs, displays),
      signal,
      timeoutSeconds: cellTimeoutSeconds,
    };
    let outcome = await kernel.execute(source, options);
    if ("executionCount" in outcome) cell.execution_count = outcome.executionCount;
    // Work that the last cell left unawaited has no later cell to fail: an empty request asks for it.
    if (index === code.length - 1 && outcome.status === "ok") {
      const last = await kernel.execute("", options);
      if (last.status !== "ok") outcome = last;
    }
    const event = { ...position, seconds: (performance.now() - started) / 1000, outcome };
    onEnd?.(event);
    const isMeant = outcome.status === "error" && hasTag(cell, "raises-exception");
    if (outcome.status !== "ok" && !isMeant) {
      failure = event;
      break;
    }
  }
  for (const { outputs } of code) {
    for (const output of outputs) if (output.output_type === "stream") output.text = splitLines(joinText(output.text));
  }
  return { notebook: { ...notebook, cells }, failure };
}

const isText = (mime: string) => mime.startsWith("text/") || mime === "image/svg+xml";

const mimeBundle = (data: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(data as Record<string, unknown>).map(([mime, value]) => [
      mime,
      typeof value === "string" && isText(mime) ? splitLines(value) : value,
    ]),
  );

function collectOutput({ header, content }: Message, outputs: Output[], displays: Map<string, Output[]>): void {
  const displayId = (content.transient as { display_id?: string } | undefined)?.display_id;
  switch (header.msg_type) {
    case "stream": {
      const name = content.name === "stderr" ? "stderr" : "stdout";
      const last = outputs.at(-1);
      if (last?.output_type === "stream" && last.name === name) last.text = joinText(last.text) + String(content.text);
      else outputs.push({ output_type: "stream", name, text: String(content.text) });
      break;
    }
    case "display_data": {
      const output: Output = { output_type: "display_data", data: mimeBundle(content.data), metadata: {} };
      if (displayId !== undefined) displays.set(displayId, [...(displays.get(displayId) ?? []), output]);
      outputs.push(output);
      break;
    }
    case "execute_result":
      outputs.push({
        output_type: "execute_result",
        data: mimeBundle(content.data),
        execution_count: Number(content.execution_count),
        metadata: {},
      });
      break;
    case "update_display_data":
      for (const output of displays.get(displayId ?? "") ?? []) output.data = mimeBundle(content.data);
      break;
    case "clear_output":
      outputs.splice(0);
      break;
    case "error":
      outputs.push({
        output_type: "error",
        ename: String(content.ename),
        evalue: String(content.evalue),
        traceback: (content.traceback as unknown[]).map(String),
      });
      break;
  }
}
