/** A matrix product, `batch` times [m, k]·[k, n], and how often it occurs. */
export interface MatrixProduct {
  batch: number;
  m: number;
  k: number;
  n: number;
  /** The left factor is stored as [k, m]. */
  transposeA: boolean;
  /** The right factor is stored as [n, k]. */
  transposeB: boolean;
  count: number;
}

/** Products large enough to show what the machine can do. */
export const LARGE_PRODUCTS: readonly MatrixProduct[] = [1024, 2048].map((size) => ({
  batch: 1,
  m: size,
  k: size,
  n: size,
  transposeA: false,
  transposeB: false,
  count: 1,
}));

/** Floating-point operations, counting a multiplication and an addition as two. */
export function flopsOf({ batch, m, k, n, count }: MatrixProduct): number {
  return 2 * batch * m * k * n * count;
}

/** `2048×128·128×512`, with the batch before and a ᵀ behind a factor that is stored transposed. */
export function productName({ batch, m, k, n, transposeA, transposeB }: MatrixProduct): string {
  const left = transposeA ? `(${k}×${m})ᵀ` : `${m}×${k}`;
  const right = transposeB ? `(${n}×${k})ᵀ` : `${k}×${n}`;
  return `${batch === 1 ? "" : `${batch} of `}${left}·${right}`;
}
