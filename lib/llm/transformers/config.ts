import { join } from "node:path";
import { z } from "zod";
import { ThoughtbookError } from "../../core/index.js";
import {
  type OnnxLayout,
  parameterCount,
  parseConfig,
  type RequestLimits,
  readGenerationDefaults,
  readJsonFile,
  readOnnxLayout,
} from "../../model/index.js";

/** What is known of an ONNX model before its weights are read. */
export interface OnnxConfig extends RequestLimits {
  /** `model_type` of config.json. */
  type: string;
  layout: OnnxLayout;
  /** Known for the families of this library's engine. */
  parameterCount: number | undefined;
}

const size = z.int().positive().nullish();
const schema = z.looseObject({
  vocab_size: size,
  max_position_embeddings: size,
  n_positions: size,
  max_sequence_length: size,
  max_seq_len: size,
  seq_length: size,
  n_ctx: size,
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
});
const POSITIONS = [
  "max_position_embeddings",
  "n_positions",
  "max_sequence_length",
  "max_seq_len",
  "seq_length",
  "n_ctx",
] as const;

/**
 * Read the configuration of an ONNX model, of any architecture that names its vocabulary.
 *
 * @throws not-found, corrupt-data (no JSON, values of the wrong type), bad-input (no vocabulary), file-system
 */
export async function readOnnxConfig(folder: string): Promise<OnnxConfig> {
  const file = join(folder, "config.json");
  const raw = await readJsonFile(file);
  const { model_type: type, text_config: text } = (raw ?? {}) as Record<string, unknown>;
  const limits = knownLimits(raw) ?? anyLimits({ ...(text as object), ...(raw as object) }, file);
  const { endIds } = await readGenerationDefaults({ folder, config: limits });
  return { ...limits, endIds, type: String(type), layout: readOnnxLayout(raw) };
}

type Limits = RequestLimits & Pick<OnnxConfig, "parameterCount">;

/** Limits of a family that this library knows, with its defaults. */
function knownLimits(raw: unknown): Limits | undefined {
  try {
    const config = parseConfig(raw);
    return { ...config, parameterCount: parameterCount(config) };
  } catch (error) {
    if (error instanceof ThoughtbookError) return undefined;
    throw error;
  }
}

function anyLimits(raw: object, file: string): Limits {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new ThoughtbookError("corrupt-data", `${file}: ${path.join(".")}: ${message}`, {
      hint: "Correct it, or download the model again.",
    });
  }
  const given = parsed.data;
  if (given.vocab_size == null) {
    throw new ThoughtbookError("bad-input", `${file} names no vocab_size: this is no language model`, {
      hint: "Give the folder or the name of a model for text generation.",
    });
  }
  const positions = POSITIONS.map((key) => given[key]).find((value) => value != null);
  return {
    vocabularySize: given.vocab_size,
    maxPositions: positions ?? Number.POSITIVE_INFINITY,
    hiddenSize: 0, // Of use for prompts of embeddings only, which ONNX models do not take.
    endIds: [given.eos_token_id ?? []].flat().filter((id) => id >= 0),
    parameterCount: undefined,
  };
}
