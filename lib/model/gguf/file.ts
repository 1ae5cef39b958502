import { type FileHandle, open } from "node:fs/promises";
import { badInput, fileSystemError, refuseLfsPointer, ThoughtbookError } from "../../core/index.js";
import { dequantiseBlocks, type QuantisedMatrix } from "../weights/quantised-matrix.js";
import { decodeBrainFloats, decodeHalves } from "../weights/safetensors-float.js";
import { elementCount } from "../weights/safetensors-header.js";
import { allocateBlocks, BLOCK_FORMATS, unpackBlocks } from "./blocks.js";
import {
  corruptGguf,
  type GgufHeader,
  type GgufTensor,
  type GgufValue,
  HeaderCutOff,
  LONGEST_GGUF_HEADER,
  parseGgufHeader,
  parseGgufList,
} from "./header.js";

/** A GGUF file of which only the header has been read. */
export interface GgufFile extends GgufHeader {
  path: string;
  /** Size and time of the last change when the header was read. */
  version: { bytes: number; modifiedMs: number };
}

/** How much is read at first; a header that is longer is read again with four times as much. */
const FIRST_BYTES = 1 << 20;
/** How much of a tensor is read at a time, in bytes. */
const PIECE_BYTES = 1 << 21;

const FLOATS = ["F32", "F16", "BF16"];
/** The types of weights that are read. */
export const GGUF_WEIGHT_TYPES: readonly string[] = [...FLOATS, ...Object.keys(BLOCK_FORMATS)];

/**
 * Read and check the header of a GGUF file; no tensor is read, nor long lists such as the vocabulary.
 *
 * @throws not-found, file-system, corrupt-data (a pointer of Git LFS; the header is broken, lies, or does not fit the
 *   file), bad-input (no GGUF file, or another version)
 */
export async function openGguf(path: string): Promise<GgufFile> {
  await refuseLfsPointer(path);
  return withFile(path, async (handle) => {
    const { size, mtimeMs } = await handle.stat();
    for (let length = FIRST_BYTES; ; length *= 4) {
      const bytes = Buffer.allocUnsafe(Math.min(length, size, LONGEST_GGUF_HEADER));
      await readRange(handle, path, 0, bytes);
      try {
        return { ...parseGgufHeader(bytes, size, path), path, version: { bytes: size, modifiedMs: mtimeMs } };
      } catch (error) {
        if (!(error instanceof HeaderCutOff)) throw error;
        if (bytes.length === size) throw corruptGguf(path, `it ends at byte ${size}, within its header: it is cut off`);
        if (bytes.length === LONGEST_GGUF_HEADER)
          throw corruptGguf(path, `its header has more than ${LONGEST_GGUF_HEADER} bytes`);
      }
    }
  });
}

/**
 * The entries of a list of the metadata; undefined if there is none of that key.
 * @throws corrupt-data (no list, or the file changed), file-system
 */
export async function readList(file: GgufFile, key: string): Promise<readonly GgufValue[] | undefined> {
  const value = file.metadata.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "object") throw corruptGguf(file.path, `${key} is ${JSON.stringify(value)}, expected a list`);
  if (!("start" in value)) return value;
  return withUnchanged(file, async (handle) => {
    const bytes = Buffer.allocUnsafe(value.end - value.start);
    await readRange(handle, file.path, value.start, bytes);
    return parseGgufList(value, bytes, file.path);
  });
}

/**
 * Read one tensor as float32 numbers, in the order of the file. Memory holds it once, beside pieces of the file.
 *
 * @throws not-found, bad-input (a type that is not read), corrupt-data (the file changed), file-system
 */
