import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import { exportOnnx, generate, type OnnxDtype, openCheckpoint, readParameters } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type QuantizedBits, quantizeBlocks } from "../../../lib/dist/model/onnx/quantize-blocks.js";
import { callOnnx, largestDifference, logitsAt, logProbsOf, openOnnx } from "./helpers.js";

const CHECKPOINTS = join(import.meta.dirname, "..", "..", "fixtures", "checkpoints");
const FILES = { fp32: "model.onnx", q8: "model_quantized.onnx", q4: "model_q4.onnx" };
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "thoughtbook-quantize-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each<QuantizedBits>([4, 8])("blocks of %i bits", (bits) => {
  const [rows, columns, block] = [5, 75, 32];
  const blocks = Math.ceil(columns / block);
  const random = createRandom(1);
  const matrix = Float32Array.from({ length: rows * columns }, () => random.normal());
  matrix.fill(0, 0, block); // A block of zeros.
  matrix.fill(0.7, columns, columns + block); // One above zero.
  const { values, scales, zeros } = quantizeBlocks(matrix, columns, bits, block);

  const unpack = (bytes: Uint8Array, index: number) =>
    bits === 8 ? bytes[index]! : (bytes[index >> 1]! >> (4 * (index % 2))) & 15;
  const read = (row: number, column: number) => {
    const [at, inside] = [Math.floor(column / block), column % block];
    const rowZeros = zeros.subarray((row * zeros.length) / rows, ((row + 1) * zeros.length) / rows);
    const value = unpack(values, (row * blocks + at) * block + inside);
    return (value - unpack(rowZeros, at)) * scales[row * blocks + at]!;
  };

  it("give back each number within half a step, and zero exactly", () => {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const number = matrix[row * columns + column]!;
        const step = scales[row * blocks + Math.floor(column / block)]!;
        // The zero point is rounded too: at the two ends of a block there may be a whole step.
        expect(Math.abs(read(row, column) - number)).toBeLessThan(step * 1.001);
        if (number === 0) expect(read(row, column)).toBe(0);
      }
    }
    const errors = Array.from(matrix, (number, i) => Math.abs(read(Math.floor(i / columns), i % columns) - number));
    const steps = Array.from(scales).reduce((sum, step) => sum + step, 0) / scales.length;
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.3 * steps);
  });

  it("take the room that ONNX Runtime expects", () => {
    expect(values.length).toBe((rows * blocks * block * bits) / 8);
    expect(scales.length).toBe(rows * blocks);
    expect(zeros.length).toBe(rows * Math.ceil((blocks * bits) / 8));
  });

  it("use all numbers between the smallest and the largest", () => {
    const used = Array.from({ length: block }, (_, i) => unpack(values, (2 * blocks + 1) * block + i));
    expect(Math.max(...used) - Math.min(...used)).toBeGreaterThanOrEqual(2 ** bits - 2);
  });
});

async function exported(name: string) {
  const checkpoint = await openCheckpoint(join(CHECKPOINTS, name));
  const { folder, files } = await exportOnnx(checkpoint, join(mkdtempSync(join(scratch, "case-")), "out"));
  const bytes = (dtype: OnnxDtype) => files.find((file) => file.name === `onnx/${FILES[dtype]}`)!.bytes;
  return { checkpoint, bytes, open: (dtype: OnnxDtype) => openOnnx(join(folder, "onnx", FILES[dtype])) };
}

describe("a quantized model", () => {
  it("is smaller, and finds a text hardly less probable", async () => {
    const { checkpoint, bytes, open } = await exported("stories260k");
    const model = { config: checkpoint.config, weights: await readParameters(checkpoint) };
    const request = { prompt: [1], samples: 4, maxNewTokens: 200, temperature: 1, stopIds: [], seed: 1 };
    const texts = (await generate(model, [request])).map(({ ids }) => [1, ...ids]);
    const loss = async (dtype: OnnxDtype) => {
      const session = await open(dtype);
      const logProbs = logProbsOf(await callOnnx(session, checkpoint.config, { ids: texts }), texts);
      await session.release();
      return -logProbs.reduce((sum, each) => sum + each, 0) / logProbs.length;
    };
    // Perplexities when this was written: 4.07, 4.08 (8 bits), 4.44 (4 bits).
    const [exact, eight, four] = [await loss("fp32"), await loss("q8"), await loss("q4")];
    expect(Math.abs(eight - exact)).toBeLessThan(0.01);
    expect(four - exact).toBeLessThan(0.15);
    expect(bytes("q8")).toBeLessThan(0.35 * bytes("fp32"));
    expect(bytes("q4")).toBeLessThan(0.7 * bytes("q8"));
  });

  // Tied with a width of no whole blocks; untied with biases; tied and shared; with layers stored the other way round.
  it.each(["llama-gqa-tied", "qwen2-bias", "qwen3-qknorm", "gpt2"])(
    "has the logits of %s, less exactly",
    async (name) => {
      const { checkpoint, open } = await exported(name);
      const { config } = checkpoint;
      const ids = [0, 1].map((row) =>
        Array.from({ length: 17 }, (_, i) => (i * 37 + row * 11) % config.vocabularySize),
      );
      const sessions = { fp32: await open("fp32"), q8: await open("q8"), q4: await open("q4") };
      const exact = await callOnnx(sessions.fp32, config, { ids });
      const numbers = exact.logits!.data as Float32Array;
      const size = Math.hypot(...numbers);
      for (const [dtype, tolerance] of [
        ["q8", 0.04],
        ["q4", 0.4],
      ] as const) {
        const whole = await callOnnx(sessions[dtype], config, { ids });
        const error = Math.hypot(...numbers.map((each, i) => each - (whole.logits!.data as Float32Array)[i]!)) / size;
        expect(error).toBeLessThan(tolerance);
        expect(error).toBeGreaterThan(tolerance / 100);
        // What is computed for a row does not depend on the others.
        const alone = await callOnnx(sessions[dtype], config, { ids: [ids[1]!] });
        expect(largestDifference(logitsAt(alone, 0, -1), logitsAt(whole, 1, -1))).toBeLessThan(1e-4);
      }
      for (const session of Object.values(sessions)) await session.release();
    },
  );
});
