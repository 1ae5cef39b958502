import { type MatrixProduct, productName } from "../shared/products.js";
import type { ModelConfig } from "./models.js";

/** What peers measure: products that show the peak, then those of a step. */
export interface MeasuredProducts {
  large: readonly MatrixProduct[];
  step: readonly MatrixProduct[];
}

/**
 * The matrix products of one training step, forward and backward, equal ones together. A layer y = x·W costs three:
 * y, dx = dy·Wᵀ and dW = xᵀ·dy. Attention is counted without the saving that causality allows.
 */
export function stepProducts(config: ModelConfig): MatrixProduct[] {
  const { width, heads, hidden, layers, vocabulary, time, batch } = config;
  const keyHeads = config.family === "llama" ? config.keyHeads : heads;
  const headWidth = width / heads;
  const keyWidth = keyHeads * headWidth;
  const tokens = batch * time;
  const linear = (inputs: number, outputs: number, count: number): MatrixProduct[] => [
    product(1, tokens, inputs, outputs, "", count),
    product(1, tokens, outputs, inputs, "b", count),
    product(1, inputs, tokens, outputs, "a", count),
  ];
  // Query heads that share a key head are one under the other.
  const [groups, rows] = [batch * keyHeads, (heads / keyHeads) * time];
  const attention = [
    product(groups, rows, headWidth, time, "b", 2 * layers), // q·kᵀ, dOut·vᵀ
    product(groups, rows, time, headWidth, "", 2 * layers), // weights·v, dScores·k
    product(groups, time, rows, headWidth, "a", 2 * layers), // weightsᵀ·dOut, dScoresᵀ·q
  ];
  const head = [
    product(1, tokens, width, vocabulary, "b", 1),
    product(1, tokens, vocabulary, width, "", 1),
    product(1, vocabulary, tokens, width, "a", 1),
  ];
  const inner = config.family === "llama" ? 2 : 1;
  return merged([
    ...linear(width, width, 2 * layers),
    ...linear(width, keyWidth, 2 * layers),
    ...linear(width, hidden, inner * layers),
    ...linear(hidden, width, layers),
    ...attention,
    ...head,
  ]);
}

function product(batch: number, m: number, k: number, n: number, stored: "" | "a" | "b", count: number): MatrixProduct {
  return { batch, m, k, n, transposeA: stored === "a", transposeB: stored === "b", count };
}

function merged(products: readonly MatrixProduct[]): MatrixProduct[] {
  const byName = new Map<string, MatrixProduct>();
  for (const product of products) {
    const name = productName(product);
    const known = byName.get(name);
    byName.set(name, { ...product, count: product.count + (known?.count ?? 0) });
  }
  return [...byName.values()];
}