export async function readGgufFloats(file: GgufFile, name: string): Promise<Float32Array> {
  const tensor = tensorOf(file, name);
  const { type } = tensor;
  const floats = new Float32Array(elementCount(tensor.shape));
  const format = BLOCK_FORMATS[type.name];
  if (type.name === "F32") {
    // The machines that Node runs on are little-endian.
    const bytes = new Uint8Array(floats.buffer);
    await withUnchanged(file, (handle) => readRange(handle, file.path, tensor.start, bytes));
  } else if (format === undefined) {
    const decode = type.name === "F16" ? decodeHalves : decodeBrainFloats;
    await eachPiece(file, tensor, (piece, first, count) =>
      decode(new Uint16Array(piece.buffer, piece.byteOffset, count), floats.subarray(first, first + count)),
    );
  } else {
    const room = allocateBlocks(format, Math.floor(PIECE_BYTES / format.bytes));
    await eachPiece(file, tensor, (piece, first, count) => {
      unpackBlocks(format, piece, count, room);
      const part = floats.subarray(first * format.size, (first + count) * format.size);
      dequantiseBlocks({ ...format, ...room }, part);
    });
  }
  return floats;
}

/** The blocks of a matrix as they are; undefined where it is stored in floats. Throws what {@link readGgufFloats} throws. */
export async function readGgufBlocks(file: GgufFile, name: string): Promise<QuantisedMatrix | undefined> {
  const tensor = tensorOf(file, name);
  const format = BLOCK_FORMATS[tensor.type.name];
  const [out, input] = tensor.shape;
  if (format === undefined || input === undefined || tensor.shape.length !== 2) return undefined;
  const blocks = allocateBlocks(format, elementCount(tensor.shape) / format.size);
  await eachPiece(file, tensor, (piece, first, count) => unpackBlocks(format, piece, count, blocks, first));
  const { bits, blockSize, zero } = format;
  return { shape: [out!, input], bits, blockSize, zero, ...blocks };
}

function tensorOf(file: GgufFile, name: string): GgufTensor {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) {
    throw new ThoughtbookError("not-found", `${file.path} has no tensor ${JSON.stringify(name)}`, {
      hint: "Check the name.",
    });
  }
  requireReadable(file.path, name, tensor);
  return tensor;
}

/** @throws bad-input for a tensor of a type that is not read */
export function requireReadable(path: string, name: string, { type }: GgufTensor): void {
  if (GGUF_WEIGHT_TYPES.includes(type.name)) return;
  throw badInput(
    `${path}: ${name} is stored as ${type.name}; supported are ${GGUF_WEIGHT_TYPES.join(", ")}`,
    "Choose another file of the model, such as the one in Q4_K_M or Q8_0.",
  );
}

/** Read a tensor in pieces of whole blocks. `first` counts the blocks before the piece, `count` those in it. */
async function eachPiece(
  file: GgufFile,
  { start, end, type }: GgufTensor,
  work: (piece: Uint8Array, first: number, count: number) => void,
): Promise<void> {
  const most = Math.floor(PIECE_BYTES / type.bytes) * type.bytes;
  await withUnchanged(file, async (handle) => {
    const buffer = new Uint8Array(Math.min(most, end - start));
    for (let position = start; position < end; position += most) {
      const piece = buffer.subarray(0, Math.min(most, end - position));
      await readRange(handle, file.path, position, piece);
      work(piece, (position - start) / type.bytes, piece.length / type.bytes);
    }
  });
}

async function withUnchanged<T>(file: GgufFile, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  return withFile(file.path, async (handle) => {
    const { size, mtimeMs } = await handle.stat();
    if (size !== file.version.bytes || mtimeMs !== file.version.modifiedMs) {
      throw new ThoughtbookError("corrupt-data", `${file.path} has changed since its header was read`, {
        hint: "Open it again.",
      });
    }
    return work(handle);
  });
}

async function withFile<T>(path: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((error: unknown) => {
    throw fileSystemError(error, "read", path);
  });
  try {
    return await work(handle);
  } catch (error) {
    throw error instanceof HeaderCutOff ? error : fileSystemError(error, "read", path);
  } finally {
    await handle.close();
  }
}

/** Node reads no more than 2 GB at once. */
const LONGEST_READ = 1 << 30;

async function readRange(handle: FileHandle, path: string, start: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(LONGEST_READ, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, start + done);
    if (bytesRead === 0) throw corruptGguf(path, `it ends at byte ${start + done}: it is cut off`);
    done += bytesRead;
  }
}
