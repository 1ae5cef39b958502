import { appendFile, mkdir, readdir, readFile, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import { openSafetensors, readFloats, type StoredTensor, writeSafetensors } from "thoughtbook/model";
import { beforeEach, describe, expect, it } from "vitest";
import { readTensor } from "../../../lib/dist/model/weights/safetensors.js";
import { failure, temporaryFolder } from "../../core/helpers.js";

const fixtures = join(import.meta.dirname, "../../fixtures/checkpoints");

let file: string;
beforeEach(async () => {
  file = join(await temporaryFolder(), "a.safetensors");
});

const float32 = (shape: number[], ...data: number[]): StoredTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(data),
});

/** A safetensors file with any header, true or not. */
async function writeRaw(header: unknown, dataBytes: number, headerBytes?: number): Promise<void> {
  const json = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes ?? json.length));
  await writeFile(file, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
}

describe("reading", () => {
  // types.safetensors was written by Python's safetensors 0.8 with PyTorch 2.13.
  const types = join(fixtures, "types.safetensors");
  const read = async (name: string) => readTensor(await openSafetensors(types), name);

  it("knows the header without reading the tensors", async () => {
    const opened = await openSafetensors(types);
    expect(opened.metadata).toEqual({ format: "pt", note: '{"a": [1]}' });
    expect([...opened.tensors.keys()].sort()).toEqual(
      [
        "brain",
        "bytes",
        "double",
        "empty",
        "half",
        "ids",
        "mask",
        "scalar",
        "small",
        "transposed",
        "z.first",
        'ünï"code',
      ].sort(),
    );
    expect(opened.tensors.get("brain")).toMatchObject({ dtype: "BF16", shape: [2, 2] });
  });

  it("gives F32, F16 and BF16 as float32", async () => {
    expect(await read("z.first")).toEqual(float32([3], 1.5, -0, Number.POSITIVE_INFINITY));
    expect(await read("transposed")).toEqual(float32([4, 3], 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
    expect(await read("half")).toEqual(float32([5], 1, -2.5, 65_504, 2 ** -24, Number.NaN));
    expect(await read("brain")).toEqual(float32([2, 2], 1, 3.140625, -9.969209968386869e37, 2 ** -133));
    expect(await read('ünï"code')).toEqual(float32([1], 2));
  });

  it("gives scalars and empty tensors", async () => {
    expect(await read("scalar")).toEqual(float32([], 7.25));
    expect(await read("empty")).toEqual(float32([0, 5]));
  });

  it("gives integers and booleans as they are", async () => {
    expect(await read("ids")).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(-1n, 2n ** 40n) });
    expect(await read("small")).toEqual({ dtype: "int32", shape: [2], data: Int32Array.of(-5, 6) });
    expect(await read("bytes")).toEqual({ dtype: "uint8", shape: [2], data: Uint8Array.of(0, 255) });
    expect(await read("mask")).toEqual({ dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) });
  });

  it("refuses other types, and names that there are not", async () => {
    const opened = await openSafetensors(types);
    expect(await failure(readTensor(opened, "double"))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("F64"),
    });
    expect(await failure(readFloats(opened, "ids"))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("I64"),
    });
    const error = await failure(readTensor(opened, "nothing"));
    expect(error).toMatchObject({ code: "not-found", message: `${types} has no tensor "nothing"` });
  });

  it("refuses a file that has changed meanwhile", async () => {
    await writeSafetensors(file, { a: float32([1], 1) });
    const opened = await openSafetensors(file);
    await utimes(file, 1, 1);
    expect(await failure(readFloats(opened, "a"))).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("has changed"),
    });
    await writeSafetensors(file, { a: float32([1], 1) });
    await utimes(file, 1, 1);
    const reopened = await openSafetensors(file);
    await writeSafetensors(file, { a: float32([2], 1, 2) });
    await utimes(file, 1, 1);
    expect(await failure(readFloats(reopened, "a"))).toMatchObject({ code: "corrupt-data" });
    expect(await failure(readFloats(opened, "a"))).toMatchObject({ code: "corrupt-data" });
  });

  it("names a file that cannot be read", async () => {
    expect(await failure(openSafetensors(file))).toMatchObject({
      code: "not-found",
      message: expect.stringContaining(file),
    });
    await mkdir(file);
    expect(await failure(openSafetensors(file))).toMatchObject({
      code: "file-system",
      message: expect.stringContaining(file),
    });
  });

  it("reads one tensor of a file that is larger than memory should be", async () => {
    const large = 5 * 2 ** 30;
    const entries = {
      a: { dtype: "U8", shape: [large], data_offsets: [0, large] },
      b: { dtype: "F32", shape: [1], data_offsets: [large, large + 4] },
    };
    await writeRaw(entries, 0);
    const { size } = await stat(file);
    await truncate(file, size + large); // The hole takes no space on the disk.
    await appendFile(file, new Uint8Array(Float32Array.of(7).buffer));
    expect(await readFloats(await openSafetensors(file), "b")).toEqual(Float32Array.of(7));
  });

  it("takes longer tensors of 16 bits in pieces", async () => {
    const count = 5_000_001;
    const data = Float32Array.from({ length: count }, (_, i) => (i % 2048) - 1024);
    for (const floats of ["float16", "bfloat16"] as const) {
      await writeSafetensors(file, { x: float32([1], 3), a: { dtype: "float32", shape: [count], data } }, { floats });
      const read = await readFloats(await openSafetensors(file), "a");
      const rounding = floats === "float16" ? 0 : 4; // bfloat16 has 8 bits: up to 1,024, steps of at most 8.
      expect(read.every((value, i) => Math.abs(value - data[i]!) <= rounding)).toBe(true);
    }
  });
});

