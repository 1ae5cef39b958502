/*
 * What the sandbox and the process of an interpreter say to each other: JSON in frames, see channel.ts. Whatever comes
 * from the process is untrusted.
 */

/** A value as tagged JSON, see ../values.ts. */
export type Encoded = unknown;

export interface Limits {
  /** What is left for this request. */
  timeLimitMs: number;
  outputBytes: number;
}

/** To a process that runs programs. */
export type ProgramRequest =
  /** Run a program. With `keep` its namespace stays for calls until "end". */
  | { op: "run"; code: string; stdin: string; keep: boolean; limits: Limits }
  /** Call a function of the program kept, or do something else with one of its objects. */
  | { op: "call"; request: ObjectRequest; limits: Limits }
  | { op: "end" };

/** What tests may ask of the program: a name of its globals, or an object that it returned. */
export interface ObjectRequest {
  target: { name: string } | { handle: number };
  /** With an attribute, it is meant instead of the object. */
  attribute?: string;
  do: "call" | "get" | "set" | "truth" | "text";
  args?: Encoded[];
  keywords?: Record<string, Encoded>;
}

/** To a process that runs tests. */
export type JudgeRequest =
  | { op: "judge"; setup: string; tests: string[]; entryPoint: string; limits: Limits }
  | { op: "answer"; answer: string };

export interface WorkerError {
  kind: "timeout" | "memory" | "output" | "error" | "forbidden";
  message: string;
  /** The exception's class and those it stands on, the nearest first; of Python. */
  classes?: string[];
}

/** After a program or a call. */
export interface ProgramReply {
  op: "result";
  stdout: string;
  stderr: string;
  /** Present where there is a value. */
  value?: Encoded;
  /** Arguments that the call changed, by position. */
  changed?: [number, Encoded][];
  error: WorkerError | null;
  milliseconds: number;
  /** The process ends by itself now: another one is needed. */
  ends: boolean;
}

export interface JudgeReply {
  op: "verdict";
  /** One for each test. */
  verdicts: { ok: boolean; kind: "wrong" | "error" | "program"; message: string }[];
  /** How often the tests called the program. */
  calls: number;
  error: WorkerError | null;
  ends: boolean;
}

export type WorkerReply =
  | { op: "ready"; residentBytes: number }
  | { op: "ask"; request: string }
  | ProgramReply
  | JudgeReply;

/** How the process is started: its only argument, as JSON. */
export interface WorkerSettings {
  role: "javascript" | "python" | "judge";
  memoryMb: number;
  /** Files of the packages, as URLs. */
  modules: { pyodide: string; quickjs: string; variant: string };
}

/** After the time limit the program is interrupted; so long after that the process ends itself. */
export const GRACE_MS = 400;
