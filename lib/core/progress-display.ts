import ora from "ora";
import { type NotebookDisplay, notebookDisplay } from "./display.js";

/** Where progress is shown. */
export interface ProgressDisplay {
  /** Replace the current line. */
  show(line: string): void;
  /** Finish the current line; `ok` is false if the task failed. */
  finish(line: string, ok: boolean): void;
  /** Print a line beside the current one. */
  log(line: string): void;
}

const PLAIN_INTERVAL_MS = 10_000;

let notebookOutputs = 0;
let spinning = false;

/** The notebook if there is one, else a spinner on a terminal, else plain lines; the latter two on stderr. */
export function defaultDisplay(): ProgressDisplay {
  const notebook = notebookDisplay();
  if (notebook !== undefined) return notebookOutput(notebook);
  return isInteractive() && !spinning ? spinnerLine() : plainLines();
}

function isInteractive(): boolean {
  const { isTTY, columns } = process.stderr;
  // On a terminal that is 0 columns wide, as under script(1), ora never comes to an end of clearing its line.
  return isTTY && columns > 0 && process.env.TERM !== "dumb" && !("CI" in process.env);
}

/** One output, updated in place. */
function notebookOutput(display: NotebookDisplay): ProgressDisplay {
  notebookOutputs += 1;
  const displayId = `progress-${notebookOutputs}`;
  let update = false;
  const show = (line: string) => {
    display({ "text/plain": line }, { displayId, update });
    update = true;
  };
  return { show, finish: show, log: (line) => process.stdout.write(`${line}\n`) };
}

function spinnerLine(): ProgressDisplay {
  spinning = true; // Two spinners would overwrite each other: meanwhile, other tasks print plain lines.
  const spinner = ora({ discardStdin: false }); // Stdin is left alone, so that Ctrl-C stops the process.
  return {
    show(line) {
      spinner.text = line;
      // Its own timer cannot render while the work is synchronous.
      if (spinner.isSpinning) spinner.render();
      else spinner.start();
    },
    finish(line, ok) {
      spinning = false;
      if (ok) spinner.succeed(line);
      else spinner.fail(line);
    },
    log: printLine,
  };
}

/** The first line, the last, and at most one every ten seconds in between. */
function plainLines(): ProgressDisplay {
  let printed = Number.NEGATIVE_INFINITY;
  return {
    show(line) {
      if (performance.now() - printed < PLAIN_INTERVAL_MS) return;
      printed = performance.now();
      printLine(line);
    },
    finish: printLine,
    log: printLine,
  };
}

function printLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
