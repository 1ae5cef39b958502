/** Maximum number of suggested names. */
const MOST = 3;

/**
 * Names that a mistyped one may stand for, the nearest first: those within a few letters inserted, left out, changed or
 * swapped with their neighbour (Damerau 1964), at most one letter in three, and those that it begins; where one differs by
 * case alone, only that one.
 */
export function nearNames(name: string, known: Iterable<string>): string[] {
  const wanted = name.toLowerCase();
  if (wanted === "") return [];
  const all = [...new Set(known)].map((each) => ({ each, distance: distanceOf(wanted, each.toLowerCase()) }));
  const same = all.filter(({ each, distance }) => distance === 0 && each !== name);
  return (same.length > 0 ? same : all)
    .filter(({ distance }) => Number.isFinite(distance))
    .sort((a, b) => a.distance - b.distance || (a.each < b.each ? -1 : 1))
    .slice(0, MOST)
    .map(({ each }) => each);
}

/** `Did you mean A or B? `, to put before a hint; empty if no name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearNames(name, known);
  return near.length === 0 ? "" : `Did you mean ${near.join(" or ")}? `;
}

function distanceOf(wanted: string, name: string): number {
  const allowed = Math.max(1, Math.floor(Math.max(wanted.length, name.length) / 3));
  const distance = Math.abs(wanted.length - name.length) > allowed ? Number.POSITIVE_INFINITY : edits(wanted, name);
  if (distance <= allowed) return distance;
  return wanted.length >= 3 && name.startsWith(wanted) ? allowed + 1 : Number.POSITIVE_INFINITY;
}

function edits(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
