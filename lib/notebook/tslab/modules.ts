import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export type Content = Record<string, unknown>;
export type WriteStream = (name: string, text: string) => void;
export interface DisplayData {
  data: Content;
  metadata: Content;
  transient: Content;
}
export type WriteDisplay = (content: DisplayData, update: boolean) => void;

export interface ExecuteRequest {
  code: string;
  silent?: boolean;
  store_history?: boolean;
  stop_on_error?: boolean;
}
export interface TslabMessage {
  content: ExecuteRequest;
  createReply(): {
    header: { msg_type: string };
    content: Content;
    signAndSend(key: string, socket: unknown): void;
  };
}
export interface TslabServer {
  connInfo: { key: string };
  iopub: Socket;
  handleShellMessage(socket: Socket, ...frames: Buffer[]): Promise<void>;
  handleExecute(socket: Socket, message: TslabMessage): Promise<void>;
  handleCommInfoRequest(socket: Socket, message: TslabMessage): void;
}
export interface TslabHandler {
  execCount: number;
  executor: { execute(code: string): Promise<boolean> };
  handleKernel(): Content;
  handleExecute(request: ExecuteRequest, writeStream: WriteStream, writeDisplay: WriteDisplay): Promise<Content>;
  handleInspect(request: unknown): Content;
  handleComplete(request: unknown): Content;
  handleIsComplete(request: unknown): Content;
  handleShutdown(request: { restart?: boolean }): Content;
  createWriteToIopub(name: string, writeStream: WriteStream): (...args: unknown[]) => boolean;
}
export interface Converted {
  output?: string;
  declOutput?: string;
  diagnostics: { messageText: string }[];
  hasToplevelAwait?: boolean;
  lastExpressionVar?: string | undefined;
}
export interface TslabConverter {
  convert(declarations: string, source: string): Converted;
  inspect(declarations: string, source: string, position: number): unknown;
  complete(declarations: string, source: string, position: number): unknown;
}
export interface TslabConsole {
  log(...args: unknown[]): void;
  error(...args: unknown[]): void;
}
export interface Socket {
  sendHighWaterMark: number;
  send(...args: unknown[]): Promise<void>;
  bind(...args: unknown[]): Promise<void>;
}

/** The little of the compiler's interface that is used here. */
export interface SyntaxNode {
  kind: number;
  pos: number;
  end: number;
  text?: string;
  name?: SyntaxNode & { text: string };
  expression?: SyntaxNode;
  operatorToken?: SyntaxNode;
  objectAssignmentInitializer?: SyntaxNode;
  declarationList?: { declarations: readonly SyntaxNode[] };
  importClause?: SyntaxNode & { namedBindings?: SyntaxNode & { elements?: readonly SyntaxNode[] } };
}
export interface SourceFile extends SyntaxNode {
  statements: readonly SyntaxNode[];
}
interface Diagnostic {
  code: number;
  messageText: string | { messageText: string };
  file?: { fileName: string };
}
export interface TypeScript {
  version: string;
  ScriptTarget: { Latest: number };
  SyntaxKind: Record<
    | "ShorthandPropertyAssignment"
    | "ExpressionStatement"
    | "ParenthesizedExpression"
    | "BinaryExpression"
    | "FirstAssignment"
    | "LastAssignment"
    | "FunctionDeclaration"
    | "ClassDeclaration"
    | "EnumDeclaration"
    | "ModuleDeclaration"
    | "Identifier"
    | "CallExpression"
    | "PropertyAccessExpression"
    | "ElementAccessExpression"
    | "NonNullExpression",
    number
  >;
  createSourceFile(name: string, text: string, target: number): SourceFile;
  forEachChild(node: SyntaxNode, visit: (child: SyntaxNode) => void): void;
  createWatchCompilerHost(files: unknown, options: Content, ...rest: unknown[]): unknown;
  getPreEmitDiagnosticsOfFiles(program: unknown, files: unknown): readonly Diagnostic[];
}

/** Whether the compiler says nothing of what a check in an earlier cell may have ruled out. */
export const narrowing = { isExcused: false };

/** Errors for which it matters what the cells before it have checked, such as `if (!found) throw …`. */
export const isOfNarrowing = (message: string | { messageText: string }): boolean =>
  /\b(undefined|null|unknown)\b/.test(typeof message === "string" ? message : message.messageText);

const tslabFolder = dirname(createRequire(import.meta.url).resolve("tslab/package.json"));
const fromTslab = createRequire(join(tslabFolder, "package.json"));

/** The compiler that tslab brings. It is the first of its modules to be loaded, so that the others see it as strict. */
export const typescript = loadStrictly(fromTslab.resolve("@tslab/typescript-for-tslab"));

/** tslab's own modules: CommonJS, of which the exported objects can be mended in place. */
export const jupyter = fromTslab("./dist/jupyter.js") as {
  lastWriteDisplayData: WriteDisplay | null;
  ZmqServer: { prototype: TslabServer };
  JupyterHandlerImpl: { prototype: TslabHandler };
};
export const executor = fromTslab("./dist/executor.js") as {
  createExecutor(root: string, converters: { node: TslabConverter }, console: TslabConsole): unknown;
};
export const tslab = fromTslab("./dist/main.js") as {
  startKernel(options: { configPath: string; enableFindLocal: boolean }): void;
};
export const zeromq = fromTslab("zeromq") as Record<"Publisher" | "Router" | "Reply", { prototype: Socket }>;

/**
 * The compiler with the options of `notebooks check` wherever tslab asks for its own. They cannot be set in tslab, and
 * the compiler's exports are read-only: the module is replaced by a copy before any other module of tslab reads it.
 */
function loadStrictly(file: string): TypeScript {
  const original = fromTslab(file) as TypeScript;
  // tslab leaves "use strict" out of what it runs, which does not go with `alwaysStrict`. Without `types` the compiler reads
  // every package of @types, that of jsdom with all of the browser's: a quarter of the time that a kernel takes to start.
  const strict = { strict: true, alwaysStrict: false, types: ["node"] };
  const copy: TypeScript = {
    ...original,
    createWatchCompilerHost: (files, options, ...rest) =>
      original.createWatchCompilerHost(files, { ...options, ...strict }, ...rest),
    // JavaScript beside the notebook has no types to be strict about.
    getPreEmitDiagnosticsOfFiles: (program, files) =>
      original
        .getPreEmitDiagnosticsOfFiles(program, files)
        .filter(({ code, file: at }) => !(at && /\.[cm]?js$/.test(at.fileName) && code >= 7000 && code < 7100))
        .filter(({ messageText }) => !(narrowing.isExcused && isOfNarrowing(messageText))),
  };
  fromTslab.cache[file]!.exports = copy;
  return copy;
}
