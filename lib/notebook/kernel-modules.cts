/**
 * Where a cell's imports are looked for: as everywhere from the notebook's folder upward, and then among the packages of
 * this library. So a notebook in any folder finds `thoughtbook` and what it brings (`danfojs-node`, `@tensorflow/tfjs`,
 * types of Node), wherever the kernel was installed. Loaded before tslab, whose compiler it extends.
 */
import Module = require("node:module");
import path = require("node:path");

/** The little of the compiler's interface that is used here. */
interface Resolved {
  resolvedModule: unknown;
}
interface Literal {
  text: string;
}
interface CompilerOptions {
  typeRoots?: string[];
}
interface WatchHost {
  resolveModuleNameLiterals?(
    names: readonly Literal[],
    file: string,
    redirected: unknown,
    options: CompilerOptions,
  ): Resolved[];
}
interface TypeScript {
  sys: { fileExists(file: string): boolean };
  resolveModuleName(name: string, file: string, options: CompilerOptions, host: unknown): Resolved;
  createWatchCompilerHost(
    files: string[],
    options: CompilerOptions,
    system: unknown,
    ...reporters: unknown[]
  ): WatchHost;
  getPreEmitDiagnosticsOfFiles(program: unknown, files: unknown): readonly { code: number }[];
}
type ResolveFilename = (request: string, parent: { filename?: string } | undefined, ...rest: unknown[]) => string;

const isPackage = (name: string): boolean => !/^(\.{0,2}[\\/]|\.{1,2}$|node:|[A-Za-z]:[\\/])/.test(name);
const fromTslab = Module.createRequire(require.resolve("tslab/package.json"));

/** At run time. */
function extendRequire(): void {
  const loader = Module as unknown as { _resolveFilename: ResolveFilename };
  const resolveFilename = loader._resolveFilename;
  loader._resolveFilename = function (request, parent, ...rest) {
    try {
      return resolveFilename.call(this, request, parent, ...rest);
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND";
      // A package that lacks an optional one of its own must see that it does.
      const isCell = !/[\\/]node_modules[\\/]/.test(parent?.filename ?? "");
      if (!isMissing || !isCell || !isPackage(request) || parent?.filename === __filename) throw error;
      try {
        return require.resolve(request);
      } catch {
        throw error;
      }
    }
  };
}

/** "The inferred type cannot be named without a reference to a file that is not below the notebook": it is, by its path. */
const NOT_PORTABLE = 2742;

/** For the compiler, which is replaced by one with such a resolution: its functions cannot be set. */
function extendCompiler(): void {
  const file = fromTslab.resolve("@tslab/typescript-for-tslab");
  const typescript = fromTslab(file) as TypeScript;
  const createWatchCompilerHost: TypeScript["createWatchCompilerHost"] = (files, given, system, ...reporters) => {
    const options = { ...given, typeRoots: withNodeTypes(typescript, given.typeRoots ?? []) };
    const host = typescript.createWatchCompilerHost(files, options, system, ...reporters);
    host.resolveModuleNameLiterals = (names, containing, _redirected, settings) =>
      names.map(({ text }) => {
        const found = typescript.resolveModuleName(text, containing, settings, system);
        if (found.resolvedModule !== undefined || !isPackage(text)) return found;
        return typescript.resolveModuleName(text, __filename, settings, system);
      });
    return host;
  };
  const getPreEmitDiagnosticsOfFiles: TypeScript["getPreEmitDiagnosticsOfFiles"] = (program, files) =>
    typescript.getPreEmitDiagnosticsOfFiles(program, files).filter(({ code }) => code !== NOT_PORTABLE);
  require.cache[file]!.exports = { ...typescript, createWatchCompilerHost, getPreEmitDiagnosticsOfFiles };
}

/** The folders of types, with this library's where none of them has those of Node. */
function withNodeTypes(typescript: TypeScript, roots: string[]): string[] {
  if (roots.some((root) => typescript.sys.fileExists(path.join(root, "node", "package.json")))) return roots;
  return [...roots, path.dirname(path.dirname(require.resolve("@types/node/package.json")))];
}

extendRequire();
extendCompiler();
