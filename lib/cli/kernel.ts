import type { Command } from "commander";
import { installKernel } from "../notebook/index.js";

export function addKernelCommands(program: Command): void {
  const kernel = program.command("kernel").description("the TypeScript kernel for Jupyter");
  kernel
    .command("install")
    .description("let Jupyter run notebooks with the kernel that `notebooks run` uses")
    .option("--data-dir <folder>", "Jupyter's data folder (default: the one Jupyter uses for this user)")
    .action(async ({ dataDir }: { dataDir?: string }) => {
      console.log(`wrote ${await installKernel(dataDir)}`);
      console.log("Open a notebook in Jupyter and choose the kernel TypeScript (Thoughtbook).");
    });
}
