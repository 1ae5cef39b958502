import { openChannel } from "./channel.js";
import type { Host } from "./interpreter.js";
import { startJavaScript } from "./javascript.js";
import type { JudgeRequest, ProgramReply, ProgramRequest, WorkerSettings } from "./messages.js";
import { startPython } from "./python.js";
import { raiseWalls } from "./walls.js";

/*
 * The process of one interpreter. It takes one request after another until the sandbox closes the channel; it is
 * killed from outside where it does not answer in time.
 */

const settings = JSON.parse(process.argv[2]!) as WorkerSettings;
const channel = openChannel();
const exit = process.exit.bind(process);
const memoryUsage = process.memoryUsage.bind(process);
const host: Host = {
  channel,
  leave(reply) {
    channel.send(reply);
    return exit(0);
  },
};

const interpreter =
  settings.role === "javascript" ? await startJavaScript(settings) : await startPython(settings, host);
raiseWalls();
channel.send({ op: "ready", residentBytes: memoryUsage().rss });
for (;;) {
  const request = channel.receive() as ProgramRequest | JudgeRequest | undefined;
  if (request === undefined) exit(0);
  const reply = interpreter.handle(request!) as ProgramReply;
  channel.send(reply);
  if (reply.ends) exit(0);
  // Promises of the interpreter's own settle between two requests.
  await new Promise<void>((resolve) => setImmediate(resolve));
}
