/** The quantile of the standard normal distribution for intervals of 95 %. */
const Z95 = 1.959963984540054;

/**
 * The lower end of Wilson's score interval (Wilson 1927) of a mean of rewards from 0 to 1: what an arm is worth at least. 0 without
 * pulls.
 *
 * @param z quantile of the normal distribution. Default: 1.96, for 95 %
 */
export function wilsonLowerBound(rewards: readonly number[], z = Z95): number {
  const count = rewards.length;
  if (count === 0) return 0;
  const mean = rewards.reduce((sum, value) => sum + value, 0) / count;
  const square = z ** 2;
  const centre = mean + square / (2 * count);
  const half = z * Math.sqrt((mean * (1 - mean)) / count + square / (4 * count ** 2));
  return Math.max(0, (centre - half) / (1 + square / count));
}
