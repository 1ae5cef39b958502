import type { TensorData } from "../../tensor/index.js";
import { type Checkpoint, type ModelParameters, readParameter } from "../weights/checkpoint.js";
import { readQuantised } from "../weights/quantised.js";
import type { QuantisedMatrix } from "../weights/quantised-matrix.js";
import { parameterShapes } from "../weights/shapes.js";

/**
 * Weights in blocks as inputs of compiled functions: of a weight NAME `NAME.quants` `[out, in]` int8, `NAME.scales` and, if
 * it has them, `NAME.offsets` `[out, in / blockSize]`.
 */
export type BlockParameters = Record<string, TensorData<"int8"> | TensorData<"float32">>;

/** Names of the parts of a weight in blocks. */
export const blockNames = (name: string) => ({
  quants: `${name}.quants`,
  scales: `${name}.scales`,
  offsets: `${name}.offsets`,
});

/** Read all weights of a model, those in blocks as they are. Throws what `readParameter` throws. */
export async function readBlockParameters(
  checkpoint: Checkpoint,
): Promise<{ weights: ModelParameters; blocks: BlockParameters }> {
  const weights: ModelParameters = {};
  const blocks: BlockParameters = {};
  for (const name of Object.keys(parameterShapes(checkpoint.config))) {
    const matrix = await readQuantised(checkpoint, name);
    if (matrix) Object.assign(blocks, blockParameters(name, matrix));
    else weights[name] = await readParameter(checkpoint, name);
  }
  return { weights, blocks };
}

/** A matrix in blocks as parameters; bytes are converted where they are. */
export function blockParameters(name: string, matrix: QuantisedMatrix): BlockParameters {
  const { shape, blockSize, scales, offsets } = matrix;
  const names = blockNames(name);
  const perBlock = (data: Float32Array) => ({ shape: [shape[0], shape[1] / blockSize], dtype: "float32", data }) as const;
  return {
    [names.quants]: { shape, dtype: "int8", data: signed(matrix) },
    [names.scales]: perBlock(scales),
    ...(offsets ? { [names.offsets]: perBlock(offsets) } : {}),
  };
}

function signed({ bits, quants, zero }: QuantisedMatrix): Int8Array {
  if (bits === 8) {
    const numbers = new Int8Array(quants.buffer, quants.byteOffset, quants.length);
    // Wraps around: 255 is -1 before, 127 after.
    if (zero !== 0) for (let i = 0; i < numbers.length; i++) numbers[i]! -= zero;
    return numbers;
  }
  const numbers = new Int8Array(2 * quants.length);
  for (let i = 0; i < quants.length; i++) {
    const pair = quants[i]!;
    numbers[2 * i] = (pair & 15) - zero;
    numbers[2 * i + 1] = (pair >> 4) - zero;
  }
  return numbers;
}

/** Write some rows of a matrix in blocks, one after the other. */
export function lookUpBlocks(blocks: BlockParameters, name: string, ids: readonly number[], target: Float32Array): void {
  const names = blockNames(name);
  const quants = blocks[names.quants]!;
  const scales = blocks[names.scales]!.data;
  const offsets = blocks[names.offsets]?.data;
  const width = quants.shape[1]!;
  const size = (width * quants.shape[0]!) / scales.length;
  for (const [i, id] of ids.entries()) {
    for (let column = 0; column < width; column++) {
      const block = Math.floor((id * width + column) / size);
      target[i * width + column] = quants.data[id * width + column]! * scales[block]!;
      if (offsets) target[i * width + column]! += offsets[block]!;
    }
  }
}
