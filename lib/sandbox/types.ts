export const LANGUAGES = ["javascript", "python"] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * Why a program did not end well: its time, its memory or its output was over the limit, it failed by itself, or it
 * failed because it tried a file, the network, a process or the host of its interpreter.
 */
export const PROGRAM_ERRORS = ["timeout", "memory", "output", "error", "forbidden"] as const;
export type ProgramErrorKind = (typeof PROGRAM_ERRORS)[number];

export interface ProgramError {
  kind: ProgramErrorKind;
  /** One line, such as "ZeroDivisionError: division by zero (line 3)". */
  message: string;
}

export interface Program {
  language: Language;
  code: string;
  /** What the program reads: `input()`, `sys.stdin` in Python, `readline()` in JavaScript. Default: nothing. */
  stdin?: string | undefined;
  /** Instead of the sandbox's. */
  timeLimitMs?: number | undefined;
}

export interface ProgramResult {
  /** It ended by itself, without an error, within its limits. */
  ok: boolean;
  stdout: string;
  stderr: string;
  /** Of the last expression, as data; undefined where there is none or it is no data, such as a function. */
  value?: unknown;
  error: ProgramError | null;
  /** Wall time of the program alone. */
  milliseconds: number;
}

/** A call of a function and what it must return, as data. */
export interface SandboxCase {
  args: readonly unknown[];
  result: unknown;
}
