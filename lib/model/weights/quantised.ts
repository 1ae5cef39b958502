import { readGgufBlocks } from "../gguf/file.js";
import { reorderRows, rowOrder } from "../gguf/weights.js";
import type { Checkpoint } from "./checkpoint.js";
import type { QuantisedMatrix } from "./quantised-matrix.js";

export { dequantise, type QuantisedMatrix } from "./quantised-matrix.js";

/**
 * The blocks of a weight as they are in the file, by its name in `parameterShapes`; undefined where it is stored in
 * floats, or its file is no GGUF file. The rows are those of the weight, [out, in], also in GPT-2, whose weights are
 * [in, out] otherwise.
 *
 * @throws not-found, corrupt-data (its file changed since it was opened), file-system
 *
 * @example
 * ```ts
 * import { dequantise, exportGguf, openCheckpoint, readQuantised, resolveModel } from "thoughtbook/model";
 *
 * const mini = await openCheckpoint(await resolveModel("mini"));
 * const { file } = await exportGguf(mini, "blocks.gguf", { type: "q8_0" });
 * const matrix = await readQuantised(await openCheckpoint(file), "model.layers.0.mlp.up_proj.weight");
 * console.log(matrix?.bits, matrix?.shape); // 8 [ 512, 192 ]
 * console.log(matrix && dequantise(matrix).length); // 98304
 * ```
 */
export async function readQuantised(checkpoint: Checkpoint, name: string): Promise<QuantisedMatrix | undefined> {
  const place = checkpoint.weights.get(name);
  if (place === undefined || !("shape" in place)) return undefined;
  const matrix = await readGgufBlocks(place.file, place.name);
  if (matrix === undefined || place.rotatedHeads === undefined) return matrix;
  const order = rowOrder(matrix.shape[0], place.rotatedHeads);
  return {
    ...matrix,
    quants: reorderRows(matrix.quants, order),
    scales: reorderRows(matrix.scales, order),
    ...(matrix.offsets ? { offsets: reorderRows(matrix.offsets, order) } : {}),
  };
}
