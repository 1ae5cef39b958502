/**
 * Where a cell's imports are looked for: as everywhere from the notebook's folder upward, and then among the packages of
 * this library. So a notebook in any folder finds `thoughtbook` and what it brings (`danfojs-node`, `@tensorflow/tfjs`,
 * types of Node), wherever the kernel was installed. Loaded before tslab, whose compiler it extends.
 */
import fs = require("node:fs");

import Module = require("node:module");
import path = require("node:path");

/** The little of the compiler's interface that is used here. */
interface CompilerOptions {
  typeRoots?: string[];
}
interface System {
  fileExists(file: string): boolean;
  directoryExists(folder: string): boolean;
  readFile(file: string, encoding?: string): string | undefined;
  realpath(path: string): string;
}
interface TypeScript {
  sys: System;
  createWatchCompilerHost(files: string[], options: CompilerOptions, system: System, ...reporters: unknown[]): unknown;
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

/**
 * For the compiler, which is replaced by one with such a resolution: its functions cannot be set. To it the packages lie
 * below the notebook's folder, since it refuses to name a type of a package that lies anywhere else.
 */
function extendCompiler(): void {
  const file = fromTslab.resolve("@tslab/typescript-for-tslab");
  const typescript = fromTslab(file) as TypeScript;
  const createWatchCompilerHost: TypeScript["createWatchCompilerHost"] = (files, given, system, ...reporters) => {
    const options = { ...given, typeRoots: withNodeTypes(typescript, given.typeRoots ?? []) };
    const { fileExists, directoryExists, readFile, realpath } = system;
    const isThere = (path: string) => typescript.sys.fileExists(path) || typescript.sys.directoryExists(path);
    const placeOf = (path: string) => packagePlace(path, isThere);
    Object.assign(system, {
      fileExists: (path: string) => fileExists(placeOf(path)),
      directoryExists: (path: string) => directoryExists(placeOf(path)),
      readFile: (path: string, encoding?: string) => readFile(placeOf(path), encoding),
      realpath: (path: string) => (placeOf(path) === path ? realpath(path) : path),
    });
    return typescript.createWatchCompilerHost(files, options, system, ...reporters);
  };
  require.cache[file]!.exports = { ...typescript, createWatchCompilerHost };
}

const slashed = (path: string): string => path.replaceAll("\\", "/");
const besideNotebook = `${slashed(process.cwd())}/node_modules/`;
/** This library's folder, and the folder of packages that it is in. */
const library = path.resolve(__dirname, "..", "..");
const packages =
  path.basename(path.dirname(library)) === "node_modules"
    ? path.dirname(library)
    : path.join(path.dirname(library), "node_modules");
/** Whether the notebook's folder, or one above it, has the library by itself. */
const isInstalledHere = Module.createRequire(path.join(process.cwd(), "cell.js"))
  .resolve.paths("thoughtbook")!
  .some((folder) => fs.existsSync(path.join(folder, "thoughtbook")));

/** Where a path below the notebook's own packages really is: there, or among those of this library. */
function packagePlace(file: string, isThere: (file: string) => boolean): string {
  if (!file.startsWith(besideNotebook) || isThere(file)) return file;
  const name = file.slice(besideNotebook.length);
  // What comes inside of the library (danfojs-node) is found by no notebook by itself.
  const folders = [path.join(library, "node_modules"), ...(isInstalledHere ? [] : [packages])];
  const places = folders.map((folder) => `${slashed(folder)}/${name}`);
  return places.find(isThere) ?? file;
}

/** The folders of types, with this library's where none of them has those of Node. */
function withNodeTypes(typescript: TypeScript, roots: string[]): string[] {
  if (roots.some((root) => typescript.sys.fileExists(path.join(root, "node", "package.json")))) return roots;
  return [...roots, path.dirname(path.dirname(require.resolve("@types/node/package.json")))];
}

extendRequire();
extendCompiler();