describe("a header that lies", () => {
  const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });
  const f32 = (shape: unknown, offsets: unknown) => entry("F32", shape, offsets);

  it.each([
    ["is no JSON", "{]", 0, /header is not JSON/],
    ["is not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 0, /header is not JSON/],
    ["is no object", [], 0, /not a JSON object/],
    [
      "has a tensor twice",
      '{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"\\u0061" :{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
      4,
      /key "a" twice/,
    ],
    ["has a type twice", '{"a":{"dtype":"F32","shape":[],"dtype":"F16","data_offsets":[0,2]}}', 2, /key "dtype" twice/],
    ["has metadata that are no texts", { __metadata__: { a: 1 } }, 0, /__metadata__/],
    ["has no metadata", { __metadata__: null }, 0, /__metadata__/],
    ["has an entry that is no object", { a: 5 }, 0, /tensor "a" is not described/],
    ["has an unknown type", { a: entry("F31", [], [0, 4]) }, 4, /tensor "a" has the type "F31"; known are BOOL, U8/],
    ["has an inherited type", { a: entry("toString", [], [0, 4]) }, 4, /the type "toString"/],
    ["has no shape", { a: f32(undefined, [0, 4]) }, 4, /has the shape undefined/],
    ["has a negative size", { a: f32([-1], [0, 4]) }, 4, /has the shape \[-1\]/],
    ["has a broken size", { a: f32([1.5], [0, 6]) }, 6, /has the shape \[1\.5\]/],
    ["has a huge size", { a: f32([2 ** 60], [0, 4]) }, 4, /has the shape/],
    ["has sizes that overflow", { a: f32([2 ** 40, 2 ** 40], [0, 4]) }, 4, /is F32 \[1099511627776, 1099511627776\]/],
    ["has sizes beyond counting", { a: f32(Array(40).fill(2 ** 40), [0, 4]) }, 4, /is F32/],
    ["has one offset", { a: f32([], [0]) }, 4, /data_offsets \[0\]/],
    ["has a negative offset", { a: f32([], [-4, 0]) }, 4, /data_offsets \[-4,0\]/],
    ["ends before it begins", { a: f32([], [4, 0]) }, 4, /data_offsets \[4, 0\] hold -4/],
    [
      "has a shape of another size",
      { a: f32([2], [0, 4]) },
      4,
      /is F32 \[2\], so 8 bytes, but its data_offsets \[0, 4\] hold 4/,
    ],
    ["overlaps", { a: f32([2], [0, 8]), b: f32([2], [4, 12]) }, 12, /tensor "b" overlaps "a"/],
    ["uses bytes twice", { a: f32([1], [0, 4]), b: f32([1], [0, 4]) }, 4, /overlaps/],
    ["has a hole", { a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, 12, /4 bytes between "a" and "b"/],
    ["begins late", { a: f32([1], [4, 8]) }, 8, /4 bytes between the header and "a"/],
    ["ends before the file", { a: f32([1], [0, 4]) }, 5, /last 1 bytes belong to no tensor/],
    ["ends after the file", { a: f32([1], [0, 4]) }, 3, /the file has \d+; it is incomplete/],
  ])("%s: an error before any tensor is read", async (_, header, dataBytes, message) => {
    await writeRaw(header, dataBytes);
    const error = await failure(openSafetensors(file));
    expect(error).toMatchObject({ name: "ThoughtbookError", code: "corrupt-data" });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`${file} is not a sound safetensors file: `);
    expect(error.hint).toBeDefined();
  });

  it("about its own length is an error", async () => {
    await writeFile(file, "1234567");
    expect((await failure(openSafetensors(file))).message).toMatch(/has 7 bytes, fewer than/);
    await writeRaw({}, 10, 100);
    expect((await failure(openSafetensors(file))).message).toMatch(
      /header would be 100 bytes long, but the file has 20/,
    );
    await writeRaw({}, 0, 2 ** 53);
    expect((await failure(openSafetensors(file))).message).toMatch(/header would be 9007199254740992 bytes long/);
    await writeRaw({}, 0, 1);
    expect((await failure(openSafetensors(file))).message).toMatch(/header is not JSON/);
  });

  it("of a length that the format forbids is an error", async () => {
    await writeRaw(`{}${" ".repeat(100_000_000)}`, 0);
    expect((await failure(openSafetensors(file))).message).toMatch(
      /header is 100000002 bytes long, more than 100000000/,
    );
  });

  it("may be long", async () => {
    const metadata = { note: '\\"{}[]'.repeat(500_000) };
    await writeSafetensors(file, { a: float32([1], 1) }, { metadata });
    expect((await openSafetensors(file)).metadata).toEqual(metadata);
  });

  it("may name a tensor as an object's own property", async () => {
    await writeRaw('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4);
    expect(await readFloats(await openSafetensors(file), "__proto__")).toEqual(Float32Array.of(0));
  });

  it("may be empty", async () => {
    await writeRaw({}, 0);
    expect((await openSafetensors(file)).tensors.size).toBe(0);
  });
});

