import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { badInput, fileSystemError, ThoughtbookError } from "../../core/index.js";

/** Endings of files with the weights of a graph, by transformers.js and by PyTorch. */
const DATA = /^(_data(_\d+)?|\.data)$/;
/** Types of weights by the names of transformers.js, and how their files end. Default: the first one present is opened. */
const SUFFIXES = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
  q2: "_q2",
  q2f16: "_q2f16",
  q1: "_q1",
  q1f16: "_q1f16",
} as const;

export type OnnxWeightType = keyof typeof SUFFIXES;
export const ONNX_WEIGHT_TYPES = Object.keys(SUFFIXES) as readonly OnnxWeightType[];

/** The files of one ONNX model, relative to the model's folder. */
export interface OnnxFiles {
  dtype: OnnxWeightType;
  /** Their folder: `onnx`, as in the hub's collections, or the model's folder itself. */
  subfolder: "onnx" | "";
  /** Name of the graph without its extension. */
  name: "model" | "decoder_model_merged";
  graph: string;
  /** Weights outside of the graph. */
  data: readonly string[];
}

/** Defaults of a folder's authors, from `transformers.js_config` of its config.json. */
export interface OnnxLayout {
  dtype: OnnxWeightType | undefined;
  /** Number of external files with weights of a graph. */
  outside(files: Pick<OnnxFiles, "name" | "graph">): number;
}

const outsideSchema = z.union([z.boolean(), z.int().min(0).max(100)]);
const layoutSchema = z.looseObject({
  dtype: z.union([z.string(), z.record(z.string(), z.string())]).nullish(),
  use_external_data_format: z.union([outsideSchema, z.record(z.string(), outsideSchema)]).nullish(),
});

/** Read the layout of an ONNX folder from the content of its config.json; what cannot be read says nothing. */
export function readOnnxLayout(config: unknown): OnnxLayout {
  const raw = (config as Record<string, unknown> | null)?.["transformers.js_config"];
  const parsed = layoutSchema.safeParse(raw ?? {});
  const { dtype, use_external_data_format: outside } = parsed.success ? parsed.data : {};
  const named = typeof dtype === "object" && dtype !== null ? dtype.model : dtype;
  return {
    dtype: ONNX_WEIGHT_TYPES.find((type) => type === named),
    outside({ name, graph }) {
      const file = graph.split("/").at(-1)!;
      return Number(
        (typeof outside === "object" && outside !== null ? (outside[file] ?? outside[name]) : outside) ?? 0,
      );
    },
  };
}

/** The ONNX models for text among files of a model, each type once, in the order of preference. */
export function findOnnxFiles(files: readonly string[]): OnnxFiles[] {
  const all = new Set(files);
  // Beside one of these, the graph of that name is only a part of a model.
  const inParts = files.some((file) => /(^|\/)(embed_tokens|encoder_model|vision_encoder)\w*\.onnx$/.test(file));
  const names = inParts ? (["model"] as const) : (["model", "decoder_model_merged"] as const);
  return ONNX_WEIGHT_TYPES.flatMap((dtype) => {
    for (const name of names) {
      for (const subfolder of ["onnx", ""] as const) {
        const graph = `${subfolder && `${subfolder}/`}${name}${SUFFIXES[dtype]}.onnx`;
        if (!all.has(graph)) continue;
        const data = files.filter((file) => file.startsWith(graph) && DATA.test(file.slice(graph.length))).sort();
        return [{ dtype, subfolder, name, graph, data }];
      }
    }
    return [];
  });
}

/**
 * Choose the ONNX model to open: the type asked for, else the one that config.json names, else the first one there is.
 *
 * @param files all files of the model, relative to its folder
 * @param place location in error messages
 * @throws not-found (no ONNX model, or none of that type, or weights that config.json names), bad-input (a model in parts)
 */
export function chooseOnnxFiles(
  files: readonly string[],
  place: string,
  dtype: OnnxWeightType | undefined,
  layout: OnnxLayout = readOnnxLayout({}),
): OnnxFiles {
  const found = findOnnxFiles(files);
  if (found.length === 0) throw noOnnx(files, place);
  const wanted = dtype ?? layout.dtype;
  const chosen = found.find((each) => each.dtype === wanted) ?? (dtype === undefined ? found[0] : undefined);
  if (chosen === undefined) {
    const message = `${place} holds no ONNX model of the type ${dtype} (onnx/model${SUFFIXES[dtype!]}.onnx)`;
    throw new ThoughtbookError("not-found", message, {
      hint: `Its types are ${found.map((each) => each.dtype).join(", ")}.`,
    });
  }
  const missing = Math.max(0, layout.outside(chosen) - chosen.data.length);
  if (missing === 0) return chosen;
  const message = `${place} lacks weights of ${chosen.graph}: ${missing} of the files ${chosen.graph}_data, … that config.json names`;
  throw new ThoughtbookError("not-found", message, { hint: "Download the model again." });
}

/** The files of a folder and of its folder `onnx`, relative to the former. Throws not-found, file-system. */
export async function listModelFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileSystemError(error, "read the folder", folder);
  });
  if (!names.includes("onnx")) return names;
  const inside = await readdir(join(folder, "onnx")).catch(() => []);
  return [...names, ...inside.map((name) => `onnx/${name}`)];
}

/** The default name of a type's file. */
export const usualOnnxName = (dtype: OnnxWeightType): string => `onnx/model${SUFFIXES[dtype]}.onnx`;

function noOnnx(files: readonly string[], place: string): ThoughtbookError {
  const parts = files.filter((file) => file.endsWith(".onnx"));
  if (parts.length > 0) {
    return badInput(
      `${place} holds no ONNX model for text in one file, only ${parts.slice(0, 3).join(", ")}${parts.length > 3 ? ", …" : ""}`,
      "Choose a model whose graph is onnx/model.onnx, alone or with a type such as model_q4.onnx.",
    );
  }
  return new ThoughtbookError("not-found", `${place} holds no ONNX model: there is no onnx/model.onnx in it`, {
    hint: "Write one with `thoughtbook export onnx`, or open the checkpoint itself, without `onnx:`.",
  });
}
