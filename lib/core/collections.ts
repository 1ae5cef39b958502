/** The sum of some numbers, from the first to the last; 0 of none. */
export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The mean of some numbers; NaN of none. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** Items by a key, in the order in which the keys first occur; `Map.groupBy` needs Node 21. */
export function groupBy<T, Key>(
  items: Iterable<T>,
  keyOf: (item: T, index: number) => Key,
): Map<Key, [first: T, ...more: T[]]> {
  const groups = new Map<Key, [T, ...T[]]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** A record whose values are there or left out, never undefined. */
export type Defined<T> = {
  [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key];
} & { [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined> };

/** A record without the keys whose value is undefined, for types that tell the two apart. */
export const withoutUndefined = <T extends object>(record: T): Defined<T> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
