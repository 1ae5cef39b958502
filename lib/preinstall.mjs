// Before the packages that this one needs run their own scripts: onnxruntime-node's downloads CUDA libraries (hundreds
// of MB, from outside of npm) on Linux unless it is told not to, and an installation without that network fails. No
// setting for it can travel in a package, so the default of its script becomes that of the other systems: nothing is
// downloaded unless you ask (ONNXRUNTIME_NODE_INSTALL=cuda12). Where scripts do not run at all nothing is lost.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const SKIPS_WHEN_TOLD = "if (INSTALL_FLAG === false) {";
const SKIPS_UNLESS_TOLD = "if (INSTALL_FLAG === false || INSTALL_FLAG === undefined) {";

try {
  const manifest = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  const script = join(dirname(manifest), "script", "install.js");
  const source = readFileSync(script, "utf8");
  if (source.includes(SKIPS_WHEN_TOLD)) {
    // A new file in its place: package managers may share the old one between projects.
    writeFileSync(`${script}.new`, source.replace(SKIPS_WHEN_TOLD, SKIPS_UNLESS_TOLD));
    renameSync(`${script}.new`, script);
  }
} catch {
  // Not there yet, or not ours to write: then its script does as it always does.
}
