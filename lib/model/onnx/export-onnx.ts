import { stat } from "node:fs/promises";
import { join } from "node:path";
import { interruptible, startProgress, ThoughtbookError } from "../../core/index.js";
import { belongsOutside, tensorBytes, writeOnnxFile } from "../../tensor/index.js";
import type { Checkpoint } from "../weights/checkpoint.js";
import { exportModel } from "./export-model.js";
import { writeInNewFolder } from "./folder.js";
import type { QuantizedBits } from "./quantize-blocks.js";
import { smallFiles } from "./texts.js";

/** The types of weights that can be exported, by the names and file names of transformers.js. */
const DTYPES = {
  fp32: { file: "model.onnx", bits: undefined },
  /** Linear layers and embeddings in 8 bits. */
  q8: { file: "model_quantized.onnx", bits: 8 },
  /** Linear layers in 4 bits, embeddings and output layer in 8. */
  q4: { file: "model_q4.onnx", bits: 4 },
} as const satisfies Record<string, { file: string; bits: QuantizedBits | undefined }>;

export type OnnxDtype = keyof typeof DTYPES;
export const ONNX_DTYPES = Object.keys(DTYPES) as readonly OnnxDtype[];

export interface ExportOnnxOptions {
  /** What to write a file for. Default: all of them. */
  dtypes?: readonly OnnxDtype[] | undefined;
  /** Store weights in files beside the models, `model.onnx_data`. Default: only from 1.8 GB on. */
  externalData?: boolean | undefined;
  /** Let callers request the logits of the last tokens only; see `ExportModelOptions`. */
  numLogitsToKeep?: boolean | undefined;
  /** Aborts the export, which then leaves nothing behind. */
  signal?: AbortSignal | undefined;
}

export interface OnnxExport {
  /** Absolute path. */
  folder: string;
  files: readonly { name: string; bytes: number }[];
  /** Remarks for the user, each a sentence. */
  notes: readonly string[];
}

/**
 * Export a model to a folder that transformers.js opens: `pipeline("text-generation", folder)`. Weights are read,
 * quantized and written one at a time. The folder appears only when it is complete.
 *
 * @param folder a new one, or an empty one
 * @throws bad-input (a folder with files, an unknown dtype), corrupt-data (broken weights or tokenizer), file-system,
 *   interrupted
 */
export async function exportOnnx(
  checkpoint: Checkpoint,
  folder: string,
  { dtypes = ONNX_DTYPES, externalData, numLogitsToKeep, ...options }: ExportOnnxOptions = {},
): Promise<OnnxExport> {
  checkDtypes(dtypes);
  const signal = interruptible(options.signal);
  const models = [...new Set(dtypes)].map((dtype) => {
    const { file, bits } = DTYPES[dtype];
    const model = exportModel(checkpoint, { bits, numLogitsToKeep });
    return { dtype, file, model, outside: externalData ?? belongsOutside(model) };
  });
  const { files, notes } = await smallFiles(checkpoint, {
    dtype: dtypes.includes("fp32") ? undefined : dtypes[0],
    outside: models.filter(({ outside }) => outside).map(({ file }) => file),
  });
  const target = await writeInNewFolder(folder, async (write) => {
    for (const [name, content] of Object.entries(files)) await write.text(name, content);
    for (const { file, model, outside } of models) {
      const name = `onnx/${file}`;
      const total = tensorBytes(model);
      const { unit, size } = total < 1e7 ? { unit: "kB", size: 1e3 } : { unit: "MB", size: 1e6 };
      const progress = startProgress(name, { total: total / size, unit });
      const onBytes = (bytes: number) => progress.update(bytes / size);
      try {
        await writeOnnxFile(await write.place(name), model, { externalData: outside, onBytes, signal });
        progress.succeed();
      } catch (error) {
        progress.fail();
        throw signal?.aborted ? interrupted(folder, error) : error;
      }
    }
  });
  const names = [
    ...Object.keys(files),
    ...models.flatMap(({ file, outside }) => [`onnx/${file}`, ...(outside ? [`onnx/${file}_data`] : [])]),
  ];
  const sizes = await Promise.all(names.map(async (name) => ({ name, bytes: (await stat(join(target, name))).size })));
  return { folder: target, files: sizes, notes };
}

function checkDtypes(dtypes: readonly string[]): void {
  const unknown = dtypes.find((dtype) => !Object.hasOwn(DTYPES, dtype));
  if (unknown === undefined && dtypes.length > 0) return;
  const message =
    unknown === undefined ? "there is no dtype to export" : `${JSON.stringify(unknown)} is no dtype of an export`;
  throw new ThoughtbookError("bad-input", message, { hint: `Choose of ${ONNX_DTYPES.join(", ")}.` });
}

function interrupted(folder: string, cause: unknown): ThoughtbookError {
  return new ThoughtbookError("interrupted", `the export to ${folder} was interrupted; nothing was kept`, {
    hint: "Run it again.",
    cause,
  });
}
