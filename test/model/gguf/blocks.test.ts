import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allocateBlocks, BLOCK_FORMATS, unpackBlocks } from "../../../lib/dist/model/gguf/blocks.js";
import { encodeFloats, quantiseQ8 } from "../../../lib/dist/model/gguf/quantise.js";
import { dequantise } from "../../../lib/dist/model/weights/quantised-matrix.js";

type Fixture = Record<string, { blocks: string; floats: string }>;
const fixture: Fixture = JSON.parse(
  await readFile(join(import.meta.dirname, "../../fixtures/gguf/blocks.json"), "utf8"),
);

/** The bits of float32 numbers, so that −0 is not 0. */
const bitsOf = (floats: Float32Array) => new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
const floatsOf = (text: string) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

describe("blocks of quantised weights", () => {
  it("has a fixture for each type", () => {
    expect(
      Object.keys(fixture)
        .filter((name) => name !== "quantised")
        .sort(),
    ).toEqual(Object.keys(BLOCK_FORMATS).sort());
  });

  it.each(Object.keys(BLOCK_FORMATS))("reads %s as Python's gguf, bit for bit", (name) => {
    const format = BLOCK_FORMATS[name]!;
    const bytes = Buffer.from(fixture[name]!.blocks, "base64");
    const count = bytes.length / format.bytes;
    const blocks = allocateBlocks(format, count);
    unpackBlocks(format, bytes, count, blocks);
    const { bits, blockSize, zero } = format;
    const weights = dequantise({ shape: [count, format.size], bits, blockSize, zero, ...blocks });
    expect(bitsOf(weights)).toEqual(bitsOf(floatsOf(fixture[name]!.floats)));
  });

  it("quantises to Q8_0 as Python's gguf, bit for bit", () => {
    const { floats, blocks } = fixture.quantised!;
    expect(Buffer.from(quantiseQ8(floatsOf(floats))).toString("base64")).toBe(blocks);
  });

  it("refuses numbers that half precision cannot hold", () => {
    expect(() => encodeFloats(Float32Array.of(1, -1e6), "F16", "w")).toThrow(/w holds -1000000/);
    const infinite = encodeFloats(Float32Array.of(Number.NEGATIVE_INFINITY), "F16", "w");
    expect([...infinite]).toEqual([0x00, 0xfc]);
  });

  it("takes blocks in pieces for the same numbers", () => {
    const format = BLOCK_FORMATS.Q4_K!;
    const bytes = Buffer.from(fixture.Q4_K!.blocks, "base64");
    const [whole, pieces] = [allocateBlocks(format, 2), allocateBlocks(format, 2)];
    unpackBlocks(format, bytes, 2, whole);
    unpackBlocks(format, bytes, 1, pieces);
    unpackBlocks(format, bytes.subarray(format.bytes), 1, pieces, 1);
    expect(pieces).toEqual(whole);
  });
});
