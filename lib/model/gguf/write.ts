import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { badInput, fileSystemError } from "../../core/index.js";
import { elementCount } from "../weights/safetensors-header.js";
import { typeInfo, typeNumber } from "./types.js";

/** A value of the metadata with its type in the file. */
export type GgufEntry =
  | { type: "uint32" | "int32" | "float32"; value: number | readonly number[] }
  | { type: "bool"; value: boolean }
  | { type: "string"; value: string | readonly string[] };

/** A tensor to write. */
export interface GgufOutput {
  name: string;
  /** In the order of rows, as in `GgufTensor`. */
  shape: readonly number[];
  type: "F32" | "F16" | "Q8_0";
  /** Its bytes. */
  read(): Promise<Uint8Array>;
}

const VALUE_NUMBERS = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;
const ALIGNMENT = 32;

const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const bytesOf = ({ shape, type }: GgufOutput): number => {
  const { size, bytes } = typeInfo(typeNumber(type))!;
  return (elementCount(shape) / size) * bytes;
};

/** How many bytes of tensors a file will have. */
export const outputBytes = (tensors: readonly GgufOutput[]): number =>
  tensors.reduce((sum, tensor) => sum + padded(bytesOf(tensor)), 0);

/**
 * Write a GGUF file of version 3; tensors are read and written one at a time. It appears only when it is complete.
 *
 * @param onBytes called with how many bytes of tensors are written so far
 * @throws bad-input if there is such a file already, file-system, what the tensors' `read` throws
 */
export async function writeGguf(
  path: string,
  metadata: Readonly<Record<string, GgufEntry>>,
  tensors: readonly GgufOutput[],
  { onBytes = () => {}, signal }: { onBytes?: (bytes: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) {
    throw badInput(`${path} is there already`, "Give another file, or remove it.");
  }
  const part = `${path}.part-${process.pid}`;
  try {
    const handle = await open(part, "w");
    try {
      await writeAll(handle, headerOf(metadata, tensors));
      let written = 0;
      for (const tensor of tensors) {
        signal?.throwIfAborted();
        const bytes = await tensor.read();
        await writeAll(handle, bytes);
        await writeAll(handle, new Uint8Array(padded(bytes.length) - bytes.length));
        written += padded(bytes.length);
        onBytes(written);
      }
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {}); // What went wrong before says more.
    throw signal?.aborted ? error : fileSystemError(error, "write", path);
  }
}

/** The header, padded to where the tensors begin. */
function headerOf(metadata: Readonly<Record<string, GgufEntry>>, tensors: readonly GgufOutput[]): Uint8Array {
  const entries = Object.entries(metadata);
  const parts: Buffer[] = [Buffer.from("GGUF"), uint32(3), uint64(tensors.length), uint64(entries.length)];
  for (const [key, entry] of entries) parts.push(string(key), ...valueParts(entry));
  let offset = 0;
  for (const tensor of tensors) {
    const { name, shape, type } = tensor;
    parts.push(
      string(name),
      uint32(shape.length),
      ...[...shape].reverse().map(uint64),
      uint32(typeNumber(type)),
      uint64(offset),
    );
    offset += padded(bytesOf(tensor));
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length)]);
}

function valueParts(entry: GgufEntry): Buffer[] {
  const number = VALUE_NUMBERS[entry.type];
  const { value } = entry;
  if (typeof value !== "object") return [uint32(number), scalar(entry.type, value)];
  return [
    uint32(VALUE_NUMBERS.array),
    uint32(number),
    uint64(value.length),
    ...value.map((each) => scalar(entry.type, each)),
  ];
}

function scalar(type: GgufEntry["type"], value: string | number | boolean): Buffer {
  if (typeof value === "string") return string(value);
  if (typeof value === "boolean") return Buffer.from([Number(value)]);
  const bytes = Buffer.alloc(4);
  if (type === "float32") bytes.writeFloatLE(value);
  else if (type === "int32") bytes.writeInt32LE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, Math.min(1 << 30, bytes.length - done))).bytesWritten;
  }
}
