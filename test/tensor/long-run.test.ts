import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

// A process of its own: the memory of a test worker is not this program's alone.
const PROGRAM = `
import * as tf from "@tensorflow/tfjs";
import { adamW, compileTrainingStep, embedding, rmsNorm, softmaxCrossEntropy, spec, tensorData } from "thoughtbook/tensor";
const [vocabulary, width, tokens] = [512, 64, 32];
const training = compileTrainingStep({
  params: { table: spec([vocabulary, width]), gain: spec([width]), w: spec([width, width]) },
  batch: { ids: spec([tokens], "int32"), next: spec([tokens], "int32") },
  loss: ({ params, batch }) => {
    const hidden = tf.matMul(rmsNorm(embedding(params.table, batch.ids), params.gain), params.w).tanh();
    return { loss: softmaxCrossEntropy(tf.matMul(hidden, params.table, false, true), batch.next).mean() };
  },
  optimizer: adamW(),
  learningRate: 1e-3,
  clipNorm: 1,
});
const floats = (shape) => tensorData(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)), shape);
const ids = (shift) => tensorData(Int32Array.from({ length: tokens }, (_, i) => (i * 7 + shift) % vocabulary));
let state = training.init({ table: floats([vocabulary, width]), gain: floats([width]), w: floats([width, width]) });
const batch = { ids: ids(0), next: ids(3) };
const memory = [];
for (let i = 0; i <= 1200; i++) {
  ({ state } = await training.step(state, batch));
  if (i % 200 === 0) {
    globalThis.gc();
    memory.push(process.memoryUsage().rss);
  }
}
console.log(JSON.stringify({ memory, tensors: tf.memory().numTensors }));
`;

describe("1,000 steps", () => {
  it("leave the memory of the process as it was after the first 200, and no tensor behind", async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--expose-gc", "--input-type=module", "--eval", PROGRAM],
      { cwd: root },
    );
    const { memory, tensors } = JSON.parse(stdout) as { memory: number[]; tensors: number };
    expect(memory).toHaveLength(7);
    expect(memory.at(-1)! / memory[1]!).toBeLessThan(1.05);
    expect(tensors).toBe(0);
  }, 120_000);
});
