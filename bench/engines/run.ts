import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

/*
 * Exports, run by the engines that they are for: npx tsx bench/engines/run.ts ENGINE --model FOLDER [--venv FOLDER]
 * Without --venv an environment is made in the cache folder and the engine installed there. What the run printed goes to
 * test/fixtures/engines/ENGINE.json, which the tests compare the exported files with.
 */

interface EngineOptions {
  venv: string | undefined;
  model: string;
  folder: string;
}

const ENGINES: Record<string, (options: EngineOptions) => Promise<object>> = {
  trl: async (options) => (await import("./trl.js")).runTrl(options),
  "llama-factory": async (options) => (await import("./llama-factory.js")).runLlamaFactory(options),
  vllm: async (options) => (await import("./vllm.js")).runVllm(options),
  litgpt: async (options) => (await import("./litgpt.js")).runLitgpt(options),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { venv: { type: "string" }, model: { type: "string" }, out: { type: "string" } },
});
const [engine = ""] = positionals;
const run = ENGINES[engine];
if (run === undefined || values.model === undefined) {
  console.error(
    `usage: npx tsx bench/engines/run.ts ${Object.keys(ENGINES).join("|")} --model FOLDER [--venv FOLDER] [--out FILE]`,
  );
  process.exit(2);
}
const out = values.out ?? join(import.meta.dirname, "..", "..", "test", "fixtures", "engines", `${engine}.json`);
const folder = await mkdtemp(join(tmpdir(), `thoughtbook-${engine}-`));
const result = await run({
  venv: values.venv === undefined ? undefined : resolve(values.venv),
  model: resolve(values.model),
  folder,
});
await mkdir(dirname(out), { recursive: true });
await writeFile(out, `${JSON.stringify(result, null, 1)}\n`);
console.log(`${out} (files in ${folder})`);
