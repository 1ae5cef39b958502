import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { z } from "zod";
import { badInput, fileSystemError, interruptible, startProgress, ThoughtbookError } from "../../core/index.js";
import { chatTemplateOf } from "../chat/template.js";
import { readOptional } from "../tokenizer/files.js";
import { type Checkpoint, readParameter } from "../weights/checkpoint.js";
import { parameterShapes } from "../weights/shapes.js";
import { OPERATIONS_KEY } from "./documents.js";
import { architectureEntries, ropeFactors } from "./export-metadata.js";
import { tokenizerEntries } from "./export-tokenizer.js";
import { encodeFloats, quantiseQ8 } from "./quantise.js";
import { fileOrder, ggufLayout, ggufName, ROPE_FACTORS, reorderRows, transpose } from "./weights.js";
import { type GgufEntry, type GgufOutput, outputBytes, writeGguf } from "./write.js";

/** The types of weights that can be written, with the number that llama.cpp has for such a file. */
const TYPES = { f16: { type: "F16", fileType: 1 }, q8_0: { type: "Q8_0", fileType: 7 } } as const;

export type GgufType = keyof typeof TYPES;
export const GGUF_TYPES = Object.keys(TYPES) as readonly GgufType[];

export interface ExportGgufOptions {
  /** How matrices are stored; vectors are in float32. Default: f16. */
  type?: GgufType | undefined;
  /** Aborts the export, which then leaves nothing behind. */
  signal?: AbortSignal | undefined;
}

export interface GgufExport {
  /** Absolute path. */
  file: string;
  bytes: number;
  /** Remarks for the user, each a sentence. */
  notes: readonly string[];
}

/**
 * Export a model to a GGUF file that llama.cpp opens, with its tokenizer and chat template. Weights are read, quantised and
 * written one at a time. The file appears only when it is complete.
 *
 * @throws bad-input (the file is there already, a model or tokenizer that llama.cpp does not know), not-found (no
 *   tokenizer), corrupt-data, file-system, interrupted
 *
 * @example
 * ```ts
 * import { exportGguf, openCheckpoint, resolveModel } from "thoughtbook/model";
 *
 * const checkpoint = await openCheckpoint(await resolveModel("mini"));
 * const { bytes } = await exportGguf(checkpoint, "mini.gguf", { type: "q8_0" });
 * console.log(bytes < 5_000_000); // true
 * ```
 */
export async function exportGguf(
  checkpoint: Checkpoint,
  file: string,
  { type = "f16", ...options }: ExportGgufOptions = {},
): Promise<GgufExport> {
  if (!Object.hasOwn(TYPES, type)) {
    throw badInput(`${JSON.stringify(type)} is no type of weights to write`, `Choose of ${GGUF_TYPES.join(", ")}.`);
  }
  const { folder, config } = checkpoint;
  const signal = interruptible(options.signal);
  const path = resolve(file);
  const architecture = architectureEntries(config);
  const { entries, notes } = await tokenizerEntries(folder, { rows: config.vocabularySize, endIds: config.endIds });
  const metadata: Record<string, GgufEntry> = {
    "general.architecture": { type: "string", value: config.family },
    "general.type": { type: "string", value: "model" },
    "general.name": { type: "string", value: basename(folder).replace(/\.gguf$/i, "") },
    "general.file_type": { type: "uint32", value: TYPES[type].fileType },
    "general.quantization_version": { type: "uint32", value: 2 },
    ...architecture,
    ...entries,
    ...(await templateEntry(folder)),
    ...(await operationsEntry(folder)),
  };
  const tensors = tensorsOf(checkpoint, TYPES[type].type);
  const total = outputBytes(tensors);
  const progress = startProgress(basename(path), { total: total / 1e6, unit: "MB" });
  try {
    await writeGguf(path, metadata, tensors, { onBytes: (bytes) => progress.update(bytes / 1e6), signal });
    progress.succeed();
  } catch (error) {
    progress.fail();
    throw signal?.aborted
      ? new ThoughtbookError("interrupted", `the export to ${path} was interrupted; nothing was kept`, {
          hint: "Run it again.",
          cause: error,
        })
      : error;
  }
  const { size } = await stat(path).catch((error: unknown) => {
    throw fileSystemError(error, "read", path);
  });
  return { file: path, bytes: size, notes };
}

function tensorsOf(checkpoint: Checkpoint, type: "F16" | "Q8_0"): GgufOutput[] {
  const { config } = checkpoint;
  const weights = Object.entries(parameterShapes(config)).map(([weight, shape]): GgufOutput => {
    const name = ggufName(config, weight);
    const { transposed, rotatedHeads } = ggufLayout(config, weight);
    const stored = transposed ? [...shape].reverse() : shape;
    // As llama.cpp's converter does it: it adds vectors and positions in float32, and keeps what is not in whole blocks.
    const isPlain = stored.length < 2 || name === "position_embd.weight";
    const chosen = isPlain ? "F32" : type === "Q8_0" && stored.at(-1)! % 32 !== 0 ? "F16" : type;
    return {
      name,
      shape: stored,
      type: chosen,
      async read() {
        const { data } = await readParameter(checkpoint, weight);
        const ordered =
          rotatedHeads !== undefined
            ? reorderRows(data, fileOrder(shape[0]!, rotatedHeads))
            : transposed
              ? transpose(data, shape[0]!, shape[1]!)
              : data;
        return chosen === "Q8_0" ? quantiseQ8(ordered) : encodeFloats(ordered, chosen, weight);
      },
    };
  });
  const factors = ropeFactors(config);
  if (factors === undefined) return weights;
  const read = async () => encodeFloats(factors, "F32", ROPE_FACTORS);
  return [{ name: ROPE_FACTORS, shape: [factors.length], type: "F32", read }, ...weights];
}

async function templateEntry(folder: string): Promise<Record<string, GgufEntry>> {
  try {
    const { text } = await chatTemplateOf(folder);
    return { "tokenizer.chat_template": { type: "string", value: text } };
  } catch (error) {
    if (error instanceof ThoughtbookError && error.code === "not-found") return {};
    throw error;
  }
}

const operationsSchema = z.looseObject({ operations: z.array(z.string()) });

async function operationsEntry(folder: string): Promise<Record<string, GgufEntry>> {
  const found = await readOptional(folder, "thoughtbook.json", operationsSchema);
  return found === undefined ? {} : { [OPERATIONS_KEY]: { type: "string", value: found.operations } };
}
