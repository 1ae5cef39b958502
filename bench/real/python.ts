import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";

/** Whether a Python has what a peer needs is asked of the packages' metadata: importing vLLM alone takes ten seconds. */
const PROBE = `
import importlib.metadata, importlib.util, json, sys
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(json.dumps({"missing": missing, "python": sys.version.split()[0]}))
`;
const PROBED = z.object({ missing: z.array(z.string()), python: z.string() });

/**
 * The first Python that has all modules.
 *
 * @returns its path, or why none has
 */
export async function findPython(
  candidates: readonly string[],
  modules: readonly string[],
): Promise<{ path: string } | { missing: string }> {
  if (candidates.length === 0) return { missing: `no --python with ${modules.join(", ")}` };
  const reasons: string[] = [];
  for (const path of candidates) {
    try {
      const { stdout } = await promisify(execFile)(path, ["-c", PROBE, ...modules]);
      const { missing } = PROBED.parse(JSON.parse(stdout));
      if (missing.length === 0) return { path };
      reasons.push(`${path} has no ${missing.join(", ")}`);
    } catch (error) {
      reasons.push(`${path}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    }
  }
  return { missing: reasons.join("; ") };
}
