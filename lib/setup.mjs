// Set-up of a checkout, before `npm start`, `npm test` and `npm run book`: install packages and compile the library,
// each only when something changed. `npm run setup` does only that, and `npx thoughtbook` compiles where it must.
// Plain JavaScript without imports from npm, since on a fresh clone nothing is installed yet.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { nameFilesDirectly } from "./declarations.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "lib", "dist", ".stamp");
const lock = join(root, "lib", "dist", ".compiling");
const COMPILER = join("node_modules", "typescript", "bin", "tsc");

/** Run a step with its name and its time on stderr; whether it succeeded. */
function step(name, command) {
  // npm before 11 does not know `allowScripts`, and onnxruntime-node's script would download CUDA libraries.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const started = performance.now();
  console.error(`${name} …`);
  try {
    execFileSync(process.execPath, command, { cwd: root, stdio: ["ignore", 2, 2], env });
  } catch {
    console.error(`${name}: failed; see the lines above.`);
    return false;
  }
  console.error(`${name}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return true;
}

/** npm writes this file last, so it is newer than the manifests unless these have changed or an install broke off. */
function isInstalled() {
  const written = changed(join(root, "node_modules", ".package-lock.json"));
  const manifests = ["package.json", "package-lock.json", join("lib", "package.json")];
  return manifests.every((file) => changed(join(root, file)) <= written);
}

/** When a file last changed, in ms; 0 if it is not there. */
function changed(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The folders of lib/ with sources, and the sources in them, relative to the root. */
function sourceFiles() {
  const folders = [];
  const files = [];
  const visit = (folder) => {
    folders.push(folder);
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !["dist", "node_modules", "packed"].includes(entry.name)) visit(path);
      else if (/\.c?ts$/.test(entry.name)) files.push(path);
    }
  };
  visit("lib");
  return { folders, files: files.sort() };
}

/** A digest of all that the compiled library is made from. */
function sourceDigest() {
  const hash = createHash("sha256");
  for (const file of ["package-lock.json", "tsconfig.json", ...sourceFiles().files]) {
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Remove what was compiled from sources that are gone. */
function removeStale() {
  const dist = dirname(stamp);
  const names = new Set(sourceFiles().files.map((file) => relative("lib", file).replace(/\.(c?)ts$/, "")));
  for (const file of readdirSync(dist, { recursive: true })) {
    const name = file.replace(/(\.d)?\.c?[jt]s(\.map)?$/, "");
    if (name !== file && !names.has(name)) rmSync(join(dist, file));
  }
}

const isCompiled = () => existsSync(stamp) && readFileSync(stamp, "utf8") === sourceDigest();

/** Compile the library unless what is compiled is that of these sources; whether it is now. */
function compile() {
  if (!isCompiled()) {
    // Two commands started at once compile once: the second waits for the first.
    mkdirSync(dirname(lock), { recursive: true });
    while (!takeLock()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    try {
      if (!isCompiled()) {
        const digest = sourceDigest();
        if (!step("Compiling the library", [COMPILER, "-p", "."])) return false;
        removeStale();
        nameFilesDirectly(dirname(stamp));
        writeFileSync(stamp, digest);
      }
    } finally {
      rmSync(lock, { force: true });
    }
  }
  // Newer than the sources, so that the next command need not read them.
  const now = new Date();
  utimesSync(stamp, now, now);
  return true;
}

/** Whether this process may compile; a lock whose process is gone is taken over. */
function takeLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    process.kill(Number(readFileSync(lock, "utf8")), 0);
  } catch (error) {
    if (error.code === "ESRCH") rmSync(lock, { force: true });
  }
  return false;
}

/**
 * For a command: compile where a source, or a folder that lost or got one, is newer than what is compiled. Reads no
 * file unless one is, so that it costs some milliseconds.
 *
 * @returns whether the library is compiled; otherwise stderr has the reason
 */
export function compileIfChanged() {
  const compiled = changed(stamp);
  const { folders, files } = sourceFiles();
  // The folder lib/ itself changes with lib/dist: its sources are looked at as files only.
  const sources = ["tsconfig.json", "package-lock.json", ...folders.filter((folder) => folder !== "lib"), ...files];
  if (compiled > 0 && sources.every((path) => changed(join(root, path)) <= compiled)) return true;
  if (existsSync(join(root, COMPILER))) return compile();
  console.error("error: the library is not compiled and its packages are not installed. Run `npm run setup`.");
  return false;
}

function setUp() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    console.error(
      `Thoughtbook needs Node 20.20 or newer; this is ${process.version}. Install it from https://nodejs.org.`,
    );
    return false;
  }
  if (!isInstalled()) {
    const npm = process.env.npm_execpath;
    if (!npm) {
      console.error("Run this through npm: npm run setup, npm start, npm test or npm run book.");
      return false;
    }
    if (!step("Installing packages", [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"])) return false;
  }
  return compile();
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (!setUp()) process.exitCode = 1;
}
