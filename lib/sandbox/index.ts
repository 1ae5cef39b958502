export {
  type LoadedProgram,
  openSandbox,
  type RunOptions,
  type Sandbox,
  type SandboxOptions,
} from "./open-sandbox.js";
export {
  LANGUAGES,
  type Language,
  PROGRAM_ERRORS,
  type Program,
  type ProgramError,
  type ProgramErrorKind,
  type ProgramResult,
  type SandboxCase,
} from "./types.js";
