import { mkdir, writeFile } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { join } from "node:path";
import { fileSystemError } from "../core/index.js";
import { kernelCommand } from "./kernel.js";

/** The folder in which Jupyter looks for a user's kernels (jupyter-core's "user data directory"). */
export function jupyterDataFolder(): string {
  if (process.env.JUPYTER_DATA_DIR) return process.env.JUPYTER_DATA_DIR;
  if (platform() === "darwin") return join(homedir(), "Library", "Jupyter");
  if (platform() === "win32") return join(process.env.APPDATA ?? homedir(), "jupyter");
  return join(process.env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "jupyter");
}

/**
 * Write the kernel with which `thoughtbook notebooks run` works for Jupyter, as the kernel "tslab".
 * @returns the path of the kernel.json written.
 * @throws ThoughtbookError if the folder cannot be written.
 */
export async function installKernel(dataFolder: string = jupyterDataFolder()): Promise<string> {
  const folder = join(dataFolder, "kernels", "tslab");
  const file = join(folder, "kernel.json");
  const spec = {
    argv: kernelCommand(),
    display_name: "TypeScript (Thoughtbook)",
    language: "typescript",
    interrupt_mode: "signal",
  };
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, `${JSON.stringify(spec, null, 2)}\n`);
  } catch (error) {
    throw fileSystemError(error, "write the kernel", file);
  }
  return file;
}
