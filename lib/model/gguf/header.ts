import { badInput, ThoughtbookError } from "../../core/index.js";
import { type GgufTypeInfo, typeInfo } from "./types.js";

/** A value of the metadata. 64-bit integers are numbers; a long list is left in the file. */
export type GgufValue = string | number | boolean | readonly GgufValue[] | GgufList;

/** A long list of the metadata, as where it lies: a vocabulary has hundreds of thousands of entries. */
export interface GgufList {
  /** Type of its entries. */
  type: GgufValueType;
  count: number;
  /** Position of its first entry, from the start of the file, and position after the last one. */
  start: number;
  end: number;
}

/** Where a tensor lies in its file. */
export interface GgufTensor {
  type: GgufTypeInfo;
  /** In the order of rows: the last is the one along which numbers follow each other (in the file it comes first). */
  shape: readonly number[];
  /** Position of its first byte, from the start of the file. */
  start: number;
  /** Position after its last byte. */
  end: number;
}

/** What the header of a GGUF file says. */
export interface GgufHeader {
  metadata: ReadonlyMap<string, GgufValue>;
  tensors: ReadonlyMap<string, GgufTensor>;
}

/** Types of values, by their number in the format. */
const VALUE_TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;
export type GgufValueType = (typeof VALUE_TYPES)[number];

const VALUE_BYTES: Readonly<Record<GgufValueType, number>> = {
  ...{ uint8: 1, int8: 1, bool: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, float32: 4 },
  ...{ uint64: 8, int64: 8, float64: 8, string: 8, array: 12 }, // Of the last two, the least.
};

/** Longer headers are refused: the largest vocabularies need about 30 MB. */
export const LONGEST_GGUF_HEADER = 1 << 28;
const MOST_ENTRIES = 65_536;
const MOST_TENSORS = 200_000;
const LONGEST_NAME = 65_535;
/** Of llama.cpp. */
const MOST_DIMENSIONS = 4;
/** Shorter lists become values. */
const SHORT_LIST = 64;
const DEFAULT_ALIGNMENT = 32;

/** Thrown where the bytes end before the header does: more of the file is needed, if there is more. */
export class HeaderCutOff extends Error {}

/** The error for a file that is not what the format says. */
export const corruptGguf = (source: string, what: string): ThoughtbookError =>
  new ThoughtbookError("corrupt-data", `${source} is no valid GGUF file: ${what}`, {
    hint: "Download the file again.",
  });

/** Reads values one after the other; little-endian, as the format is. */
interface Cursor {
  bytes: Buffer;
  at: number;
  source: string;
}

/**
 * Parse the header of a GGUF file of version 2 or 3, and check that it tells the truth: each tensor is of a known type,
 * in whole blocks, inside of the file, and no two overlap. Follows https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
 *
 * @param bytes the beginning of the file; long lists are skipped, not copied
 * @param fileBytes size of the whole file
 * @param source what the messages of errors call the file
 * @throws corrupt-data, bad-input (another version or byte order), {@link HeaderCutOff} if `bytes` end too early
 */
export function parseGgufHeader(bytes: Uint8Array, fileBytes: number, source: string): GgufHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor: Cursor = { bytes: buffer, at: 0, source };
  checkMagic(cursor);
  checkVersion(readNumber(cursor, "uint32"), source);
  const tensorCount = readCount(cursor, "tensors", MOST_TENSORS);
  const entryCount = readCount(cursor, "entries of metadata", MOST_ENTRIES);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = readString(cursor, LONGEST_NAME);
    if (metadata.has(key)) throw corruptGguf(source, `its metadata has ${JSON.stringify(key)} twice`);
    metadata.set(key, readValue(cursor, readValueType(cursor), key));
  }
  const infos = Array.from({ length: tensorCount }, () => readTensorInfo(cursor));
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (
    typeof alignment !== "number" ||
    !(alignment >= 1 && alignment <= 2 ** 30) ||
    2 ** Math.round(Math.log2(alignment)) !== alignment
  ) {
    throw corruptGguf(source, `general.alignment is ${JSON.stringify(alignment)}, expected a power of 2`);
  }
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, tensors: placeTensors(infos, { dataStart, alignment, fileBytes, source }) };
}

