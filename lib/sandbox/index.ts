export { type CasesRequest, type CasesResult, type CaseVerdict, runCases } from "./cases.js";
export {
  codeOf,
  gradeHumanEval,
  gradeJavaScript,
  gradeMbpp,
  gradePython,
  type HumanEvalProblem,
  type JavaScriptProblem,
  type MbppProblem,
  type PythonTests,
  type TestFailure,
  type TestsResult,
} from "./code-tests.js";
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
  type Program,
  type ProgramError,
  type ProgramErrorKind,
  type ProgramResult,
  type SandboxCase,
} from "./types.js";
