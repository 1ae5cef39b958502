import { badInput } from "../check.js";
import { MAX_SERIES, type SeriesStyle, seriesStyle } from "./style.js";

/** Of A*-Thought, and of its variants in a figure with several: solid and bold, in shades of one blue. */
const OWN_STYLES: readonly SeriesStyle[] = [
  { colour: "#0072B2", outline: "#004B75", marker: "circle", dash: "solid", width: 3.4 },
  { colour: "#56B4E9", outline: "#1B6FA0", marker: "hexagon", dash: "solid", width: 3.4 },
  { colour: "#003F66", outline: "#00243B", marker: "pentagon", dash: "solid", width: 3.4 },
];

/**
 * Of the methods that A*-Thought is compared with. So many colours cannot all be told apart by every reader: each has its
 * own marker, and close colours another dash.
 */
const BASELINE_STYLES: Readonly<Record<string, SeriesStyle>> = {
  "base model": { colour: "#7F7F7F", outline: "#4D4D4D", marker: "x", dash: "dot" },
  "full chain": { colour: "#333333", outline: "#111111", marker: "square", dash: "dash" },
  "chain of draft": { colour: "#CC79A7", outline: "#8A3F68", marker: "triangle-up", dash: "dashdot" },
  "btc effective shortcut": { colour: "#A6761D", outline: "#6B4A0C", marker: "triangle-down", dash: "longdash" },
  "btc skip steps": { colour: "#8A3F68", outline: "#5A2442", marker: "triangle-left", dash: "dot" },
  tokenskip: { colour: "#E69F00", outline: "#8F6300", marker: "diamond", dash: "longdashdot" },
  "random steps": { colour: "#D55E00", outline: "#8A3D00", marker: "cross", dash: "dot" },
  "importance only": { colour: "#009E73", outline: "#00664B", marker: "star", dash: "dash" },
  "last steps": { colour: "#B5A800", outline: "#6E6600", marker: "triangle-right", dash: "dashdot" },
  "solution only": { colour: "#6A51A3", outline: "#43306E", marker: "bowtie", dash: "longdash" },
  "necessary steps": { colour: "#000000", outline: "#000000", marker: "diamond-tall", dash: "2px,4px" },
};

/** What counts as the same name: of other letter case, or with hyphens, as in the options of a command. */
const key = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[-\s]+/g, " ")
    .trim();

/** Whether a method is A*-Thought or a variant of it, such as "A*-Thought, best-first". */
export const isOwnMethod = (name: string): boolean => /^a(\*|star)[- ]thought/i.test(name);

/**
 * The style of each method, the same in every figure for the methods that have one here; others get what is left of the
 * usual series' styles, in their order, and then of the methods'.
 * @throws bad-input if there are more others, or more variants of A*-Thought, than can be told apart
 */
export function methodStyles(names: readonly string[]): Map<string, SeriesStyle> {
  let own = 0;
  const known = new Map<string, SeriesStyle | undefined>(
    names.map((name) => [name, isOwnMethod(name) ? OWN_STYLES[own++] : BASELINE_STYLES[key(name)]]),
  );
  if (own > OWN_STYLES.length) throw tooMany(own, "variants of A*-Thought", OWN_STYLES.length);
  const taken = new Set([...known.values()].map((style) => style?.colour));
  const usual = Array.from({ length: MAX_SERIES }, (_, index) => seriesStyle(index));
  const free = [...usual, ...Object.values(BASELINE_STYLES)].filter(
    ({ colour }, at, all) => !taken.has(colour) && all.findIndex((other) => other.colour === colour) === at,
  );
  const others = names.filter((name) => known.get(name) === undefined);
  if (others.length > free.length) throw tooMany(others.length, "methods without a style of their own", free.length);
  return new Map(names.map((name) => [name, known.get(name) ?? free[others.indexOf(name)]!]));
}

const tooMany = (count: number, what: string, most: number) =>
  badInput(
    `${count} ${what}: expected at most ${most}, more cannot be told apart`,
    "Divide them among several figures.",
  );
