import { ThoughtbookError } from "../../core/index.js";

/** Bytes a number of each type that the format has, apart from those of less than a byte. */
const TYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
};

export type SafetensorsType = keyof typeof TYPE_BYTES;

/** Where a tensor lies in its file. */
export interface TensorEntry {
  dtype: SafetensorsType;
  shape: readonly number[];
  /** Position of its first byte, from the start of the file. */
  start: number;
  /** Position after its last byte. */
  end: number;
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  tensors: ReadonlyMap<string, TensorEntry>;
  metadata: Record<string, string>;
}

/** The longest header that the format allows, in bytes. */
export const LONGEST_HEADER = 100_000_000;

export const typeBytes = (dtype: SafetensorsType): number => TYPE_BYTES[dtype];

/** How many numbers a tensor of the shape has. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/**
 * Check that the header of a safetensors file tells the truth: each tensor's bytes fit its type and shape, and together
 * they cover the file without overlaps or holes. Follows https://github.com/huggingface/safetensors#format.
 *
 * @param json the header after its length
 * @param fileBytes size of the whole file
 * @param source what the messages of errors call the file
 * @throws corrupt-data
 */
export function parseSafetensorsHeader(json: Uint8Array, fileBytes: number, source: string): SafetensorsHeader {
  const fail = (what: string, cause?: unknown): never => {
    throw corruptSafetensors(source, what, cause);
  };
  let text = "";
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    parsed = JSON.parse(text);
  } catch (cause) {
    fail("its header is not JSON", cause);
  }
  if (!isRecord(parsed)) return fail("its header is not a JSON object");
  const twice = repeatedKey(text);
  if (twice !== undefined) fail(`its header has the key ${JSON.stringify(twice)} twice`);

  const { __metadata__: metadata = {}, ...entries } = parsed;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    fail("__metadata__ is not a record of texts");
  }
  const dataStart = 8 + json.length;
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of Object.entries(entries)) {
    tensors.set(
      name,
      readEntry(entry, dataStart, (what) => fail(`tensor ${JSON.stringify(name)} ${what}`)),
    );
  }
  checkCoverage(tensors, dataStart, fileBytes, fail);
  return { tensors, metadata: metadata as Record<string, string> };
}

type Fail = (what: string) => never;

function readEntry(entry: unknown, dataStart: number, fail: Fail): TensorEntry {
  if (!isRecord(entry)) return fail("is not described by an object");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(TYPE_BYTES, dtype)) {
    return fail(`has the type ${JSON.stringify(dtype)}; known are ${Object.keys(TYPE_BYTES).join(", ")}`);
  }
  if (!isSizes(shape)) return fail(`has the shape ${JSON.stringify(shape)}, expected a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return fail(`has the data_offsets ${JSON.stringify(offsets)}, expected its first byte and the one after its last`);
  }
  const [first, last] = offsets as [number, number];
  const bytes = elementCount(shape) * TYPE_BYTES[dtype as SafetensorsType];
  if (last - first !== bytes) {
    const described = `${dtype} [${shape.join(", ")}], so ${bytes} bytes`;
    return fail(`is ${described}, but its data_offsets [${first}, ${last}] hold ${last - first}`);
  }
  return { dtype: dtype as SafetensorsType, shape, start: dataStart + first, end: dataStart + last };
}

function checkCoverage(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataStart: number,
  fileBytes: number,
  fail: Fail,
): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let [position, previous] = [dataStart, "the header"];
  for (const [name, { start, end }] of inOrder) {
    if (start < position) fail(`tensor ${JSON.stringify(name)} overlaps ${previous}`);
    if (start > position)
      fail(`${start - position} bytes between ${previous} and ${JSON.stringify(name)} belong to no tensor`);
    position = end;
    previous = JSON.stringify(name);
  }
  if (position > fileBytes)
    fail(`its tensors end at byte ${position}, but the file has ${fileBytes}; it is incomplete`);
  if (position < fileBytes) fail(`its last ${fileBytes - position} bytes belong to no tensor`);
}

export function corruptSafetensors(source: string, what: string, cause?: unknown): ThoughtbookError {
  return new ThoughtbookError("corrupt-data", `${source} is not a sound safetensors file: ${what}`, {
    hint: "Download or write it again.",
    cause,
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/**
 * The first key that an object of the JSON text has twice, wherever it is; undefined if there is none. JSON.parse would
 * silently take the last of them, another reader the first.
 */
function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // The keys seen in each open object; undefined for an array.
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = at++;
      for (; json[at] !== '"'; at++) if (json[at] === "\\") at++;
      if (!isFollowedByColon(json, at + 1)) continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function isFollowedByColon(json: string, from: number): boolean {
  let at = from;
  while (" \t\r\n".includes(json[at] ?? ":")) at++;
  return json[at] === ":";
}