function checkMagic(cursor: Cursor): void {
  need(cursor, 4);
  const magic = cursor.bytes.toString("latin1", 0, 4);
  cursor.at = 4;
  if (magic === "GGUF") return;
  if (["lmgg", "fmgg", "tjgg", "algg"].includes(magic)) {
    throw badInput(
      `${cursor.source} is in a format before GGUF, which is not supported`,
      "Download a newer file of the model, or convert it again with llama.cpp.",
    );
  }
  throw badInput(
    `${cursor.source} is no GGUF file: it does not begin with "GGUF"`,
    "Give the folder of a checkpoint, or a GGUF file.",
  );
}

function checkVersion(version: number, source: string): void {
  if (version === 2 || version === 3) return;
  const swapped = version > 0 && (version & 0xffff) === 0;
  const what = swapped ? "big-endian" : version === 1 ? "of version 1" : `of version ${version}`;
  throw badInput(
    `${source} is a GGUF file ${what}; versions 2 and 3 in little-endian order are supported`,
    "Download a newer file of the model, or convert it again with llama.cpp's convert_hf_to_gguf.py.",
  );
}

interface TensorInfo {
  name: string;
  type: GgufTypeInfo;
  shape: readonly number[];
  bytes: number;
  offset: number;
}

function readTensorInfo(cursor: Cursor): TensorInfo {
  const { source } = cursor;
  const name = readString(cursor, LONGEST_NAME);
  const fail = (what: string): never => {
    throw corruptGguf(source, `tensor ${shown(name)} ${what}`);
  };
  const dimensions = readNumber(cursor, "uint32");
  if (dimensions > MOST_DIMENSIONS) fail(`has ${dimensions} dimensions, more than ${MOST_DIMENSIONS}`);
  const sizes = Array.from({ length: dimensions }, () => readNumber(cursor, "uint64"));
  const number = readNumber(cursor, "uint32");
  const type = typeInfo(number) ?? refuseType(number, shown(name), source);
  const offset = readNumber(cursor, "uint64");
  const elements = sizes.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(elements) || sizes.some((size) => size < 1)) fail(`has the sizes ${sizes.join(" × ")}`);
  if ((sizes[0] ?? 1) % type.size !== 0) {
    fail(
      `has rows of ${sizes[0] ?? 1} numbers, expected whole blocks of ${type.size}, as it is stored as ${type.name}`,
    );
  }
  return { name, type, shape: [...sizes].reverse(), bytes: (elements / type.size) * type.bytes, offset };
}

/** Types that are not known are removed or new ones, rather than broken bytes. */
function refuseType(number: number, tensor: string, source: string): never {
  throw badInput(
    `${source}: tensor ${tensor} is stored as the type ${number} of ggml, which is not known`,
    "Choose another file of the model, such as the one in Q4_K_M or Q8_0; if it is one of these, download it again.",
  );
}

function placeTensors(
  infos: readonly TensorInfo[],
  {
    dataStart,
    alignment,
    fileBytes,
    source,
  }: { dataStart: number; alignment: number; fileBytes: number; source: string },
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const { name, type, shape, bytes, offset } of infos) {
    const fail = (what: string): never => {
      throw corruptGguf(source, `tensor ${shown(name)} ${what}`);
    };
    if (tensors.has(name)) fail("is there twice");
    if (offset % alignment !== 0) fail(`begins at ${offset}, expected a multiple of ${alignment}`);
    const start = dataStart + offset;
    const end = start + bytes;
    if (!(end <= fileBytes)) fail(`ends at byte ${end}, but the file has ${fileBytes}: it may be cut off`);
    tensors.set(name, { type, shape, start, end });
  }
  const ordered = [...tensors].sort(([, a], [, b]) => a.start - b.start);
  for (const [i, [name, { start }]] of ordered.entries()) {
    const before = ordered[i - 1];
    if (before !== undefined && before[1].end > start) {
      throw corruptGguf(source, `the tensors ${shown(before[0])} and ${shown(name)} overlap`);
    }
  }
  return tensors;
}

