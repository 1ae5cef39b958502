import { type FileHandle, open } from "node:fs/promises";
import { badInput, fileSystemError, refuseLfsPointer, ThoughtbookError } from "../../core/index.js";
import { decodeBrainFloats, decodeHalves } from "./safetensors-float.js";
import {
  corruptSafetensors,
  elementCount,
  LONGEST_HEADER,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors-header.js";

/** A safetensors file of which only the header has been read. */
export interface SafetensorsFile extends SafetensorsHeader {
  path: string;
  /** Size and time of the last change when the header was read. */
  version: { bytes: number; modifiedMs: number };
}

/** A tensor in memory, in row-major order. F16 and BF16 become float32; the bytes of bool are 0 or 1. */
export type StoredTensor = { shape: readonly number[] } & (
  | { dtype: "float32"; data: Float32Array }
  | { dtype: "int64"; data: BigInt64Array }
  | { dtype: "int32"; data: Int32Array }
  | { dtype: "uint8" | "bool"; data: Uint8Array }
);

/** How much is read at a time where the numbers are converted, in bytes. */
const PIECE_BYTES = 1 << 22;
/** Node reads no more than 2 GB at once. */
const LONGEST_READ = 1 << 30;

/**
 * Read and check the header of a safetensors file; no tensor is read.
 *
 * @throws not-found, file-system, corrupt-data (a pointer of Git LFS; the header is broken, lies, or does not fit the file)
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  await refuseLfsPointer(path);
  return withFile(path, async (handle) => {
    const { size, mtimeMs } = await handle.stat();
    const fail = (what: string): never => {
      throw corruptSafetensors(path, what);
    };
    if (size < 8) fail(`it has ${size} bytes, fewer than the 8 of the header's length`);
    const prefix = new Uint8Array(8);
    await readRange(handle, path, 0, prefix);
    const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
    if (headerBytes > size - 8) fail(`its header would be ${headerBytes} bytes long, but the file has ${size}`);
    if (headerBytes > LONGEST_HEADER) fail(`its header is ${headerBytes} bytes long, more than ${LONGEST_HEADER}`);
    const json = new Uint8Array(headerBytes);
    await readRange(handle, path, 8, json);
    const header = parseSafetensorsHeader(json, size, path);
    return { ...header, path, version: { bytes: size, modifiedMs: mtimeMs } };
  });
}

/**
 * Read one tensor; nothing else of the file is read.
 *
 * @throws not-found (no such tensor, or file), bad-input (of a type other than F32, F16, BF16, I64, I32, U8 and BOOL),
 *   corrupt-data (the file changed since its header was read), file-system
 */
export async function readTensor(file: SafetensorsFile, name: string): Promise<StoredTensor> {
  const { dtype, shape } = entryOf(file, name);
  const count = elementCount(shape);
  switch (dtype) {
    case "F32":
    case "F16":
    case "BF16":
      return { dtype: "float32", shape, data: await readFloats(file, name) };
    case "I64":
      return { dtype: "int64", shape, data: await fill(file, name, new BigInt64Array(count)) };
    case "I32":
      return { dtype: "int32", shape, data: await fill(file, name, new Int32Array(count)) };
    case "U8":
      return { dtype: "uint8", shape, data: await fill(file, name, new Uint8Array(count)) };
    case "BOOL":
      return { dtype: "bool", shape, data: await fill(file, name, new Uint8Array(count)) };
    default:
      throw wrongType(file, name, "F32, F16, BF16, I64, I32, U8 and BOOL");
  }
}

/**
 * Read one tensor of F32, F16 or BF16 as float32 numbers. Throws what {@link readTensor} throws, and bad-input for a tensor
 * of integers.
 */
export async function readFloats(file: SafetensorsFile, name: string): Promise<Float32Array> {
  const { dtype, shape } = entryOf(file, name);
  const floats = new Float32Array(elementCount(shape));
  switch (dtype) {
    case "F32":
      return fill(file, name, floats);
    case "F16":
      await eachPiece(file, name, (halves, first) =>
        decodeHalves(halves, floats.subarray(first, first + halves.length)),
      );
      return floats;
    case "BF16":
      await eachPiece(file, name, (brains, first) =>
        decodeBrainFloats(brains, floats.subarray(first, first + brains.length)),
      );
      return floats;
    default:
      throw wrongType(file, name, "F32, F16 and BF16");
  }
}

/** Whether two tensors have the same type, shape and bytes. Throws what {@link readTensor} throws. */
export async function areEqual(a: [SafetensorsFile, string], b: [SafetensorsFile, string]): Promise<boolean> {
  const [left, right] = [entryOf(...a), entryOf(...b)];
  if (left.dtype !== right.dtype || left.shape.join() !== right.shape.join()) return false;
  const piece = [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)] as const;
  return withTensor(...a, (aHandle) =>
    withTensor(...b, async (bHandle) => {
      for (let done = 0; done < left.end - left.start; done += PIECE_BYTES) {
        const length = Math.min(PIECE_BYTES, left.end - left.start - done);
        const [first, second] = [piece[0].subarray(0, length), piece[1].subarray(0, length)];
        await readRange(aHandle, a[0].path, left.start + done, first);
        await readRange(bHandle, b[0].path, right.start + done, second);
        if (Buffer.compare(first, second) !== 0) return false;
      }
      return true;
    }),
  );
}