describe("writing", () => {
  it("gives the bytes that the Python library gives", async () => {
    for (const name of ["llama-gqa-tied/model", "gpt2/model", "qwen2-bias/expected"]) {
      const original = join(fixtures, `${name}.safetensors`);
      const opened = await openSafetensors(original);
      const tensors: Record<string, StoredTensor> = {};
      for (const tensor of [...opened.tensors.keys()].reverse()) tensors[tensor] = await readTensor(opened, tensor);
      await writeSafetensors(file, tensors, { metadata: opened.metadata });
      expect((await readFile(file)).equals(await readFile(original)), name).toBe(true);
    }
  });

  it("orders types as the Python library does", async () => {
    const opened = await openSafetensors(join(fixtures, "types.safetensors"));
    const names = [...opened.tensors.keys()].filter((name) => name !== "double");
    const tensors: Record<string, StoredTensor> = {};
    for (const name of [...names].reverse()) tensors[name] = await readTensor(opened, name);
    await writeSafetensors(file, tensors);
    const other = ["half", "brain"];
    const comparable = (list: string[]) => list.filter((name) => !other.includes(name));
    expect(comparable([...(await openSafetensors(file)).tensors.keys()])).toEqual(comparable(names));
  });

  it("puts the data at a multiple of 8, and wide numbers first", async () => {
    await writeSafetensors(file, {
      a: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
      b: float32([2], 1, 2),
      c: { dtype: "int64", shape: [1], data: BigInt64Array.of(5n) },
    });
    const { tensors, metadata } = await openSafetensors(file);
    expect(metadata).toEqual({ format: "pt" });
    expect([...tensors.keys()]).toEqual(["c", "b", "a"]);
    expect(tensors.get("c")!.start % 8).toBe(0);
  });

  it("gives back every type", async () => {
    const tensors: Record<string, StoredTensor> = {
      i: { dtype: "int32", shape: [2], data: Int32Array.of(-1, 2) },
      l: { dtype: "int64", shape: [], data: BigInt64Array.of(-5n) },
      u: { dtype: "uint8", shape: [2, 1], data: Uint8Array.of(1, 255) },
      t: { dtype: "bool", shape: [1], data: Uint8Array.of(1) },
      f: float32([0, 3]),
    };
    await writeSafetensors(file, tensors, { metadata: {} });
    const opened = await openSafetensors(file);
    for (const [name, tensor] of Object.entries(tensors)) expect(await readTensor(opened, name)).toEqual(tensor);
  });

  it("writes views of larger arrays", async () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    for (const floats of ["float32", "float16", "bfloat16"] as const) {
      await writeSafetensors(file, { a: { dtype: "float32", shape: [2], data } }, { floats });
      expect(await readFloats(await openSafetensors(file), "a")).toEqual(Float32Array.of(1, 2));
    }
  });

  it("refuses what does not fit", async () => {
    const error = await failure(writeSafetensors(file, { a: float32([2, 2], 1, 2, 3) }));
    expect(error).toMatchObject({ code: "bad-input", message: 'tensor "a" has 3 numbers, but its shape [2, 2] has 4' });
    expect(await readdir(join(file, ".."))).toEqual([]);
  });

  it("leaves the file that was there if it fails", async () => {
    await writeSafetensors(file, { a: float32([1], 1) });
    const before = await readFile(file);
    const error = await failure(writeSafetensors(file, { a: float32([2], 1, 70_000) }, { floats: "float16" }));
    expect(error).toMatchObject({ code: "bad-input", message: 'tensor "a" holds 70000, and float16 ends at ±65504' });
    expect(error.hint).toContain("bfloat16");
    expect((await readFile(file)).equals(before)).toBe(true);
    expect(await readdir(join(file, ".."))).toEqual(["a.safetensors"]);
  });

  it("names a folder that is missing", async () => {
    const error = await failure(writeSafetensors(join(file, "b.safetensors"), {}));
    expect(error).toMatchObject({ code: "not-found", message: expect.stringContaining(join(file, "b.safetensors")) });
  });
});

