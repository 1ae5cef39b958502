/** Error codes that programs can branch on. */
export type ErrorCode =
  | "bad-input"
  | "not-found"
  | "corrupt-data"
  | "network"
  | "file-system"
  | "timeout"
  | "budget"
  | "interrupted"
  /** Answers of a batch are not there yet: what was asked is stored, and the same command goes on once they are. */
  | "pending"
  | "execution";

export interface ErrorDetails {
  /** The next step for the reader of the message, as a sentence. */
  hint?: string;
  cause?: unknown;
}

/** An error meant to be read by a user: which input, what was expected, what to do next. */
export class ThoughtbookError extends Error {
  override readonly name = "ThoughtbookError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** Create an error about the caller's input. */
export const badInput = (message: string, hint: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", message, { hint });

/** Throws bad-input unless `value` is a whole number of at least `least`, or left out. */
export function checkWhole(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return;
  const expected = least === 1 ? "a whole number above 0" : `a whole number, ${least} or more`;
  throw badInput(`${name} is ${value}, expected ${expected}`, "Correct the option.");
}

const FILE_SYSTEM_REASONS: Record<string, string> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "is a folder, a file was expected",
  EEXIST: "exists already",
};

/** Turn a Node file-system error into one that names the path and the next step. */
export function fileSystemError(error: unknown, action: string, path: string): ThoughtbookError {
  if (error instanceof ThoughtbookError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  const reason = FILE_SYSTEM_REASONS[code] ?? oneLine(error);
  return new ThoughtbookError(code === "ENOENT" ? "not-found" : "file-system", `cannot ${action} ${path}: ${reason}`, {
    hint: code === "ENOENT" ? "Check the path." : "Choose another folder, or change its permissions.",
    cause: error,
  });
}

/** One line for the terminal: the message and, where there is one, the next step. */
export function describeError(error: unknown): string {
  const hint = error instanceof ThoughtbookError && error.hint ? ` ${error.hint}` : "";
  return `${oneLine(error).replace(/[.:]?$/, hint ? "." : "")}${hint}`;
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.replace(/\s*\n\s*/g, " ");
}