function readCount(cursor: Cursor, what: string, most: number): number {
  const count = readNumber(cursor, "uint64");
  if (count <= most) return count;
  throw corruptGguf(cursor.source, `it has ${count} ${what}, more than ${most}`);
}

function readValueType(cursor: Cursor): GgufValueType {
  const number = readNumber(cursor, "uint32");
  const type = VALUE_TYPES[number];
  if (type !== undefined) return type;
  throw corruptGguf(cursor.source, `its metadata has a value of the type ${number}, which is not known`);
}

function readValue(cursor: Cursor, type: GgufValueType, key: string): GgufValue {
  if (type !== "array") return readScalar(cursor, type);
  const entryType = readValueType(cursor);
  if (entryType === "array")
    throw corruptGguf(cursor.source, `${shown(key)} is a list of lists, which no known key is`);
  const count = readNumber(cursor, "uint64");
  if (!(count * VALUE_BYTES[entryType] <= LONGEST_GGUF_HEADER)) {
    throw corruptGguf(cursor.source, `${shown(key)} has ${count} entries, too many`);
  }
  if (count <= SHORT_LIST) return Array.from({ length: count }, () => readScalar(cursor, entryType));
  const start = cursor.at;
  if (entryType === "string") for (let i = 0; i < count; i++) skipString(cursor);
  else need(cursor, count * VALUE_BYTES[entryType]);
  if (entryType !== "string") cursor.at += count * VALUE_BYTES[entryType];
  return { type: entryType, count, start, end: cursor.at };
}

/**
 * The entries of a list, from its bytes.
 * @throws corrupt-data if they are not what was there when the header was read
 */
export function parseGgufList({ type, count }: GgufList, bytes: Buffer, source: string): (string | number | boolean)[] {
  const cursor: Cursor = { bytes, at: 0, source };
  try {
    return Array.from({ length: count }, () => readScalar(cursor, type as Exclude<GgufValueType, "array">));
  } catch (error) {
    if (error instanceof HeaderCutOff) throw corruptGguf(source, "it has changed since its header was read");
    throw error;
  }
}

function readScalar(cursor: Cursor, type: Exclude<GgufValueType, "array">): string | number | boolean {
  if (type === "string") return readString(cursor, LONGEST_GGUF_HEADER);
  if (type !== "bool") return readNumber(cursor, type);
  const byte = readNumber(cursor, "uint8");
  if (byte > 1) throw corruptGguf(cursor.source, `its metadata has a boolean of the value ${byte}`);
  return byte === 1;
}

function readNumber(cursor: Cursor, type: Exclude<GgufValueType, "array" | "string" | "bool">): number {
  const { bytes, at } = cursor;
  need(cursor, VALUE_BYTES[type]);
  cursor.at += VALUE_BYTES[type];
  switch (type) {
    case "uint8":
      return bytes[at]!;
    case "int8":
      return bytes.readInt8(at);
    case "uint16":
      return bytes.readUInt16LE(at);
    case "int16":
      return bytes.readInt16LE(at);
    case "uint32":
      return bytes.readUInt32LE(at);
    case "int32":
      return bytes.readInt32LE(at);
    case "float32":
      return bytes.readFloatLE(at);
    // Beyond 2⁵³ inexact, which no count or offset of a file can be.
    case "uint64":
      return Number(bytes.readBigUInt64LE(at));
    case "int64":
      return Number(bytes.readBigInt64LE(at));
    case "float64":
      return bytes.readDoubleLE(at);
  }
}

function readString(cursor: Cursor, longest: number): string {
  const start = cursor.at + 8;
  skipString(cursor, longest);
  return cursor.bytes.toString("utf8", start, cursor.at);
}

function skipString(cursor: Cursor, longest = LONGEST_GGUF_HEADER): void {
  const length = readNumber(cursor, "uint64");
  if (length > longest) throw corruptGguf(cursor.source, `it has a text of ${length} bytes, too many`);
  need(cursor, length);
  cursor.at += length;
}

function need({ bytes, at }: Cursor, count: number): void {
  if (at + count > bytes.length) throw new HeaderCutOff();
}

const shown = (name: string): string => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
