import { type Command, InvalidArgumentError } from "commander";
import { resolveUserPath } from "../core/index.js";
import { exportOnnx, ONNX_DTYPES, type OnnxDtype, openCheckpoint, resolveModel } from "../model/index.js";

const DTYPES = `
  fp32  onnx/model.onnx            all weights in float32
  q8    onnx/model_quantized.onnx  linear layers and embeddings in 8 bits
  q4    onnx/model_q4.onnx         linear layers in 4 bits, embeddings in 8`;

interface ExportFlags {
  model: string;
  out: string;
  dtype?: OnnxDtype[];
  externalData?: true;
  numLogitsToKeep?: true;
}

export function addExportCommand(program: Command): void {
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
    .addHelpText("after", DTYPES)
    .action(runExport);
}

async function runExport({ model, out, dtype: dtypes, ...options }: ExportFlags): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const { signal } = stop;
    const checkpoint = await openCheckpoint(await resolveModel(model, { signal }));
    const { folder, files, notes } = await exportOnnx(checkpoint, resolveUserPath(out), { dtypes, signal, ...options });
    for (const { name, bytes } of files) console.log(`${kilobytes(bytes).padStart(14)}  ${name}`);
    for (const note of notes) console.error(`note: ${note}`);
    console.log(`pipeline("text-generation", ${JSON.stringify(folder)})`);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
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
