/**
 * The Jupyter kernel of this project: tslab, with what is broken in it mended before it starts.
 *
 *     node --no-force-async-hooks-checks main.js --config-path CONNECTION_FILE
 *
 * (The option lets Node go on after code in a timer that blocked the kernel was stopped.)
 *
 * tslab 1.0.22 is the last release. What is mended says each module of this folder, and test/notebook/kernel.test.ts shows
 * it: output lost in bursts, errors without a message, requests aborted after an error, rejections that pass as success,
 * variables lost with a failed cell, results printed instead of sent, types that are not strict, interruptions that stop
 * nothing, requests without an answer, a kernel that goes on for ever when its front end was killed.
 */
// First of all: it extends the compiler before tslab reads it.
import "../kernel-modules.cjs";
import { createRequire } from "node:module";
import { mendExecution } from "./execute.js";
import { catchEscaped } from "./failures.js";
import { installInterrupt } from "./interrupt.js";
import { jupyter, tslab } from "./modules.js";
import { mendRequests } from "./requests.js";
import { mendSockets } from "./sockets.js";
import { mendStreams } from "./streams.js";

/** The bridge that lib/core/display.ts looks for. */
function installDisplay(): void {
  const display = (
    data: Record<string, unknown>,
    { displayId, update = false }: { displayId?: string; update?: boolean } = {},
  ) => {
    const transient = displayId === undefined ? {} : { display_id: displayId };
    jupyter.lastWriteDisplayData?.({ data, metadata: {}, transient }, update);
  };
  Object.defineProperty(globalThis, Symbol.for("thoughtbook.display"), { value: display });
}

const { version } = createRequire(import.meta.url)("../../../package.json") as { version: string };
mendSockets();
mendStreams();
mendExecution();
mendRequests(version);
installDisplay();

const configPath = process.argv[process.argv.indexOf("--config-path") + 1] ?? "";
// The bytes of a notebook must not depend on the terminal that started its kernel.
process.env.NO_COLOR = "1";
delete process.env.FORCE_COLOR;
tslab.startKernel({ configPath, enableFindLocal: false });
installInterrupt();
catchEscaped();
