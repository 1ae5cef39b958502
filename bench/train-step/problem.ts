import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import { type ModelConfig, parameterShapes, type Shapes } from "./models.js";

/** AdamW (Loshchilov & Hutter 2019). Matrices decay, gains of norms do not. */
export interface AdamWSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

export const ADAMW: AdamWSettings = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

/** What a peer trains: the same for all, so that losses can be compared step by step. */
export interface Problem {
  config: ModelConfig;
  optimizer: AdamWSettings;
  shapes: Shapes;
  weights: Readonly<Record<string, Float32Array>>;
  /** Row-major `[batch, time]`. */
  ids: Int32Array;
  targets: Int32Array;
}

const INITIAL_DEVIATION = 0.02;
/** What a peer in any language can read: this description, and raw little-endian numbers. */
const FILES = { description: "problem.json", weights: "weights.f32", ids: "ids.i32", targets: "targets.i32" };

export function hasDecay(shape: readonly number[]): boolean {
  return shape.length > 1;
}

/** Initial weights, normal with deviation 0.02 and gains of one, and one batch of uniform ids. */
export function createProblem(config: ModelConfig, seed: number): Problem {
  const random = createRandom(seed);
  const shapes = parameterShapes(config);
  const weights = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const stream = random.stream(name);
      return [name, shape.length === 1 ? values.fill(1) : values.map(() => INITIAL_DEVIATION * stream.normal())];
    }),
  );
  const tokens = (name: string) => {
    const stream = random.stream(name);
    return Int32Array.from({ length: config.batch * config.time }, () => stream.integer(config.vocabulary));
  };
  return { config, optimizer: ADAMW, shapes, weights, ids: tokens("ids"), targets: tokens("targets") };
}

export async function writeProblem(folder: string, problem: Problem): Promise<void> {
  const { config, optimizer, shapes, weights, ids, targets } = problem;
  const parameters = Object.entries(shapes).map(([name, shape]) => ({ name, shape, decay: hasDecay(shape) }));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, FILES.description), JSON.stringify({ config, optimizer, parameters, files: FILES }));
  await writeFile(join(folder, FILES.weights), Object.values(weights));
  await writeFile(join(folder, FILES.ids), ids);
  await writeFile(join(folder, FILES.targets), targets);
}

export async function readProblem(folder: string): Promise<Problem> {
  const text = await readFile(join(folder, FILES.description), "utf8");
  const { config, optimizer } = JSON.parse(text) as Pick<Problem, "config" | "optimizer">;
  const bytes = async (file: string) => {
    const { buffer, byteOffset, byteLength } = await readFile(join(folder, file));
    return buffer.slice(byteOffset, byteOffset + byteLength);
  };
  const shapes = parameterShapes(config);
  const numbers = new Float32Array(await bytes(FILES.weights));
  let offset = 0;
  const weights = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const start = offset;
      offset += shape.reduce((a, b) => a * b, 1);
      return [name, numbers.slice(start, offset)];
    }),
  );
  return {
    config,
    optimizer,
    shapes,
    weights,
    ids: new Int32Array(await bytes(FILES.ids)),
    targets: new Int32Array(await bytes(FILES.targets)),
  };
}
