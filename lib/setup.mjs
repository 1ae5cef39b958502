// Set-up before `npm start`, `npm test` and `npm run book`: install packages and compile the library, each only when
// something changed. Plain JavaScript without imports from npm, since on a fresh clone nothing is installed yet.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  console.error(
    `Thoughtbook needs Node 20.20 or newer; this is ${process.version}. Install it from https://nodejs.org.`,
  );
  process.exit(1);
}

const digest = (files) => {
  const hash = createHash("sha256").update(process.version);
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
};

/** Run a step unless its stamp says that it was done with just these files. */
function step(name, stamp, files, run) {
  const current = digest(files);
  const path = join(root, stamp);
  if (existsSync(path) && readFileSync(path, "utf8") === current) return;
  const started = performance.now();
  console.error(`${name} …`);
  try {
    run();
  } catch {
    console.error(`${name}: failed; see the lines above.`);
    process.exit(1);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, current);
  console.error(`${name}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const run = (...command) => execFileSync(process.execPath, command, { cwd: root, stdio: ["ignore", 2, 2] });

step(
  "Installing packages",
  "node_modules/.thoughtbook",
  ["package.json", "lib/package.json", "package-lock.json"],
  () => run(process.env.npm_execpath, "ci", "--no-audit", "--no-fund", "--loglevel=error"),
);

const sources = readdirSync(join(root, "lib"), { recursive: true })
  .map((file) => join("lib", file))
  .filter((file) => /\.c?ts$/.test(file) && !/[\\/](dist|node_modules)[\\/]/.test(file))
  .sort();
step("Compiling the library", "lib/dist/.stamp", ["tsconfig.json", ...sources], () =>
  run("node_modules/typescript/bin/tsc", "-p", "."),
);
