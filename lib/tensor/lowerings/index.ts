import { arithmetic } from "./arithmetic.js";
import { essential } from "./essential.js";
import type { Lowerings } from "./lowering.js";
import { matrixProducts } from "./matmul.js";
import { reductions } from "./reductions.js";
import { shapes } from "./shapes.js";
import { unaries } from "./unary.js";

export type { Lowering, Lowerings } from "./lowering.js";

/** Every TensorFlow.js kernel that a compiled function may use. */
export const LOWERINGS: Lowerings = {
  ...essential,
  ...arithmetic,
  ...unaries,
  ...shapes,
  ...reductions,
  ...matrixProducts,
};
