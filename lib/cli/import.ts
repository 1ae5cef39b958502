import type { Command } from "@commander-js/extra-typings";
import { resolveUserPath, ThoughtbookError } from "../core/index.js";

export function addImportCommand(program: Command): void {
  const imports = program.command("import").description("take answers of other programs");
  batchCommand(imports).action((files, flags) => takeBatch(files, flags));
}

const batchCommand = (imports: Command) =>
  imports
    .command("batch")
    .description("take the answers of a batch: see thoughtbook export batch")
    .argument("<answers.jsonl...>", "output files of OpenAI's Batch API or of vllm run-batch")
    .requiredOption("--requests <folder>", "the folder of a model batch:FOLDER#NAME");

async function takeBatch(files: string[], { requests }: { requests: string }): Promise<void> {
  const { importBatch } = await import("../llm/index.js");
  const found = await importBatch(resolveUserPath(requests), files.map(resolveUserPath));
  const remarks = [
    [found.known, "there before"],
    [found.foreign, "never asked for"],
    [found.failed, "failed"],
  ] as const;
  const told = remarks.filter(([number]) => number > 0).map(([number, what]) => `, ${number} ${what}`);
  console.log(`${found.added} answers taken${told.join("")}; ${found.waiting} requests wait`);
  for (const reason of found.reasons) console.error(`note: ${reason}`);
  if (found.added === 0 && found.waiting > 0) {
    throw new ThoughtbookError("bad-input", "none of the answers is to a request that waits", {
      hint: "Are these the files of this folder's requests?",
    });
  }
}
