import { jupyter, type WriteStream } from "./modules.js";

let gathered: { name: string; text: string; writeStream: WriteStream } | undefined;

/**
 * What one turn of the event loop writes to a stream goes out as one message: nothing is sent earlier in any case, and a
 * slow front end gives up on the last of thousands.
 */
function gatherText(name: string, text: string, writeStream: WriteStream): void {
  if (gathered && (gathered.name !== name || gathered.writeStream !== writeStream)) flushText();
  if (gathered) gathered.text += text;
  else {
    gathered = { name, text, writeStream };
    setImmediate(flushText);
  }
}

/** Send what was written so far, so that what is sent next comes after it. */
export function flushText(): void {
  const ready = gathered;
  gathered = undefined;
  ready?.writeStream(ready.name, ready.text);
}

/** Writers of process.stdout and process.stderr that gather text, and that call back as Node's do. */
export function mendStreams(): void {
  const handler = jupyter.JupyterHandlerImpl.prototype;
  const { createWriteToIopub } = handler;
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
