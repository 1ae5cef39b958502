import { badInput } from "../../core/index.js";
import { PALETTE, SERIES_STYLES, type SeriesStyle } from "./style.js";

const { blue, orange, green, pink, sky, vermillion, grey, violet, black } = PALETTE;

/** The look of a method in every figure: no two have the same colour and marker. */
const METHODS: Readonly<Record<string, readonly [colours: readonly [fill: string, outline: string], marker: string]>> =
  {
    // What this project reproduces: bold, over the others.
    "a* thought": [blue, "circle"],
    aot: [vermillion, "pentagon"],
    dots: [green, "square"],
    // Ways to shorten a chain.
    "base model": [grey, "x"],
    "full chain": [black, "square"],
    "chain of draft": [pink, "triangle-up"],
    "btc effective shortcut": [sky, "triangle-down"],
    "btc skip steps": [violet, "triangle-left"],
    tokenskip: [orange, "diamond"],
    "random steps": [vermillion, "cross"],
    "importance only": [green, "star"],
    "last steps": [sky, "triangle-right"],
    "solution only": [violet, "bowtie"],
    "necessary steps": [pink, "diamond-tall"],
    // Ways to ask.
    direct: [grey, "hourglass"],
    cot: [black, "triangle-up"],
    "cot sc": [sky, "diamond-wide"],
    "self refine": [pink, "hourglass"],
    program: [violet, "diamond"],
    "least to most": [orange, "cross"],
    "analogical prompting": [grey, "star"],
    aflow: [violet, "square"],
    fot: [orange, "triangle-up"],
    tot: [green, "triangle-up"],
    // Ways to search with more compute.
    "best of n": [orange, "star-diamond"],
    beam: [pink, "square"],
    mcts: [violet, "star"],
    revision: [green, "diamond"],
  };
const OWN = ["a* thought", "aot", "dots"];

/** Markers of further series; no method has one of these. */
const OTHER_MARKERS = [
  "hexagram",
  "hexagon",
  "triangle-ne",
  "triangle-sw",
  "star-square",
  "star-triangle-up",
  "octagon",
  "triangle-nw",
];

/** Other names of the same methods, as `key` writes them. */
const ALIASES: Readonly<Record<string, string>> = {
  "astar thought": "a* thought",
  "atom of thoughts": "aot",
  cod: "chain of draft",
  "chain of thought": "cot",
  "self consistency": "cot sc",
  "majority vote": "cot sc",
  "majority voting": "cot sc",
  "program of thought": "program",
  "program of thoughts": "program",
  pot: "program",
  "forest of thought": "fot",
  "tree of thoughts": "tot",
  "beam search": "beam",
  "monte carlo tree search": "mcts",
  "self revision": "revision",
};

/** How variants of a method are distinguished: a dash of the line, or of a ring where there is no line. */
const DASHES: readonly (readonly [variant: RegExp, dash: string])[] = [
  [/^((as much as|as many steps as:?) )?steps alone$/i, "6px,3px"],
  [/^(as much as )?algorithm 1$/i, "2px,3px"],
  [/^best[- ]first$/i, "7px,3px,2px,3px"],
];
/** Dashes of other variants. */
const FREE_DASHES = ["13px,4px", "13px,3px,2px,3px", "8px,2px,2px,2px,2px,2px", "3px,6px"];
/** Marks chains that the search accepted: hollow. */
const ACCEPTED = /^accepted$/i;

/** Number of samples: "(n=5)" is distinguished from other numbers only where there are others. */
const SIZE = /^\(?(n\s*=\s*)?\d+\)?$/i;

/** Line width of this project's methods, in pixels. */
const OWN_WIDTH = 3.4;
const SEPARATOR = /,\s+|\s+\(|\s+\+\s+|\s+w\/|\s+with(?:out)?\s+|@|(?<=[a-z])\*$/i;

/** What counts as the same name: of other letter case, or with hyphens, as in the options of a command. */
function key(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[-_\s]+/g, " ")
    .trim();
  return ALIASES[plain] ?? (/^best of (n|\d+)$/.test(plain) ? "best of n" : plain);
}

/** A row's name in parts: "A*-Thought, steps alone, accepted" is of A*-Thought, of the variant "steps alone", and accepted. */
interface NameParts {
  /** As `key` writes it; of a method that is not known, the name but for the variants that are. */
  method: string;
  /** Empty for the method itself. */
  variant: string;
  accepted: boolean;
}