function entryOf(file: SafetensorsFile, name: string): TensorEntry {
  const entry = file.tensors.get(name);
  if (entry !== undefined) return entry;
  throw new ThoughtbookError("not-found", `${file.path} has no tensor ${JSON.stringify(name)}`, {
    hint: "Check the name.",
  });
}

/** Fill an array with the bytes of a tensor, which has as many. The machines that Node runs on are little-endian. */
async function fill<T extends Float32Array | BigInt64Array | Int32Array | Uint8Array>(
  file: SafetensorsFile,
  name: string,
  data: T,
): Promise<T> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  await withTensor(file, name, (handle, { start }) => readRange(handle, file.path, start, bytes));
  return data;
}

/** Read a tensor of 16-bit numbers in pieces, so that memory holds it once. `first` counts the numbers before the piece. */
async function eachPiece(
  file: SafetensorsFile,
  name: string,
  convert: (piece: Uint16Array, first: number) => void,
): Promise<void> {
  await withTensor(file, name, async (handle, { start, end }) => {
    const buffer = new ArrayBuffer(Math.min(PIECE_BYTES, end - start));
    for (let position = start; position < end; position += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, end - position);
      await readRange(handle, file.path, position, new Uint8Array(buffer, 0, length));
      convert(new Uint16Array(buffer, 0, length / 2), (position - start) / 2);
    }
  });
}

async function withTensor<T>(
  file: SafetensorsFile,
  name: string,
  work: (handle: FileHandle, entry: TensorEntry) => Promise<T>,
): Promise<T> {
  const entry = entryOf(file, name);
  return withFile(file.path, async (handle) => {
    const { size, mtimeMs } = await handle.stat();
    if (size !== file.version.bytes || mtimeMs !== file.version.modifiedMs) {
      throw new ThoughtbookError("corrupt-data", `${file.path} has changed since its header was read`, {
        hint: "Open it again.",
      });
    }
    return work(handle, entry);
  });
}

async function withFile<T>(path: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((error: unknown) => {
    throw fileSystemError(error, "read", path);
  });
  try {
    return await work(handle);
  } catch (error) {
    throw fileSystemError(error, "read", path);
  } finally {
    await handle.close();
  }
}

async function readRange(handle: FileHandle, path: string, start: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(LONGEST_READ, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, start + done);
    if (bytesRead === 0) throw corruptSafetensors(path, `it ends at byte ${start + done}`);
    done += bytesRead;
  }
}

function wrongType(file: SafetensorsFile, name: string, expected: string): ThoughtbookError {
  const { dtype } = entryOf(file, name);
  const message = `${file.path}: tensor ${JSON.stringify(name)} is of the type ${dtype}; expected one of ${expected}`;
  return badInput(message, "Choose the checkpoint in float32, float16 or bfloat16.");
}
