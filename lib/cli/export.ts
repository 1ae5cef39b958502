import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { resolveUserPath } from "../core/index.js";
import { exportOnnx, ONNX_DTYPES, type OnnxDtype, openCheckpoint, resolveModel } from "../model/index.js";
import type { Flags } from "./flags.js";
import { abortable } from "./resumable.js";

const DTYPES = `
  fp32  onnx/model.onnx            all weights in float32
  q8    onnx/model_quantized.onnx  linear layers and embeddings in 8 bits
  q4    onnx/model_q4.onnx         linear layers in 4 bits, embeddings in 8`;

export function addExportCommand(program: Command): void {
  exportCommand(program).action(runExport);
}

const exportCommand = (program: Command) =>
  program
    .command("export")
    .description("write a model for other programs")
    .command("onnx")
    .description('write a folder that transformers.js opens: pipeline("text-generation", folder, { dtype })')
    .requiredOption("--model <model>", "folder of a checkpoint, or owner/name of the Hugging Face hub")
    .requiredOption("--out <folder>", "the new folder")
    .option("--dtype <list>", `weights to write, of ${ONNX_DTYPES.join(",")} (default: all)`, parseDtypes)
    .option("--external-data", "keep weights in files beside the models; always so above 1.8 GB")
    .option(
      "--num-logits-to-keep",
      "add an input for how many last tokens' logits are wanted; for transformers.js from 4.0",
    )
    .addHelpText("after", DTYPES);

async function runExport({ model, out, dtype: dtypes, ...options }: Flags<typeof exportCommand>): Promise<void> {
  const { folder, files, notes } = await abortable(async (signal) => {
    const checkpoint = await openCheckpoint(await resolveModel(model, { signal }));
    return exportOnnx(checkpoint, resolveUserPath(out), { dtypes, signal, ...options });
  });
  for (const { name, bytes } of files) console.log(`${kilobytes(bytes).padStart(14)}  ${name}`);
  for (const note of notes) console.error(`note: ${note}`);
  console.log(`pipeline("text-generation", ${JSON.stringify(folder)})`);
}

const kilobytes = (bytes: number): string =>
  `${(bytes / 1e3).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} kB`;

function parseDtypes(text: string): OnnxDtype[] {
  return text.split(",").map((name) => {
    const known = ONNX_DTYPES.find((dtype) => dtype === name.trim());
    if (known === undefined) throw new InvalidArgumentError(`Give a list of ${ONNX_DTYPES.join(", ")}.`);
    return known;
  });
}
