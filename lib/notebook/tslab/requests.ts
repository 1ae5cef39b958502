import { writeSync } from "node:fs";
import { inspect } from "node:util";
import { createHeader, decodeMessage, encodeMessage, type Message } from "../protocol.js";
import { describe } from "./failures.js";
import { historyReply } from "./history.js";
import { interrupt } from "./interrupt.js";
import { type Content, jupyter, type Socket, type TslabServer, typescript } from "./modules.js";

/** Answer every request that front ends send beside those to execute code; what tslab does not know it only prints. */
export function mendRequests(version: string): void {
  const server = jupyter.ZmqServer.prototype;
  const serve = server.handleShellMessage;
  server.handleShellMessage = async function (socket, ...frames) {
    try {
      const message = decodeMessage(frames, this.connInfo.key);
      const answer = message && ANSWERS[message.header.msg_type];
      if (answer) respond(this, socket, frames, message, answer);
      else if (message && SERVED.has(message.header.msg_type)) await serve.call(this, socket, ...frames);
      else if (message?.header.msg_type.endsWith("_request")) respond(this, socket, frames, message, refuse);
    } catch (error) {
      // Not to process.stderr, which is the output of a cell. The others are still to be answered.
      writeSync(2, `a message of the front end failed: ${inspect(error)}\n`);
    }
  };

  const handler = jupyter.JupyterHandlerImpl.prototype;
  const { handleKernel } = handler;
  handler.handleKernel = function () {
    const { language_info, ...info } = handleKernel.call(this);
    return {
      status: "ok",
      ...info,
      implementation: "thoughtbook",
      implementation_version: version,
      banner: `Thoughtbook ${version}, TypeScript ${typescript.version}`,
      language_info: { ...(language_info as Content), version: typescript.version },
      help_links: [],
    };
  };
  for (const name of ["handleInspect", "handleComplete", "handleIsComplete"] as const) {
    const handle = handler[name];
    handler[name] = function (request) {
      try {
        return handle.call(this, request);
      } catch (error) {
        return { status: "error", ...describe(error) };
      }
    };
  }
  handler.handleShutdown = ({ restart = false }) => {
    // A timer or a server of a cell would keep the process.
    setTimeout(() => process.exit(0), 300);
    return { status: "ok", restart };
  };
}

type Answer = (message: Message) => { type: string; content: Content; isOutput?: boolean } | undefined;

const SERVED = new Set([
  "kernel_info_request",
  "execute_request",
  "is_complete_request",
  "inspect_request",
  "complete_request",
  "shutdown_request",
]);

const ANSWERS: Record<string, Answer> = {
  history_request: ({ content }) => ({ type: "history_reply", content: historyReply(content) }),
  // tslab answers with the wrong type, for which front ends wait for ever.
  comm_info_request: () => ({ type: "comm_info_reply", content: { status: "ok", comms: {} } }),
  // There is nobody here to talk to, which the protocol wants to be said.
  comm_open: ({ content }) => ({ type: "comm_close", content: { comm_id: content.comm_id, data: {} }, isOutput: true }),
  comm_msg: () => undefined,
  comm_close: () => undefined,
  interrupt_request: () => {
    interrupt();
    return { type: "interrupt_reply", content: { status: "ok" } };
  },
};

const refuse: Answer = ({ header: { msg_type } }) => ({
  type: msg_type.replace(/_request$/, "_reply"),
  content: { status: "error", ename: "NotSupported", evalue: `this kernel knows no ${msg_type}`, traceback: [] },
});

function respond(server: TslabServer, socket: Socket, frames: Buffer[], message: Message, answer: Answer): void {
  const { key } = server.connInfo;
  const { session } = message.header;
  const identities = frames.slice(
    0,
    frames.findIndex((frame) => frame.toString() === "<IDS|MSG>"),
  );
  const send = (target: Socket, type: string, content: Content) =>
    void target.send([...identities, ...encodeMessage(createHeader(type, session), content, key, message.header)]);
  send(server.iopub, "status", { execution_state: "busy" });
  const answered = answer(message);
  if (answered) send(answered.isOutput ? server.iopub : socket, answered.type, answered.content);
  send(server.iopub, "status", { execution_state: "idle" });
}