function partsOf(name: string): NameParts {
  const bare = name.replace(/^\+\s+/, "");
  const at = bare.search(SEPARATOR);
  const head = at < 0 ? bare : bare.slice(0, at);
  const isMethod = Object.hasOwn(METHODS, key(head));
  let rest = (isMethod ? bare.slice(head.length) : bare).split(/,\s+/);
  const isVariant = (part: string) => ACCEPTED.test(part) || DASHES.some(([variant]) => variant.test(part));
  // Of an unknown method, only a known variant is separated from its name.
  const from = isMethod ? 0 : Math.max(1, rest.findLastIndex((part) => !isVariant(part)) + 1);
  const method = isMethod ? key(head) : key(rest.slice(0, from).join(", "));
  rest = rest
    .slice(from)
    .map((part) => part.trim())
    .filter(Boolean);
  const variant = rest.filter((part) => !ACCEPTED.test(part)).join(", ");
  // "best-of-8" is not "best-of-4".
  const size = method === "best of n" && isMethod ? (/\d+/.exec(head)?.[0] ?? "") : "";
  return {
    method,
    variant: [size, variant].filter(Boolean).join(", "),
    accepted: rest.some((part) => ACCEPTED.test(part)),
  };
}

/** Whether a name is that of a method this project reproduces, such as A*-Thought, or of a variant of it. */
export const isOwnMethod = (name: string): boolean => OWN.includes(partsOf(name).method);

/** Whether a name is that of a method that has a style of its own, or of a variant of one. */
export const isKnownMethod = (name: string): boolean => Object.hasOwn(METHODS, partsOf(name).method);

/**
 * The style of each series. A method has the same marker and colour in every figure, and so have its variants: those of
 * accepted chains are hollow, those of steps alone dashed, others dashed in other ways. Names that are not of a method get
 * the usual series' styles that are left, in their order.
 * @param named whether each name stands beside what it names, so that a style may come twice
 * @throws bad-input if there are more unknown names, or more variants of a method, than can be distinguished
 */
export function methodStyles(names: readonly string[], { named = false } = {}): Map<string, SeriesStyle> {
  const parts = names.map(partsOf);
  const methods = [...new Set(parts.map(({ method }) => method))];
  const known = methods.filter((method) => Object.hasOwn(METHODS, method));
  const others = methods.filter((method) => !known.includes(method));
  const taken = known.map((method) => METHODS[method]![0][0]);
  const free = freeStyles(taken, known.length > 0 || named);
  if (others.length > free.length && !named) {
    throw tooMany(others.length, "series that are no known methods", free.length);
  }
  const baseOf = (method: string): SeriesStyle => {
    if (!known.includes(method)) return free[others.indexOf(method) % free.length]!;
    const [[colour, outline], marker] = METHODS[method]!;
    return { colour, outline, marker, dash: "solid", ...(OWN.includes(method) ? { width: OWN_WIDTH } : {}) };
  };
  const dashes = dashesOf(parts, named);
  return new Map(
    names.map((name, at) => {
      const { method, variant, accepted } = parts[at]!;
      const dash = variant === "" ? {} : { dash: dashes.get(method)!.get(variant)! };
      return [name, { ...baseOf(method), ...dash, ...(accepted ? { hollow: true } : {}) }];
    }),
  );
}

/**
 * Styles of the usual series, those of unused colours first; beside methods they are solid, since a dash marks a
 * variant.
 */
function freeStyles(taken: readonly string[], areSolid: boolean): SeriesStyle[] {
  const again = SERIES_STYLES.map((style, at) => {
    return { ...style, marker: OTHER_MARKERS[at]!, dash: SERIES_STYLES[(at + 3) % SERIES_STYLES.length]!.dash };
  });
  const [first, second] = [SERIES_STYLES, again].map((styles) =>
    styles.filter(({ colour }) => !taken.includes(colour)),
  );
  const spare = again.filter(({ colour }) => taken.includes(colour));
  return [...first!, ...spare, ...second!].map((style) => (areSolid ? { ...style, dash: "solid" } : style));
}

/** For each method the dash of each of its variants. */
function dashesOf(parts: readonly NameParts[], named: boolean): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const { method, variant } of parts) {
    const own = found.get(method) ?? new Map<string, string>();
    found.set(method, own);
    if (variant === "" || own.has(variant)) continue;
    const isOnly = parts.every((other) => other.method !== method || other.variant === variant);
    if (isOnly && SIZE.test(variant)) {
      own.set(variant, "solid");
      continue;
    }
    const fixed = DASHES.find(([pattern]) => pattern.test(variant))?.[1];
    const used = [...own.values()].filter((dash) => FREE_DASHES.includes(dash)).length;
    if (fixed === undefined && used >= FREE_DASHES.length && !named) {
      throw tooMany(used + 1, `variants of ${method}`, FREE_DASHES.length);
    }
    own.set(variant, fixed ?? FREE_DASHES[used % FREE_DASHES.length]!);
  }
  return found;
}

const tooMany = (count: number, what: string, most: number) =>
  badInput(
    `${count} ${what}: expected at most ${most}, more cannot be told apart`,
    "Divide them among several figures.",
  );
