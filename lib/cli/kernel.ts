import { join } from "node:path";
import { type Command, Option } from "@commander-js/extra-typings";
import { resolveUserPath } from "../core/index.js";
import { installKernel, jupyterDataFolder, KERNEL_ID } from "../notebook/index.js";

export function addKernelCommands(program: Command): void {
  const kernel = program.command("kernel").description("the TypeScript kernel for Jupyter");
  kernel
    .command("install")
    .description("let Jupyter run notebooks with the kernel that `notebooks run` uses; no other kernel is replaced")
    .option("--id <id>", "by which notebooks ask for it; the committed ones ask for the default", KERNEL_ID)
    .option("--data-dir <folder>", "Jupyter's data folder (default: the one Jupyter uses for this user)")
    .addOption(
      new Option("--prefix <folder>", "of a Python or system installation: <folder>/share/jupyter").conflicts(
        "dataDir",
      ),
    )
    .action(async ({ id, dataDir, prefix }) => {
      const place = prefix === undefined ? dataDir : join(prefix, "share", "jupyter");
      const folder = place === undefined ? jupyterDataFolder() : resolveUserPath(place);
      console.log(`wrote ${await installKernel(folder, { id })}`);
      console.log("Open a notebook in Jupyter and choose the kernel TypeScript (Thoughtbook).");
    });
}
