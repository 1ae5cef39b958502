/** Pieces of a quarter turn: the quantile is right to six digits. */
const PIECES = 4096;

/**
 * The number that a variable with Student's t distribution stays within, on either side of 0, with a probability of 95 %:
 * 12.71 for 1 degree of freedom, 4.30 for 2, 1.96 for many.
 *
 * @param freedom degrees of freedom, 1 or more, not necessarily whole (Satterthwaite 1946)
 * @throws RangeError for fewer
 */
export function studentT95(freedom: number): number {
  if (!(freedom >= 1)) throw new RangeError(`expected 1 degree of freedom or more, got ${freedom}`);
  // With t = √ν · tan θ, the density of θ is proportional to cos^(ν−1) θ: bounded, on a quarter turn.
  const width = Math.PI / 2 / PIECES;
  const density = (at: number) => Math.cos(at * width) ** (freedom - 1);
  const areas = Array.from({ length: PIECES }, (_, at) => (density(at) + 4 * density(at + 0.5) + density(at + 1)) / 6);
  const wanted = 0.95 * areas.reduce((sum, area) => sum + area, 0);
  let [at, within] = [0, 0];
  while (within + areas[at]! < wanted) within += areas[at++]!;
  const angle = (at + (wanted - within) / areas[at]!) * width;
  return Math.sqrt(freedom) * Math.tan(angle);
}
