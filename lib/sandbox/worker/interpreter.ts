import type { Channel } from "./channel.js";
import type { JudgeRequest, ProgramRequest, WorkerReply } from "./messages.js";

/** What an interpreter can do. */
export interface Interpreter {
  handle(request: ProgramRequest | JudgeRequest): WorkerReply;
}

/** What the interpreter gets of the process. */
export interface Host {
  channel: Channel;
  /** Answer for the last time and end the process: the program does not stop by itself. */
  leave(reply: WorkerReply): never;
}
