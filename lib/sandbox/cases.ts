import { badInput } from "../core/index.js";
import type { LoadedProgram, RunOptions, Sandbox } from "./open-sandbox.js";
import type { Language, ProgramErrorKind, SandboxCase } from "./types.js";
import { decodeValue, encodeValue, equalValues } from "./values.js";

export interface CasesRequest {
  language: Language;
  /** Defines the function; it runs once, and then each case is one call. */
  code: string;
  /** Name of the function. */
  entryPoint: string;
  /** Cases that whoever wrote the program has seen: their verdicts say what the function returned. */
  visible?: readonly SandboxCase[];
  /** Cases whose verdicts say only whether the function was right. */
  hidden?: readonly SandboxCase[];
  /** Numbers may differ by this share, see `equalValues`. Default 0. */
  tolerance?: number;
  /** For the program and all calls together, instead of the sandbox's. */
  timeLimitMs?: number | undefined;
}

export interface CaseVerdict {
  passed: boolean;
  /** Why not: "wrong" is another value than expected, the others are the program's failures. */
  kind?: "wrong" | ProgramErrorKind;
  /** Of visible cases only. */
  message?: string;
  /** What the function returned, of visible cases only. */
  value?: unknown;
}

export interface CasesResult {
  /** All cases passed, and there was one at least. */
  passed: boolean;
  visible: CaseVerdict[];
  hidden: CaseVerdict[];
  /** How many of all cases passed. */
  passedCases: number;
}

/**
 * Call a function of a program on cases and compare what it returns. The program sees the arguments of one call at a
 * time, and never an expected value; values leave it as data and are compared here. So nothing that it prints, patches
 * or ends early can make a case pass: only a right value does. An array equals a list or a tuple of Python.
 *
 * @throws bad-input where there is no case
 */
export async function runCases(
  sandbox: Sandbox,
  { language, code, entryPoint, visible = [], hidden = [], tolerance = 0, timeLimitMs }: CasesRequest,
  options: RunOptions = {},
): Promise<CasesResult> {
  const cases = [...visible, ...hidden];
  if (cases.length === 0) throw badInput("there is no case to call the function on", "Give visible or hidden cases.");
  const encoded = cases.map(({ args }) => args.map((each) => encodeValue(each, language)));
  const program = { language, code: language === "javascript" ? withoutExports(code) : code, timeLimitMs };
  const verdicts = await sandbox.withProgram(
    program,
    async (loaded) => {
      const found: CaseVerdict[] = [];
      for (const [at, { result }] of cases.entries()) {
        found.push(await verdictOf(loaded, { entryPoint, args: encoded[at]!, result, tolerance }));
      }
      return found;
    },
    options,
  );
  const passedCases = verdicts.filter(({ passed }) => passed).length;
  return {
    passed: passedCases === cases.length,
    visible: verdicts.slice(0, visible.length),
    hidden: verdicts
      .slice(visible.length)
      .map(({ passed, kind }) => (kind === undefined ? { passed } : { passed, kind })),
    passedCases,
  };
}

async function verdictOf(
  { language, ask }: LoadedProgram,
  { entryPoint, args, result, tolerance }: { entryPoint: string; args: unknown[]; result: unknown; tolerance: number },
): Promise<CaseVerdict> {
  const { value, error } = await ask({ target: { name: entryPoint }, do: "call", args });
  if (error) return { passed: false, kind: error.kind, message: error.message };
  const decoded = decodeValue(value, language);
  if (equalValues(decoded, result, tolerance)) return { passed: true, value: decoded };
  return { passed: false, kind: "wrong", message: "the function returned another value than expected", value: decoded };
}

/** Functions are looked up among the globals of a script, which has no exports. */
function withoutExports(code: string): string {
  return code
    .replace(/^export\s+(?:default\s+)?(?=(?:async\s+)?function\b|class\b|const\b|let\b|var\b)/gm, "")
    .replace(/(^|[;}])[ \t]*export\s+(?:default\s+[\w$]+|\{[^}]*\})[ \t]*;?[ \t]*$/gm, "$1");
}
