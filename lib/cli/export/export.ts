import type { Command } from "@commander-js/extra-typings";
import { addBatchExport } from "./batch.js";
import { addModelExports } from "./models.js";
import { addTrainingExports } from "./training.js";

export function addExportCommand(program: Command): void {
  const exports = program.command("export").description("write models, training runs and requests for other programs");
  addModelExports(exports);
  addTrainingExports(exports);
  addBatchExport(exports);
}
