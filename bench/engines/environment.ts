import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "thoughtbook/core";

/** A Python environment with an engine. */
export interface Environment {
  /** Run a program of the environment; what it prints is shown, and returned. Throws where it fails. */
  run(
    program: string,
    args: readonly string[],
    options?: { cwd?: string; env?: Record<string, string> },
  ): Promise<string>;
  /** Versions of packages, by name. */
  versions(packages: readonly string[]): Promise<Record<string, string>>;
}

export interface EnvironmentOptions {
  /** Folder of the environment. Default: one in the cache folder, which is made if it is not there. */
  venv?: string | undefined;
  /** What pip installs where the environment is new. */
  packages: readonly string[];
  /** What is removed again from a new one. */
  remove?: readonly string[] | undefined;
  engine: string;
}

/** Open an environment; a new one is made outside of the repository, and the packages installed in it. */
export async function openEnvironment({
  venv,
  packages,
  remove = [],
  engine,
}: EnvironmentOptions): Promise<Environment> {
  const folder = venv ?? join(cacheFolder(), "engines", engine);
  const bin = join(folder, "bin");
  if (!existsSync(join(bin, "python"))) {
    if (venv !== undefined) throw new Error(`${venv} is no Python environment: there is no bin/python in it`);
    await execute("python3", ["-m", "venv", folder], {});
    await execute(join(bin, "python"), ["-m", "pip", "install", "--progress-bar", "off", ...packages], {});
    if (remove.length > 0) await execute(join(bin, "python"), ["-m", "pip", "uninstall", "-y", ...remove], {});
  }
  const run: Environment["run"] = (program, args, { cwd, env = {} } = {}) =>
    execute(join(bin, program), args, {
      cwd,
      env: { PATH: `${bin}:${process.env.PATH}`, VIRTUAL_ENV: folder, ...env },
    });
  return {
    run,
    async versions(names) {
      const code = `import importlib.metadata as m, json; print("VERSIONS " + json.dumps({n: m.version(n) for n in ${JSON.stringify(names)}}))`;
      const printed = await run("python", ["-c", code]);
      return JSON.parse(/VERSIONS (.*)/.exec(printed)![1]!);
    },
  };
}

/** Two cores, no accounts, no downloads while a model is at hand. */
const QUIET = { OMP_NUM_THREADS: "2", HF_HUB_OFFLINE: "1", WANDB_MODE: "disabled", TOKENIZERS_PARALLELISM: "false" };

function execute(
  program: string,
  args: readonly string[],
  { cwd, env }: { cwd?: string | undefined; env?: Record<string, string> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...QUIET, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        process.stderr.write(text);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`${program} ${args.join(" ")} ended with ${code}: ${printed.slice(-2000)}`));
    });
  });
}
