import jStat from "jstat";

/**
 * The number that a variable with Student's t distribution stays within, on either side of 0, with a probability of 95 %:
 * 12.71 for 1 degree of freedom, 4.30 for 2, 1.96 for many.
 *
 * @param freedom degrees of freedom, 1 or more, not necessarily whole (Satterthwaite 1946)
 * @throws RangeError for fewer
 */
export function studentT95(freedom: number): number {
  if (!(freedom >= 1)) throw new RangeError(`expected 1 degree of freedom or more, got ${freedom}`);
  return jStat.studentt.inv(0.975, freedom);
}