describe("rounding", () => {
  const round = async (floats: "float16" | "bfloat16", ...data: number[]) => {
    await writeSafetensors(file, { a: float32([data.length], ...data) }, { floats });
    return [...(await readFloats(await openSafetensors(file), "a"))];
  };
  const { POSITIVE_INFINITY: infinity, NaN: nan } = Number;

  it("to float16 is to the nearest, halfway to the even one", async () => {
    const cases = [
      [1 + 2 ** -11, 1],
      [1 + 3 * 2 ** -11, 1 + 2 ** -9],
      [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
      [2 ** -14 - 2 ** -26, 2 ** -14],
      [65_519, 65_504],
      [2 ** -24, 2 ** -24],
      [2 ** -25, 0],
      [2 ** -25 + 2 ** -40, 2 ** -24],
      [3 * 2 ** -25, 2 ** -23],
      [1e-30, 0],
      [-(2 ** -15), -(2 ** -15)],
      [-0, -0],
      [infinity, infinity],
      [-infinity, -infinity],
      [nan, nan],
    ] as const;
    expect(await round("float16", ...cases.map(([value]) => value))).toEqual(cases.map(([, rounded]) => rounded));
  });

  it("to bfloat16 is to the nearest, halfway to the even one", async () => {
    const cases = [
      [1 + 2 ** -8, 1],
      [1 + 3 * 2 ** -8, 1 + 2 ** -6],
      [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
      [3.4e38, infinity],
      [2 ** -149, 0],
      [2 ** -133, 2 ** -133],
      [-0, -0],
      [infinity, infinity],
      [nan, nan],
    ] as const;
    expect(await round("bfloat16", ...cases.map(([value]) => value))).toEqual(cases.map(([, rounded]) => rounded));
  });

  it("keeps every number that float16 has", async () => {
    const random = createRandom(1);
    // Eleven bits, at most, with a last one of at least 2⁻²⁴.
    const numbers = Array.from({ length: 5000 }, () => random.integer(2048) * 2 ** (random.integer(30) - 24));
    expect(await round("float16", ...numbers)).toEqual(numbers);
  });
});
