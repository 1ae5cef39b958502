import { type Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import {
  exportGguf,
  exportOnnx,
  GGUF_TYPES,
  ONNX_DTYPES,
  type OnnxDtype,
  openCheckpoint,
  resolveModel,
} from "../../model/index.js";
import type { Flags } from "../flags.js";
import { abortable } from "../resumable.js";

const DTYPES = `
  fp32  onnx/model.onnx            all weights in float32
  q8    onnx/model_quantized.onnx  linear layers and embeddings in 8 bits
  q4    onnx/model_q4.onnx         linear layers in 4 bits, embeddings in 8`;

/** What writes a model for other programs. */
export function addModelExports(exports: Command): void {
  onnxCommand(exports).action(runExport);
  ggufCommand(exports).action(runGguf);
}

const MODEL = "folder of a checkpoint, GGUF file, or owner/name or owner/name:FILE.gguf of the Hugging Face hub";

const onnxCommand = (exports: Command) =>
  exports
    .command("onnx")
    .description('write a folder that transformers.js opens: pipeline("text-generation", folder, { dtype })')
    .requiredOption("--model <model>", MODEL)
    .requiredOption("--out <folder>", "the new folder")
    .option("--dtype <list>", `weights to write, of ${ONNX_DTYPES.join(",")} (default: all)`, parseDtypes)
    .option("--external-data", "keep weights in files beside the models; always so above 1.8 GB")
    .option(
      "--num-logits-to-keep",
      "add an input for how many last tokens' logits are wanted; for transformers.js from 4.0",
    )
    .addHelpText("after", DTYPES);

const TYPES = `
  f16   matrices in half precision
  q8_0  matrices in blocks of 32 numbers of 8 bits; those of other widths in half precision
Vectors are in float32. The tokenizer must be one that llama.cpp has a name for; otherwise it says so and writes nothing.`;

const ggufCommand = (exports: Command) =>
  exports
    .command("gguf")
    .description("write a GGUF file that llama.cpp, Ollama and LM Studio open")
    .requiredOption("--model <model>", MODEL)
    .requiredOption("--out <file>", "the new file")
    .addOption(new Option("--type <type>", "how matrices are stored").choices(GGUF_TYPES).default("f16" as const))
    .addHelpText("after", TYPES);

async function runGguf({ model, out, type }: Flags<typeof ggufCommand>): Promise<void> {
  const { file, bytes, notes } = await abortable(async (signal) => {
    const checkpoint = await openCheckpoint(await resolveModel(model, { signal }));
    return exportGguf(checkpoint, resolveUserPath(out), { type, signal });
  });
  for (const note of notes) console.error(`note: ${note}`);
  console.log(`${kilobytes(bytes)}  ${file}`);
}

async function runExport({ model, out, dtype: dtypes, ...options }: Flags<typeof onnxCommand>): Promise<void> {
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
