import { homedir, platform } from "node:os";
import { join } from "node:path";
import { badInput, fileSystemError, readIfThere, ThoughtbookError, writeWhole } from "../core/index.js";
import { kernelCommand } from "./kernel.js";

/** The name by which notebooks ask for the kernel. */
export const KERNEL_ID = "thoughtbook";

/** The folder in which Jupyter looks for a user's kernels (jupyter-core's "user data directory"). */
export function jupyterDataFolder(): string {
  if (process.env.JUPYTER_DATA_DIR) return process.env.JUPYTER_DATA_DIR;
  if (platform() === "darwin") return join(homedir(), "Library", "Jupyter");
  if (platform() === "win32") return join(process.env.APPDATA ?? homedir(), "jupyter");
  return join(process.env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "jupyter");
}

export interface InstallKernelOptions {
  /** By which notebooks ask for it. Default: `thoughtbook`. */
  id?: string;
}

/**
 * Write the kernel with which `thoughtbook notebooks run` works for Jupyter. One that this wrote before is replaced, no other.
 *
 * @param dataFolder a data folder of Jupyter
 * @returns the path of the kernel.json written
 * @throws bad-input for an id that Jupyter does not take or that another kernel has; file-system
 */
export async function installKernel(
  dataFolder: string = jupyterDataFolder(),
  { id = KERNEL_ID }: InstallKernelOptions = {},
): Promise<string> {
  if (!/^[a-z0-9._-]+$/i.test(id) || /^\.+$/.test(id)) {
    throw badInput(`${JSON.stringify(id)} is no id of a kernel`, "Use letters, digits, dots, hyphens and underscores.");
  }
  const file = join(dataFolder, "kernels", id, "kernel.json");
  const spec = {
    argv: kernelCommand(),
    display_name: id === KERNEL_ID ? "TypeScript (Thoughtbook)" : `TypeScript (Thoughtbook, ${id})`,
    language: "typescript",
    interrupt_mode: "signal",
    metadata: { thoughtbook: true },
  };
  try {
    const earlier = await readIfThere(file);
    if (earlier !== undefined && !isOurs(earlier)) {
      throw badInput(
        `${file} is of another kernel, which is left as it is`,
        "Choose another --id, or remove that folder.",
      );
    }
    await writeWhole(file, `${JSON.stringify(spec, null, 2)}\n`);
  } catch (error) {
    if (error instanceof ThoughtbookError && error.code === "bad-input") throw error;
    const cause = error instanceof ThoughtbookError ? error.cause : error;
    throw fileSystemError(cause, "write the kernel", file);
  }
  return file;
}

function isOurs(text: string): boolean {
  try {
    const { metadata, argv } = JSON.parse(text) as { metadata?: { thoughtbook?: unknown }; argv?: unknown };
    // What versions before this mark wrote.
    const isEarlier = Array.isArray(argv) && argv.some((part) => /[\\/]tslab-kernel\.cjs$/.test(String(part)));
    return metadata?.thoughtbook === true || isEarlier;
  } catch {
    return false;
  }
}
