// Set-up before `npm start`, `npm test` and `npm run book`: install packages and compile the library, each only when
// something changed. Plain JavaScript without imports from npm, since on a fresh clone nothing is installed yet.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fail(message) {
  console.error(message);
  process.exit(1);
}

function step(name, command) {
  // npm before 11 does not know `allowScripts`, and onnxruntime-node's script would download CUDA libraries.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  const started = performance.now();
  console.error(`${name} …`);
  try {
    execFileSync(process.execPath, command, { cwd: root, stdio: ["ignore", 2, 2], env });
  } catch {
    fail(`${name}: failed; see the lines above.`);
  }
  console.error(`${name}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** npm writes this file last, so it is newer than the manifests unless these have changed or an install broke off. */
function isInstalled() {
  const written = statSync(join(root, "node_modules", ".package-lock.json"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const manifests = ["package.json", "package-lock.json", join("lib", "package.json")];
  return manifests.every((file) => statSync(join(root, file)).mtimeMs <= written);
}

/** A digest of all that the compiled library is made from. */
function sourceDigest() {
  const sources = readdirSync(join(root, "lib"), { recursive: true })
    .map((file) => join("lib", file))
    .filter((file) => /\.c?ts$/.test(file) && !/[\\/](dist|node_modules)[\\/]/.test(file));
  const hash = createHash("sha256");
  for (const file of ["package-lock.json", "tsconfig.json", ...sources.sort()]) {
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  fail(`Thoughtbook needs Node 20.20 or newer; this is ${process.version}. Install it from https://nodejs.org.`);
}
if (!isInstalled()) {
  const npm = process.env.npm_execpath ?? fail("Run this through npm: npm start, npm test or npm run book.");
  step("Installing packages", [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}
const digest = sourceDigest();
const stamp = join(root, "lib", "dist", ".stamp");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) {
  step("Compiling the library", [join("node_modules", "typescript", "bin", "tsc"), "-p", "."]);
  writeFileSync(stamp, digest);
}
