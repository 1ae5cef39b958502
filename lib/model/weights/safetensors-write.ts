import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { badInput, fileSystemError } from "../../core/index.js";
import type { WeightType } from "../config/write.js";
import type { StoredTensor } from "./safetensors.js";
import { encodeBrainFloats, encodeHalves } from "./safetensors-float.js";
import { elementCount, type SafetensorsType, typeBytes } from "./safetensors-header.js";

export interface WriteOptions {
  /** How float32 numbers are stored: rounded to the nearest, halfway to the even one. "float32" unless told otherwise. */
  floats?: WeightType | undefined;
  /** Texts for the header; `{ format: "pt" }`, without which transformers refuses the file, unless told otherwise. */
  metadata?: Record<string, string> | undefined;
}

const FLOAT_TYPES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;
const OTHER_TYPES = { int64: "I64", int32: "I32", uint8: "U8", bool: "BOOL" } as const;
/** The order of types in the files of the Python library, which keeps all numbers aligned. */
const TYPE_ORDER: readonly SafetensorsType[] = ["I64", "F32", "I32", "BF16", "F16", "U8", "BOOL"];
const LARGEST_HALF = 65_504;
/** How many numbers are converted at a time. */
const PIECE = 1 << 20;

/** The type that a tensor gets in the file. */
function storedType(tensor: StoredTensor, floats: WeightType = "float32"): SafetensorsType {
  return tensor.dtype === "float32" ? FLOAT_TYPES[floats] : OTHER_TYPES[tensor.dtype];
}

/** How many bytes a tensor gets in the file. */
export const storedBytes = (tensor: StoredTensor, floats?: WeightType): number =>
  elementCount(tensor.shape) * typeBytes(storedType(tensor, floats));

/**
 * Write tensors as a safetensors file, byte for byte as the Python library does: equal tensors give equal files. The
 * file appears only when it is whole.
 *
 * @throws bad-input if an array does not fit its shape, or a number is too large for float16; file-system
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  { floats = "float32", metadata = { format: "pt" } }: WriteOptions = {},
): Promise<void> {
  for (const [name, tensor] of Object.entries(tensors)) checkTensor(name, tensor);
  const rank = (tensor: StoredTensor) => TYPE_ORDER.indexOf(storedType(tensor, floats));
  const inOrder = Object.entries(tensors).sort(([a, left], [b, right]) => rank(left) - rank(right) || (a < b ? -1 : 1));
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, tensor] of inOrder) {
    const start = end;
    end += storedBytes(tensor, floats);
    header[name] = { dtype: storedType(tensor, floats), shape: tensor.shape, data_offsets: [start, end] };
  }

  const part = `${path}.part-${process.pid}`;
  try {
    const handle = await open(part, "w");
    try {
      await writeHeader(handle, header);
      for (const [name, tensor] of inOrder) await writeTensor(handle, name, tensor, floats);
      await handle.sync(); // Else a power cut after the renaming could leave an empty file under its final name.
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw fileSystemError(error, "write", path);
  }
}

async function writeHeader(handle: FileHandle, header: Record<string, unknown>): Promise<void> {
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " "); // The data begins at a multiple of 8.
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  json.copy(padded, 8);
  await handle.appendFile(padded);
}

async function writeTensor(handle: FileHandle, name: string, tensor: StoredTensor, floats: WeightType): Promise<void> {
  if (tensor.dtype !== "float32" || floats === "float32") {
    const { buffer, byteOffset, byteLength } = tensor.data;
    await handle.appendFile(new Uint8Array(buffer, byteOffset, byteLength));
    return;
  }
  for (let first = 0; first < tensor.data.length; first += PIECE) {
    const piece = tensor.data.subarray(first, first + PIECE);
    if (floats === "float16") refuseTooLarge(name, piece);
    const bits = floats === "float16" ? encodeHalves(piece) : encodeBrainFloats(piece);
    await handle.appendFile(new Uint8Array(bits.buffer));
  }
}

function checkTensor(name: string, { shape, data }: StoredTensor): void {
  if (elementCount(shape) === data.length) return;
  throw badInput(
    `tensor ${JSON.stringify(name)} has ${data.length} numbers, but its shape [${shape.join(", ")}] has ${elementCount(shape)}`,
    "Give the shape that the numbers have.",
  );
}

function refuseTooLarge(name: string, floats: Float32Array): void {
  const found = floats.find((value) => Math.abs(value) >= 65_520 && Number.isFinite(value));
  if (found === undefined) return;
  const message = `tensor ${JSON.stringify(name)} holds ${found}, and float16 ends at ±${LARGEST_HALF}`;
  throw badInput(message, "Store the weights in bfloat16 or float32.");
}
