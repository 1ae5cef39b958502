/**
 * - thing: what one can hold; container: what things are put into; both are goods that can be shared
 * - act: what one does but does not hold (a lap, a page read)
 */
export type NounKind = "thing" | "container" | "act" | "time" | "money";

export const NOUN_KINDS: ReadonlyMap<string, NounKind> = new Map([
  ...kind("container", "basket crate tray shelf bucket pot box bag jar cart album"),
  ...kind("act", "lap page mile goal game room song window car"),
  ...kind("time", "minute hour day"),
]);

function kind(name: NounKind, nouns: string): [string, NounKind][] {
  return nouns.split(" ").map((noun) => [noun, name]);
}

/** After these the doer has what the noun names. */
export const VERBS_THAT_KEEP: ReadonlySet<string> = new Set(
  "pick bake find collect paint build buy cut catch win print make fill pack earn save raise".split(" "),
);

const IRREGULAR_PLURALS = new Map([
  ["shelf", "shelves"],
  ["fish", "fish"],
]);

/** The plural of a noun of the scenarios. */
export function plural(noun: string): string {
  const irregular = IRREGULAR_PLURALS.get(noun);
  if (irregular !== undefined) return irregular;
  return withEnding(noun, /(?:[sx]|[cs]h)$/);
}

/** "pick" → "picks", "carry" → "carries", "wash" → "washes". */
export function thirdPerson(verb: string): string {
  return withEnding(verb, /(?:[sxo]|[cs]h)$/);
}

/** With -s, or -es after what matches, or -ies for -y. */
function withEnding(word: string, wantsE: RegExp): string {
  return `${word.replace(/[^aeiou]y$/, (end) => `${end[0]}ie`).replace(wantsE, (end) => `${end}e`)}s`;
}

/** The noun with "a" or "an". */
export const withArticle = (noun: string): string => `${/^(?:[aeio]|hour)/.test(noun) ? "an" : "a"} ${noun}`;

export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "Ana", "Ana and Ben", "Ana, Ben and Cora". */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
